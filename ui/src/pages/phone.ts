// Phone entry: one field finds who calls (combobox), Enter takes the first and
// goes on to what is wrong, Enter again notes the call. A clock shows how long
// it lasts.
import { htmx } from "../hypermedia";

const form = document.querySelector<HTMLFormElement>("form[data-phone]");
if (form) enter(form);

function enter(form: HTMLFormElement): void {
  const who = form.querySelector<HTMLInputElement>("[name=who]");
  const list = form.querySelector<HTMLElement>("#phone-list");
  const title = form.querySelector<HTMLInputElement>("[name=title]");
  const timer = form.querySelector<HTMLOutputElement>("[data-timer]");
  const began = form.querySelector<HTMLInputElement>("[data-began]");
  if (!who || !list || !title) return;
  // Without script the matches are radio buttons of the form; here the list has them.
  form.querySelector(".phone-who fieldset")?.remove();

  who.setAttribute("role", "combobox");
  who.setAttribute("aria-autocomplete", "list");
  who.setAttribute("aria-controls", list.id);
  who.setAttribute("aria-expanded", "false");
  who.autocomplete = "off";

  let at = -1;
  let asked = 0;
  let since = 0;
  let waiting: ReturnType<typeof setTimeout> | undefined;
  let pending: Promise<void> = Promise.resolve();
  const options = () => [...list.querySelectorAll<HTMLElement>("[role=option]")];

  const mark = (to: number) => {
    const all = options();
    at = all.length === 0 ? -1 : (to + all.length) % all.length;
    all.forEach((option, i) => option.setAttribute("aria-selected", String(i === at)));
    const now = all[at];
    if (now) who.setAttribute("aria-activedescendant", now.id);
    else who.removeAttribute("aria-activedescendant");
    now?.scrollIntoView({ block: "nearest" });
  };
  const close = () => {
    list.hidden = true;
    who.setAttribute("aria-expanded", "false");
    who.removeAttribute("aria-activedescendant");
  };
  const look = async () => {
    const mine = ++asked;
    const answer = await fetch(`/phone/who?who=${encodeURIComponent(who.value)}`, { headers: { "Hx-Request": "true" } });
    if (mine !== asked || !answer.ok) return;
    const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
    list.replaceChildren(...parsed.querySelectorAll("[role=option]"));
    list.hidden = options().length === 0;
    who.setAttribute("aria-expanded", String(!list.hidden));
    mark(0);
  };
  const choose = (option: HTMLElement | undefined) => {
    if (!option) return;
    who.value = option.dataset["name"] ?? "";
    close();
    title.focus();
    void htmx.ajax("get", `/phone?caller=${encodeURIComponent(option.dataset["value"] ?? "")}`, { target: "#phone-rest", select: "#phone-rest", swap: "outerHTML" });
    const caller = form.querySelector<HTMLInputElement>("#phone-rest [name=caller]");
    if (caller) caller.value = option.dataset["value"] ?? "";
  };

  who.addEventListener("input", () => {
    start();
    clearTimeout(waiting);
    const caller = form.querySelector<HTMLInputElement>("#phone-rest [name=caller]");
    if (caller) caller.value = "";
    waiting = setTimeout(() => {
      waiting = undefined;
      pending = look();
    }, 120);
  });
  who.addEventListener("keydown", (event) => {
    switch (event.key) {
      case "ArrowDown":
      case "ArrowUp":
        event.preventDefault();
        mark(at + (event.key === "ArrowDown" ? 1 : -1));
        break;
      case "Escape":
        close();
        break;
      case "Enter": {
        event.preventDefault();
        // Typed faster than the answer comes: wait for it, then take the first.
        if (waiting !== undefined) {
          clearTimeout(waiting);
          waiting = undefined;
          pending = look();
        }
        void pending.then(() => choose(options()[Math.max(at, 0)]));
        break;
      }
    }
  });
  list.addEventListener("mousedown", (event) => {
    event.preventDefault(); // the field keeps the focus
    choose((event.target as Element).closest<HTMLElement>("[role=option]") ?? undefined);
  });
  who.addEventListener("blur", close);
  // Typed while the page was still coming: looked up now.
  if (who.value !== "" && who === document.activeElement) {
    start();
    pending = look();
  }

  templates(form, title, start);

  // Enter notes the call from a list too, where some browsers would open it.
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.target instanceof HTMLSelectElement)) return;
    event.preventDefault();
    form.requestSubmit();
  });

  function start(): void {
    if (since > 0 || !timer || !began) return;
    since = Date.now();
    began.value = String(since);
    timer.hidden = false;
    setInterval(() => {
      const seconds = Math.floor((Date.now() - since) / 1000);
      timer.value = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    }, 1000);
  }
}

// Templates: "/" at the beginning of the sentence lists them, more letters
// narrow, Enter fills the call in.
function templates(form: HTMLFormElement, title: HTMLInputElement, start: () => void): void {
  const list = form.querySelector<HTMLElement>("#phone-templates");
  const chosen = form.querySelector<HTMLInputElement>("[data-template]");
  if (!list || !chosen) return;
  const fold = (text: string) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const all = [...list.querySelectorAll<HTMLElement>("[role=option]")];
  let at = 0;
  const shown = () => all.filter((option) => !option.hidden);
  const mark = (to: number) => {
    const some = shown();
    at = some.length === 0 ? -1 : (to + some.length) % some.length;
    for (const option of all) option.setAttribute("aria-selected", String(option === some[at]));
    const now = some[at];
    if (now) title.setAttribute("aria-activedescendant", now.id);
    else title.removeAttribute("aria-activedescendant");
    now?.scrollIntoView({ block: "nearest" });
  };
  const close = () => {
    list.hidden = true;
    title.setAttribute("aria-expanded", "false");
    title.removeAttribute("aria-activedescendant");
  };
  title.setAttribute("role", "combobox");
  title.setAttribute("aria-autocomplete", "list");
  title.setAttribute("aria-controls", list.id);
  close();

  const look = () => {
    if (!title.value.startsWith("/")) return close();
    const words = fold(title.value.slice(1)).split(/\s+/).filter(Boolean);
    for (const option of all) option.hidden = !words.every((word) => fold(option.textContent ?? "").includes(word));
    list.hidden = shown().length === 0;
    title.setAttribute("aria-expanded", String(!list.hidden));
    mark(0);
  };
  const fill = (option: HTMLElement | undefined) => {
    if (!option) return;
    const data = option.dataset;
    close();
    chosen.value = data["value"] ?? "";
    title.value = data["title"] ?? "";
    const details = form.querySelector<HTMLTextAreaElement>("[name=description]");
    if (details && data["description"]) details.value = data["description"];
    const urgency = form.querySelector<HTMLInputElement>(`[name=urgency][value="${CSS.escape(data["urgency"] ?? "")}"]`);
    if (urgency) urgency.checked = true;
    const kind = form.querySelector<HTMLSelectElement>("[name=category]");
    if (kind && data["category"]) kind.value = data["category"];
    title.focus();
    title.setSelectionRange(title.value.length, title.value.length);
  };
  title.addEventListener("input", () => {
    start();
    look();
  });
  title.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") mark(at + (event.key === "ArrowDown" ? 1 : -1));
    else if (event.key === "Enter") fill(shown()[Math.max(at, 0)]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  });
  list.addEventListener("mousedown", (event) => {
    event.preventDefault();
    fill((event.target as Element).closest<HTMLElement>("[role=option]") ?? undefined);
  });
  title.addEventListener("blur", close);
  form.querySelector("[data-templates]")?.addEventListener("click", () => {
    title.focus();
    if (!title.value.startsWith("/")) title.value = "/";
    look();
  });
}
