// Files of a form: chosen, photographed, pasted or dropped; each can be left
// out again before it is sent. Without script the plain controls do.

const chosen = new WeakMap<HTMLElement, File[]>();

function say(text: string, name: string): string {
  return text.replace("{name}", name);
}

function show(box: HTMLElement, refused: string): void {
  const files = chosen.get(box) ?? [];
  const input = box.querySelector<HTMLInputElement>("input[type=file][multiple]");
  if (!input) return;
  const bag = new DataTransfer();
  for (const file of files) bag.items.add(file);
  input.files = bag.files;
  let list = box.querySelector<HTMLUListElement>(".files-chosen");
  if (!list) {
    list = document.createElement("ul");
    list.className = "files-chosen";
    list.setAttribute("aria-label", box.dataset["list"] ?? "");
    box.append(list);
  }
  for (const img of list.querySelectorAll("img")) URL.revokeObjectURL(img.src);
  list.replaceChildren(
    ...files.map((file) => {
      const item = document.createElement("li");
      const name = document.createElement("span");
      name.textContent = file.name;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn btn-quiet";
      button.textContent = "×";
      button.setAttribute("aria-label", say(box.dataset["takeOff"] ?? "", file.name));
      button.addEventListener("click", () => {
        chosen.set(box, files.filter((f) => f !== file));
        show(box, "");
        input.focus();
      });
      item.append(name, button);
      return item;
    }),
  );
  let alert = box.querySelector<HTMLElement>(".files-refused");
  if (!alert) {
    alert = document.createElement("p");
    alert.className = "field-error files-refused";
    alert.setAttribute("role", "alert");
    box.append(alert);
  }
  alert.textContent = refused;
  alert.hidden = refused === "";
}

function add(box: HTMLElement, more: Iterable<File>): void {
  const files = [...(chosen.get(box) ?? [])];
  const most = Number(box.dataset["most"]) - box.querySelectorAll(".files-kept input:checked").length;
  const bytes = Number(box.dataset["maxMb"]) * 1024 * 1024;
  let refused = "";
  for (const file of more) {
    if (file.size > bytes) refused = say(box.dataset["tooLarge"] ?? "", file.name);
    else if (files.length >= most) refused = box.dataset["tooMany"] ?? "";
    else if (!files.some((f) => f.name === file.name && f.size === file.size && f.lastModified === file.lastModified)) files.push(file);
  }
  chosen.set(box, files);
  show(box, refused);
}

document.addEventListener("change", (event) => {
  const input = event.target as HTMLInputElement;
  const box = input.type === "file" ? input.closest<HTMLElement>("[data-files]") : null;
  if (!box || !input.files) return;
  const more = [...input.files];
  if (!input.multiple) input.value = ""; // the camera's: its photo goes with the others
  add(box, more);
});

function boxOf(target: EventTarget | null): HTMLElement | null {
  return (target as Element | null)?.closest?.("form")?.querySelector<HTMLElement>("[data-files]") ?? null;
}

document.addEventListener("paste", (event) => {
  const box = boxOf(event.target);
  const files = [...(event.clipboardData?.files ?? [])];
  if (!box || files.length === 0) return;
  event.preventDefault();
  add(box, files);
});

document.addEventListener("dragover", (event) => {
  const box = boxOf(event.target);
  if (!box || !event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  box.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => boxOf(event.target)?.classList.remove("dropping"));
document.addEventListener("drop", (event) => {
  const box = boxOf(event.target);
  if (!box || !event.dataTransfer?.files.length) return;
  event.preventDefault();
  box.classList.remove("dropping");
  add(box, event.dataTransfer.files);
});
document.addEventListener("reset", (event) => {
  const box = (event.target as Element).querySelector<HTMLElement>("[data-files]");
  if (box) {
    chosen.delete(box);
    show(box, "");
  }
});
