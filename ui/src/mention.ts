// "@name" in a comment: while a name is typed after "@", those who can be called
// are proposed (data-mention is where to ask). Arrows choose, Enter or Tab
// takes, Escape leaves; typing the whole name works as well.

let list: HTMLUListElement | null = null;
let area: HTMLTextAreaElement | null = null;
let from = -1;
let asked = 0;

function close(): void {
  list?.remove();
  list = null;
  area?.removeAttribute("aria-controls");
  area?.removeAttribute("aria-activedescendant");
  area?.setAttribute("aria-expanded", "false");
}

// begun gives what is typed after the "@" before the caret, if there is one.
function begun(element: HTMLTextAreaElement): string | null {
  const before = element.value.slice(0, element.selectionStart);
  const match = /(^|[^\p{L}\p{N}])@([\p{L}\p{M}.'’-]*(?: [\p{L}\p{M}.'’-]*){0,2})$/u.exec(before);
  if (!match) return null;
  from = before.length - (match[2] ?? "").length;
  return match[2] ?? "";
}

function options(): HTMLLIElement[] {
  return list ? [...list.querySelectorAll<HTMLLIElement>("[role=option]")] : [];
}

function choose(at: number): void {
  const all = options();
  if (all.length === 0) return;
  const wanted = all[(at + all.length) % all.length];
  for (const option of all) option.setAttribute("aria-selected", String(option === wanted));
  if (wanted) {
    area?.setAttribute("aria-activedescendant", wanted.id);
    wanted.scrollIntoView({ block: "nearest" });
  }
}

function take(option: HTMLLIElement): void {
  if (!area) return;
  const name = (option.textContent ?? "") + " ";
  area.setRangeText(name, from, area.selectionStart, "end");
  area.dispatchEvent(new Event("input", { bubbles: true }));
  close();
  area.focus();
}

async function propose(element: HTMLTextAreaElement): Promise<void> {
  const typed = begun(element);
  const where = element.dataset["mention"];
  if (typed === null || !where) return close();
  const turn = ++asked;
  const internal = element.form?.querySelector<HTMLInputElement>("[name=internal]")?.checked ? "&internal=1" : "";
  const answer = await fetch(`${where}?q=${encodeURIComponent(typed)}${internal}`, { headers: { "Hx-Request": "true" } }).catch(() => null);
  if (turn !== asked || !answer?.ok) return;
  const html = await answer.text();
  if (turn !== asked || begun(element) === null) return;
  close();
  if (!html.includes("<li")) return;
  area = element;
  list = document.createElement("ul");
  list.id = "mention-list";
  list.className = "mention-list";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", element.labels?.[0]?.textContent ?? "@");
  list.innerHTML = html;
  for (const [n, option] of options().entries()) option.id = `mention-${n}`;
  element.after(list);
  element.setAttribute("aria-controls", list.id);
  element.setAttribute("aria-expanded", "true");
  list.addEventListener("mousedown", (event) => {
    const option = (event.target as HTMLElement).closest<HTMLLIElement>("[role=option]");
    if (option) {
      event.preventDefault();
      take(option);
    }
  });
  choose(0);
}

document.addEventListener("input", (event) => {
  const element = event.target;
  if (element instanceof HTMLTextAreaElement && element.dataset["mention"]) void propose(element);
});
document.addEventListener("focusout", (event) => {
  if (event.target === area) close();
});
document.addEventListener(
  "keydown",
  (event) => {
    if (!list || event.target !== area) return;
    const all = options();
    const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
    switch (event.key) {
      case "ArrowDown":
        choose(at + 1);
        break;
      case "ArrowUp":
        choose(at - 1);
        break;
      case "Enter":
      case "Tab": {
        const option = all[at];
        if (!option) return;
        take(option);
        break;
      }
      case "Escape":
        close();
        break;
      default:
        return;
    }
    event.preventDefault();
    event.stopPropagation();
  },
  true,
);
