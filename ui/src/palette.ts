// Go to anything: an incident's number or words, a school, a machine, a page, an
// action. The form is the search page's; here its answers come while one types.
const wait = 90; // ms between the last key and the question

const dialog = document.querySelector<HTMLDialogElement>("#palette");
const input = dialog?.querySelector("input") ?? null;
const results = dialog?.querySelector<HTMLElement>(".palette-results") ?? null;

export function openPalette(): void {
  if (!dialog || !input) return;
  if (!dialog.open) dialog.showModal();
  input.select();
  void ask();
}

let timer: ReturnType<typeof setTimeout> | undefined;
let asking: AbortController | undefined;

async function ask(): Promise<void> {
  if (!dialog || !input || !results) return;
  asking?.abort();
  asking = new AbortController();
  try {
    const answer = await fetch(`${dialog.dataset["src"]}?q=${encodeURIComponent(input.value)}`, {
      signal: asking.signal,
      headers: { "HX-Request": "true" },
    });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    results.replaceChildren(...page.body.childNodes);
    choose(0);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
  }
}

function items(): HTMLAnchorElement[] {
  return results ? [...results.querySelectorAll<HTMLAnchorElement>(".go-item")] : [];
}

function chosen(): number {
  return items().findIndex((item) => item.getAttribute("aria-selected") === "true");
}

function choose(index: number): void {
  const all = items();
  input?.removeAttribute("aria-activedescendant");
  all.forEach((item, i) => {
    item.setAttribute("aria-selected", String(i === index));
    if (i !== index) return;
    input?.setAttribute("aria-activedescendant", item.id);
    item.scrollIntoView({ block: "nearest" });
  });
}

input?.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(() => void ask(), wait);
});

input?.addEventListener("keydown", (event) => {
  const n = items().length;
  if (event.key === "ArrowDown") choose(n === 0 ? -1 : (chosen() + 1) % n);
  else if (event.key === "ArrowUp") choose(n === 0 ? -1 : (chosen() - 1 + n) % n);
  else if (event.key === "Enter") {
    const item = items()[chosen()];
    if (!item) return; // the form asks the search page
    item.click();
  } else if (event.key === "Escape") dialog?.close(); // and not only empty the field, as browsers do
  else return;
  event.preventDefault();
});
