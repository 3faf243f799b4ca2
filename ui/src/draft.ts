// What is typed in a form marked data-draft="KEY" stays on this device until
// the server has it: the network may drop in a basement. A form that is sent
// without a network waits for it.

const prefix = "draft:";

interface Draft {
  name: string;
  text: string;
}

function fields(form: HTMLFormElement): HTMLTextAreaElement[] {
  return [...form.querySelectorAll<HTMLTextAreaElement>("textarea")];
}

function say(form: HTMLFormElement, what: "kept" | "found" | "offline" | ""): void {
  const state = form.querySelector<HTMLElement>("[data-draft-state]");
  if (state) state.textContent = what === "" ? "" : (state.dataset[what] ?? "");
}

function keep(form: HTMLFormElement): void {
  const drafts: Draft[] = fields(form)
    .filter((field) => field.value !== field.defaultValue)
    .map((field) => ({ name: field.name, text: field.value }));
  const key = prefix + (form.dataset["draft"] ?? "");
  try {
    if (drafts.length > 0) localStorage.setItem(key, JSON.stringify(drafts));
    else localStorage.removeItem(key);
  } catch {
    return; // a full or forbidden storage: the form works as without
  }
  say(form, drafts.length > 0 ? "kept" : "");
}

function restore(form: HTMLFormElement): void {
  const key = prefix + (form.dataset["draft"] ?? "");
  let drafts: Draft[] = [];
  try {
    drafts = JSON.parse(localStorage.getItem(key) ?? "[]") as Draft[];
  } catch {
    localStorage.removeItem(key);
  }
  let found = false;
  for (const { name, text } of drafts) {
    const field = fields(form).find((candidate) => candidate.name === name);
    if (!field || field.value.replaceAll("\r\n", "\n").trim() === text.trim()) continue; // the server has it
    field.value = text;
    found = true;
  }
  if (found) say(form, "found");
  else localStorage.removeItem(key);
}

const waiting = new Set<HTMLFormElement>();

for (const form of document.querySelectorAll<HTMLFormElement>("form[data-draft]")) {
  restore(form);
  form.addEventListener("input", () => keep(form));
}

document.addEventListener(
  "submit",
  (event) => {
    const form = event.target as HTMLFormElement;
    if (form.dataset["draft"] === undefined || navigator.onLine) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    waiting.add(form);
    say(form, "offline");
  },
  true,
);
window.addEventListener("online", () => {
  for (const form of waiting) if (form.isConnected) form.requestSubmit();
  waiting.clear();
});

// A sheet can be printed where there is a printer to ask.
for (const button of document.querySelectorAll<HTMLElement>("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
export {};
