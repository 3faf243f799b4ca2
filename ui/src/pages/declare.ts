// The declaration portal: a room found by typing, a text that a lost
// connection does not lose.
//
// The browser keeps the text only (the sentence and the details), under the
// account that typed it, until the declaration is confirmed or the account
// signs out: a school's machines are shared.

const prefix = "declare-draft:"; // "draft:" is that of texts of work (draft.ts)

interface Draft {
  title: string;
  description: string;
}

function fold(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

// Rooms: typing filters, whatever the accents, and shows the others.
document.addEventListener("input", (event) => {
  const filter = (event.target as HTMLElement).closest<HTMLInputElement>("[data-room-filter]");
  const set = filter?.closest("fieldset");
  if (!filter || !set) return;
  const words = fold(filter.value).split(/\s+/).filter(Boolean);
  let found = 0;
  for (const choice of set.querySelectorAll<HTMLElement>(".choice")) {
    const radio = choice.querySelector("input");
    const shown = radio?.value === "" || radio?.checked === true || words.every((word) => fold(choice.textContent ?? "").includes(word));
    choice.hidden = !shown;
    if (shown && radio?.value !== "") found++;
  }
  const others = set.querySelector("details");
  if (others && words.length > 0) others.open = true;
  const none = set.querySelector<HTMLElement>("[data-room-none]");
  if (none) none.hidden = found > 0;
});
// Enter in the filter takes the only room left, and does not send the form.
document.addEventListener("keydown", (event) => {
  const filter = (event.target as HTMLElement).closest?.<HTMLInputElement>("[data-room-filter]");
  if (!filter || event.key !== "Enter") return;
  event.preventDefault();
  const first = [...(filter.closest("fieldset")?.querySelectorAll<HTMLElement>(".choice") ?? [])].find((choice) => choice.checkVisibility() && choice.querySelector("input")?.value !== "");
  first?.querySelector("input")?.click();
  first?.querySelector("input")?.focus();
});

function drop(key: string): void {
  localStorage.removeItem(key);
}

// A declaration that was confirmed leaves nothing; neither does who signs out.
for (const element of document.querySelectorAll<HTMLElement>("[data-draft-clear]")) drop(prefix + element.dataset["draftClear"]);
document.addEventListener("submit", (event) => {
  if (!(event.target as HTMLFormElement).getAttribute("action")?.endsWith("/logout")) return;
  for (const key of Object.keys(localStorage)) if (key.startsWith(prefix)) drop(key);
});

const form = document.querySelector<HTMLFormElement>("form[data-declare-draft]");
if (form) guard(form, prefix + form.dataset["declareDraft"]);

// Solved by an article: nothing is declared, nothing is kept.
form?.addEventListener("submit", (event) => {
  if (event.submitter?.getAttribute("name") === "solved") drop(prefix + (form.dataset["declareDraft"] ?? ""));
});

function guard(form: HTMLFormElement, key: string): void {
  const title = form.querySelector<HTMLInputElement>("[name=title]");
  const details = form.querySelector<HTMLTextAreaElement>("[name=description]");
  const state = form.querySelector<HTMLElement>("[data-draft-state]");
  const offer = form.querySelector<HTMLElement>("[data-draft-found]");

  const say = (what: "offline" | "sending" | "kept" | "") => {
    if (!state) return;
    state.hidden = what === "";
    state.classList.toggle("away", what === "offline");
    state.textContent = what === "" ? "" : (state.dataset[what] ?? "");
  };

  const keep = () => {
    const draft: Draft = { title: title?.value ?? "", description: details?.value ?? "" };
    if (draft.title === "" && draft.description === "") drop(key);
    else localStorage.setItem(key, JSON.stringify(draft));
  };
  form.addEventListener("input", (event) => {
    if (event.target === title || event.target === details) keep();
  });

  const read = (): Draft | undefined => {
    try {
      const kept = JSON.parse(localStorage.getItem(key) ?? "null") as Partial<Draft> | null;
      if (kept && typeof kept.title === "string" && typeof kept.description === "string") return { title: kept.title, description: kept.description };
    } catch {
      drop(key);
    }
    return undefined;
  };
  const kept = read();
  if (kept && offer && title?.value === "") {
    const text = offer.querySelector("[data-draft-text]");
    if (text) text.textContent = kept.title || kept.description.slice(0, 80);
    offer.hidden = false;
    offer.querySelector("[data-draft-take]")?.addEventListener("click", () => {
      title.value = kept.title;
      if (details && kept.description !== "") {
        details.value = kept.description;
        const more = details.closest("details");
        if (more) more.open = true;
      }
      offer.hidden = true;
      title.focus();
    });
    offer.querySelector("[data-draft-drop]")?.addEventListener("click", () => {
      drop(key);
      offer.hidden = true;
      title.focus();
    });
  }

  // Before sending, the server is asked whether it can be reached: a browser
  // that believes itself online may have no network, and its own error page
  // would take the form away. What waits is sent when the network is back.
  let waiting = false;
  let busy = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const reachable = async (): Promise<boolean> => {
    if (!navigator.onLine) return false;
    try {
      await fetch("/healthz", { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(4000) });
      return true;
    } catch {
      return false;
    }
  };
  const send = async () => {
    if (busy) return;
    busy = true;
    clearTimeout(timer);
    say("sending");
    if (await reachable()) {
      form.setAttribute("aria-busy", "true");
      form.submit();
      return; // stays busy: sent once
    }
    busy = false;
    waiting = true;
    say("offline");
    timer = setTimeout(() => void send(), 5000);
  };
  form.addEventListener("submit", (event) => {
    const submitter = event.submitter as HTMLButtonElement | null;
    if (submitter?.hasAttribute("formaction")) {
      return; // joins an incident that is already reported
    }
    event.preventDefault();
    keep();
    void send();
  });
  window.addEventListener("online", () => {
    if (waiting) void send();
    else say("");
  });
  window.addEventListener("offline", () => {
    keep();
    say(waiting ? "offline" : "kept");
  });
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    busy = waiting = false;
    say("");
  });
  document.getElementById("asked")?.focus();
}
