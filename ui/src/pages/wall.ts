// A screen on the wall: one board at a time, each for twenty seconds, asked for
// again just before it is shown, so that the screen stays true even when the
// live stream is cut. Space pauses, the arrows change, Escape leaves.
import { htmx } from "../hypermedia";

const turn = 20_000;
const newPage = 3_600_000; // a screen stays for weeks: it takes new versions

const page = document.querySelector<HTMLElement>("[data-wall]");
const boards = page ? [...page.querySelectorAll<HTMLElement>(".wall-board")] : [];

let at = 0;
let paused = false;
let timer: ReturnType<typeof setTimeout> | undefined;

function show(index: number): void {
  at = (index + boards.length) % boards.length;
  boards.forEach((board, i) => board.toggleAttribute("data-shown", i === at));
  for (const step of page?.querySelectorAll<HTMLElement>("[data-wall-step]") ?? []) {
    if (step.dataset["wallStep"] === boards[at]?.id) step.setAttribute("aria-current", "true");
    else step.removeAttribute("aria-current");
  }
  plan();
}

function plan(): void {
  clearTimeout(timer);
  if (paused || boards.length < 2) return;
  timer = setTimeout(() => void next(), turn);
}

async function next(): Promise<void> {
  const board = boards[(at + 1) % boards.length];
  const src = board?.dataset["liveSrc"];
  try {
    if (board && src) await htmx.ajax("get", src, { source: board, target: board, swap: "morph:innerHTML" });
  } catch {
    // Without an answer the board shows what it last knew.
  }
  if (!paused) show(at + 1);
}

function pause(on: boolean): void {
  paused = on;
  const state = page?.querySelector("[data-wall-state]");
  if (state) state.textContent = on ? (page?.dataset["wallPaused"] ?? "") : "";
  plan();
}

function tick(clock: HTMLTimeElement): void {
  const now = new Date();
  const french = document.documentElement.lang === "fr";
  const timeZone = clock.dataset["wallClock"];
  const day = new Intl.DateTimeFormat(french ? "fr-FR" : "en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone }).format(now);
  const [hour = "", minute = ""] = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone }).format(now).split(":");
  const text = french ? `${day}, ${Number(hour)}\u00a0h\u00a0${minute}` : `${day}, ${Number(hour)}:${minute}`;
  if (clock.textContent !== text) clock.textContent = text;
  clock.dateTime = now.toISOString();
}

async function renew(): Promise<void> {
  try {
    if ((await fetch(location.href, { method: "HEAD" })).ok) location.reload();
  } catch {
    // The server is away: what is shown stays.
  }
}

if (page) {
  const clock = page.querySelector<HTMLTimeElement>("[data-wall-clock]");
  if (clock) {
    tick(clock);
    setInterval(() => tick(clock), 5_000);
  }
  setInterval(() => void renew(), newPage);
  if (boards.length > 0) {
    page.dataset["wall"] = "on";
    show(0);
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    switch (event.key) {
      case " ":
        pause(!paused);
        break;
      case "ArrowRight":
      case "n":
        show(at + 1);
        break;
      case "ArrowLeft":
      case "p":
        show(at - 1);
        break;
      case "Escape":
        location.assign(page.dataset["wallLeave"] ?? "/");
        break;
      default:
        return;
    }
    event.preventDefault();
  });
}
