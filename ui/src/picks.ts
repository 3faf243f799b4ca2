// Choosing rows of a list: "x" ticks the row that has the focus, Shift extends
// from the last one ticked, and the bar says how many are chosen. Without this
// the boxes and the buttons work the same.
import { singleKeys } from "./keys";

let last: HTMLInputElement | null = null;

function picks(): HTMLInputElement[] {
  return [...document.querySelectorAll<HTMLInputElement>("input[data-pick]")];
}

function count(): void {
  const bar = document.querySelector<HTMLElement>("[data-picks]");
  const words = bar?.querySelector<HTMLElement>("[data-pick-count]");
  if (!bar || !words) return;
  words.dataset["none"] ??= words.textContent ?? "";
  const n = picks().filter((box) => box.checked).length;
  words.textContent = n === 0 ? words.dataset["none"] : ((n === 1 ? words.dataset["one"] : words.dataset["other"]) ?? "").replace("{n}", String(n));
  const all = bar.querySelector<HTMLInputElement>("[data-pick-all]")?.checked ?? false;
  bar.classList.toggle("picked", n > 0 || all);
}

function upTo(box: HTMLInputElement): void {
  const all = picks();
  const a = last ? all.indexOf(last) : -1;
  const b = all.indexOf(box);
  if (a < 0 || b < 0) return;
  for (const other of all.slice(Math.min(a, b), Math.max(a, b) + 1)) other.checked = box.checked;
}

document.addEventListener("click", (event) => {
  const box = event.target;
  if (!(box instanceof HTMLInputElement) || box.dataset["pick"] === undefined) return;
  if (event.shiftKey) upTo(box);
  last = box;
});

document.addEventListener("change", (event) => {
  const box = event.target;
  if (box instanceof HTMLInputElement && (box.dataset["pick"] !== undefined || box.dataset["pickAll"] !== undefined)) count();
});

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "x" || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !singleKeys()) return;
  const on = document.activeElement;
  const box = on?.closest(".pickable")?.querySelector<HTMLInputElement>("input[data-pick]");
  if (!box || on instanceof HTMLInputElement) return;
  event.preventDefault();
  box.checked = !box.checked;
  if (event.shiftKey) upTo(box);
  last = box;
  count();
});

count();
document.addEventListener("htmx:afterSettle", count);
window.addEventListener("pageshow", count);
