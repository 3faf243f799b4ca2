// Theme and navigation answer at once; the server keeps them.
const root = document.documentElement;

document.addEventListener("change", (event) => {
  const input = event.target as HTMLInputElement;
  if (input.name !== "theme" || !input.closest("form[data-look]")) return;
  if (input.value === "") delete root.dataset["theme"];
  else root.dataset["theme"] = input.value;
});

document.addEventListener("submit", (event) => {
  const form = event.target as HTMLFormElement;
  if (!form.matches("form[data-nav-toggle]")) return;
  event.preventDefault();
  const slim = root.dataset["nav"] !== "slim";
  if (slim) root.dataset["nav"] = "slim";
  else delete root.dataset["nav"];
  document.cookie = `nav=${slim ? "slim" : "wide"}; path=/; max-age=31536000; samesite=lax`;
});
