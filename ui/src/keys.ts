// Keys of one character, off while typing, and off for good if the reader says
// so in the list of keys (WCAG 2.1.4):
//   /        the page's search field (data-search), else go to anything
//   j k      next and previous entry of a list (.row-link)
//   ?        the list of keys
//   others   the element that carries data-key="e"
import { openPalette } from "./palette";

const off = "keys-off";

export function singleKeys(): boolean {
  return localStorage.getItem(off) === null;
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable], dialog[open]") !== null;
}

function visible(element: HTMLElement): boolean {
  return element.checkVisibility();
}

function move(step: 1 | -1): void {
  const links = [...document.querySelectorAll<HTMLElement>("main .row-link")].filter(visible);
  const at = links.findIndex((link) => link === document.activeElement);
  const next = links[at < 0 ? (step > 0 ? 0 : links.length - 1) : at + step];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
    event.preventDefault();
    openPalette();
    return;
  }
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (!singleKeys() || typing(event.target)) return;
  switch (event.key) {
    case "/": {
      event.preventDefault();
      const search = [...document.querySelectorAll<HTMLInputElement>("main [data-search]")].find(visible);
      if (search) search.select();
      else openPalette();
      return;
    }
    case "?": {
      const keys = document.querySelector<HTMLDialogElement>("#keys");
      if (keys) {
        event.preventDefault();
        keys.showModal();
      }
      return;
    }
    case "j":
      return move(1);
    case "k":
      return move(-1);
  }
  if (event.key.length !== 1) return;
  const target = [...document.querySelectorAll<HTMLElement>(`[data-key="${CSS.escape(event.key)}"]`)].find(visible);
  if (target) {
    event.preventDefault();
    if (target.matches("input, textarea, select")) target.focus();
    else target.click();
  }
});

const toggle = document.querySelector<HTMLInputElement>("#keys-on");
if (toggle) {
  toggle.checked = singleKeys();
  toggle.addEventListener("change", () => {
    if (toggle.checked) localStorage.removeItem(off);
    else localStorage.setItem(off, "1");
  });
}
for (const button of document.querySelectorAll<HTMLElement>("[data-open-dialog]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    document.querySelector<HTMLDialogElement>(`#${button.dataset["openDialog"]}`)?.showModal();
  });
}
// A click on the veil closes.
document.addEventListener("click", (event) => {
  if (event.target instanceof HTMLDialogElement) event.target.close();
});
