// Labels: ticking all rooms, or none.
document.addEventListener("click", (event) => {
  const button = (event.target as Element).closest<HTMLElement>("[data-check-all], [data-check-none]");
  const set = button?.closest("fieldset");
  if (!button || !set) return;
  for (const box of set.querySelectorAll<HTMLInputElement>("input[type=checkbox]")) box.checked = button.dataset["checkAll"] !== undefined;
});
