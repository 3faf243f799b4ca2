// Relative times stay true: <time data-relative datetime="…">il y a 3 min</time>.
// Past a day the server's words are left as they are.
const lang = document.documentElement.lang || "fr";
const words = new Intl.RelativeTimeFormat(lang, { style: "short", numeric: "auto" });

function tick(): void {
  for (const element of document.querySelectorAll<HTMLTimeElement>("time[data-relative]")) {
    const minutes = Math.round((Date.parse(element.dateTime) - Date.now()) / 60_000);
    if (Number.isNaN(minutes) || minutes === 0 || Math.abs(minutes) >= 24 * 60) continue;
    const text = Math.abs(minutes) < 60 ? words.format(minutes, "minute") : words.format(Math.round(minutes / 60), "hour");
    if (element.textContent !== text) element.textContent = text;
  }
}

setInterval(() => {
  if (document.visibilityState === "visible") tick();
}, 30_000);
