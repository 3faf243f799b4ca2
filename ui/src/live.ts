// Live changes. One stream a page, opened only if something on it listens:
//
//   <section id="latest" data-live="incident" data-live-src="/overview/latest">
//       is asked for again when such an event comes, and morphed: nothing moves
//       while the pointer or the focus is inside, it waits;
//   <p data-live="incident" data-live-one="1 nouveau" data-live-other="{n} nouveaux" hidden>
//       <a class="fresh" href="…"><span data-live-count></span></a>
//       only counts, and waits to be asked.
//
// data-live-kind="incident.declared" and data-live-incident="4812" narrow what
// is listened to. "resync" (too much happened to be told) concerns everybody.
//
// The stream's address is <html data-live-stream>. Events are named by their
// topic ("incident"). A hidden tab hangs up after a minute, and catches up.
import { htmx } from "./hypermedia";

const quiet = 400; // ms: a burst is one refresh
const hiddenFor = 60_000;
const slowest = 30_000;

const root = document.documentElement;
const address = root.dataset["liveStream"];

let source: EventSource | undefined;
let failures = 0;
let retry: ReturnType<typeof setTimeout> | undefined;
let hanging: ReturnType<typeof setTimeout> | undefined;
let missed = false;
const pending = new Map<HTMLElement, ReturnType<typeof setTimeout>>();

function listeners(topic?: string): HTMLElement[] {
  const all = [...document.querySelectorAll<HTMLElement>("[data-live]")];
  return topic === undefined ? all : all.filter((e) => e.dataset["live"]?.split(" ").includes(topic));
}

function busy(element: HTMLElement): boolean {
  return element.matches(":hover") || element.contains(document.activeElement);
}

function refresh(element: HTMLElement): void {
  if (pending.has(element)) return;
  const go = () => {
    if (!element.isConnected) {
      pending.delete(element);
    } else if (busy(element)) {
      pending.set(element, setTimeout(go, quiet));
    } else {
      pending.delete(element);
      void htmx.ajax("get", element.dataset["liveSrc"] ?? location.href, { source: element, target: element, swap: "morph:innerHTML", select: element.dataset["liveSelect"] });
    }
  };
  pending.set(element, setTimeout(go, quiet));
}

function count(element: HTMLElement): void {
  const n = Number(element.dataset["n"] ?? 0) + 1;
  element.dataset["n"] = String(n);
  const text = (n === 1 ? element.dataset["liveOne"] : element.dataset["liveOther"]) ?? "{n}";
  for (const target of element.querySelectorAll("[data-live-count]")) target.textContent = text.replace("{n}", String(n));
  element.hidden = false;
}

interface Change {
  kind?: string;
  incident?: number;
}

function concerns(element: HTMLElement, change: Change): boolean {
  const { liveKind, liveIncident } = element.dataset;
  return (liveKind === undefined || change.kind === undefined || liveKind.split(" ").includes(change.kind)) &&
    (liveIncident === undefined || change.incident === undefined || liveIncident === String(change.incident));
}

function happened(topic: string, data: string): void {
  const change = JSON.parse(data) as Change;
  for (const element of topic === "resync" ? listeners() : listeners(topic)) {
    if (!concerns(element, change)) continue;
    if (element.dataset["liveSrc"] !== undefined) refresh(element);
    else count(element);
  }
}

function state(value: "open" | "lost"): void {
  root.dataset["liveState"] = value;
  for (const mark of document.querySelectorAll<HTMLElement>("[data-live-open]")) {
    mark.textContent = (value === "open" ? mark.dataset["liveOpen"] : mark.dataset["liveLost"]) ?? "";
  }
}

function open(): void {
  clearTimeout(retry);
  const topics = new Set(listeners().flatMap((e) => e.dataset["live"]?.split(" ") ?? []));
  if (!address || source || topics.size === 0) return;
  source = new EventSource(address);
  source.onopen = () => {
    failures = 0;
    state("open");
    if (missed) for (const element of listeners()) if (element.dataset["liveSrc"] !== undefined) refresh(element);
    missed = false;
  };
  // The browser resumes by itself after a cut, with the last event's id; when
  // it gives up, we try again later and later, not all screens at once.
  source.onerror = () => {
    state("lost");
    if (source?.readyState !== EventSource.CLOSED) return;
    close();
    missed = true;
    failures++;
    retry = setTimeout(open, Math.min(slowest, 1000 * 2 ** failures) * (0.5 + Math.random() / 2));
  };
  for (const topic of [...topics, "resync"]) source.addEventListener(topic, (event) => happened(topic, (event as MessageEvent<string>).data));
}

function close(): void {
  source?.close();
  source = undefined;
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(hanging);
  if (document.visibilityState === "hidden") {
    hanging = setTimeout(() => {
      missed = source !== undefined;
      close();
    }, hiddenFor);
  } else open();
});
window.addEventListener("pagehide", close);
window.addEventListener("pageshow", (event) => {
  if (event.persisted) {
    missed = true;
    open();
  }
});
open();
