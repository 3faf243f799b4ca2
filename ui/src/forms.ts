// Forms: short addresses, no double sending, no lost text, an undo that ends.

import { dropEmpty } from "./hypermedia";

// A form that asks sends only what was chosen.
document.addEventListener("formdata", (event) => {
  const form = event.target as HTMLFormElement;
  if (form.method === "get") dropEmpty(event.formData);
});

// A form is sent once until its answer comes.
const sent = new WeakSet<HTMLFormElement>();
const unsaved = new Set<HTMLFormElement>();

document.addEventListener("submit", (event) => {
  const form = event.target as HTMLFormElement;
  unsaved.delete(form);
  if (event.defaultPrevented || form.method !== "post") return;
  if (sent.has(form)) {
    event.preventDefault();
    return;
  }
  sent.add(form);
  form.setAttribute("aria-busy", "true");
});

window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[aria-busy]")) {
    form.removeAttribute("aria-busy");
    sent.delete(form);
  }
});

// What was typed in a form marked data-guard is not lost by leaving the page.
document.addEventListener("input", (event) => {
  const form = (event.target as HTMLElement).closest<HTMLFormElement>("form[data-guard]");
  if (form) unsaved.add(form);
});
document.addEventListener("reset", (event) => unsaved.delete(event.target as HTMLFormElement));
window.addEventListener("beforeunload", (event) => {
  if ([...unsaved].some((form) => form.isConnected)) event.preventDefault();
});

// "Annuler" stays as long as it works.
function endUndo(root: ParentNode): void {
  for (const element of root.querySelectorAll<HTMLElement>("[data-undo-seconds]")) {
    const seconds = Number(element.dataset["undoSeconds"]);
    delete element.dataset["undoSeconds"];
    setTimeout(() => {
      if (element.contains(document.activeElement)) document.getElementById("main")?.focus();
      element.remove();
    }, seconds * 1000);
  }
}
endUndo(document);
document.addEventListener("htmx:afterSettle", () => endUndo(document));

// A menu closes when the reader turns elsewhere.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.menu[open]")) {
    if (!menu.contains(event.target as Node)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = (event.target as Element).closest?.<HTMLDetailsElement>("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary")?.focus();
});

// On a phone the filters unfold at a touch.
document.addEventListener("click", (event) => {
  const button = (event.target as Element).closest<HTMLElement>("[data-fold]");
  if (!button) return;
  const open = button.closest("form")?.classList.toggle("unfolded") ?? false;
  button.setAttribute("aria-expanded", String(open));
});
