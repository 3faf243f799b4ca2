// Who else has the incident open: <div data-presence="/incidents/12/presence">
// is told every 15 s that its reader is there, and whether they are writing.
const every = 15_000;
let writing = false;
let last = 0;

function part(): HTMLElement | null {
  return document.querySelector<HTMLElement>("[data-presence]");
}

async function tell(): Promise<void> {
  const element = part();
  const address = element?.dataset["presence"];
  if (!element || !address || document.hidden) return;
  last = Date.now();
  const body = new URLSearchParams(writing ? { writing: "1" } : {});
  try {
    const answer = await fetch(address, { method: "POST", body, headers: { "HX-Request": "true" } });
    if (!answer.ok || !element.isConnected) return;
    const told = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-presence]");
    if (told && told.innerHTML !== element.innerHTML) element.innerHTML = told.innerHTML;
  } catch {
    // The network is down: nobody is told, nothing is lost.
  }
}

if (part()) {
  setInterval(() => void tell(), every);
  document.addEventListener("input", (event) => {
    const typed = (event.target as HTMLElement).closest<HTMLTextAreaElement>("main form textarea, main form input[type=text]");
    if (!typed) return;
    const now = typed.value !== "";
    if (now !== writing || Date.now() - last > every) {
      writing = now;
      void tell();
    }
  });
  document.addEventListener("visibilitychange", () => void tell());
  addEventListener("pagehide", () => {
    const address = part()?.dataset["presence"];
    if (address) navigator.sendBeacon(address, new URLSearchParams({ gone: "1" }));
  });
}
