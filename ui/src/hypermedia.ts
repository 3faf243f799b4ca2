// htmx, tied down for the strict content policy, and a swap that keeps what
// has not changed (focus, scroll, open details) by morphing.
import htmx from "htmx.org";
import { Idiomorph } from "idiomorph";

htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false; // would be an inline style
htmx.config.selfRequestsOnly = true;
htmx.config.historyCacheSize = 0; // no copy of pages in the browser's storage
htmx.config.refreshOnHistoryMiss = true;
htmx.config.scrollIntoViewOnBoost = false;
htmx.config.timeout = 30_000;
// A refused form (422, 409) is a page to show, as without script.
htmx.config.responseHandling = [
  { code: "204", swap: false },
  { code: "...", swap: true },
];

htmx.defineExtension("morph", {
  isInlineSwap: (style: string) => style === "morph",
  handleSwap: (style: string, target: Node, fragment: Node) => {
    if (style !== "morph" && style !== "morph:innerHTML") return false;
    const morphStyle = style === "morph" ? "outerHTML" : "innerHTML";
    return Idiomorph.morph(target as Element, (fragment as DocumentFragment).children, {
      morphStyle,
      ignoreActiveValue: true,
      callbacks: {
        beforeAttributeUpdated: (name: string, node: Element) => !(name === "open" && node instanceof HTMLDetailsElement),
      },
    }) as unknown as Node[];
  },
});

// An address holds what was chosen, nothing empty; of a name given several
// times, the values that are not.
export function dropEmpty(data: FormData): void {
  for (const name of new Set(data.keys())) {
    const values = data.getAll(name);
    data.delete(name);
    for (const value of values) if (value !== "") data.append(name, value);
  }
}
document.addEventListener("htmx:configRequest", (event) => {
  const { verb, formData } = (event as CustomEvent<{ verb: string; formData: FormData }>).detail;
  if (verb === "get" && formData) dropEmpty(formData);
});

export { htmx };
