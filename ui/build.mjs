// Builds scripts, styles, fonts and icons into the folder that the program
// embeds, under names that hold a hash of their content, with a manifest that
// gives each file's name. Called by build.sh.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = join(here, "..", "internal", "web", "static");
const manifest = { files: {}, icons: [] };

mkdirSync(out, { recursive: true });
for (const name of readdirSync(out)) {
  if (name !== ".keep") rmSync(join(out, name), { recursive: true });
}

/** Writes a file under a hashed name and notes it in the manifest. */
function put(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 10).toUpperCase();
  const hashed = name.replace(/\.(?=[^.]+$)/, `-${hash}.`);
  writeFileSync(join(out, hashed), content);
  manifest.files[name] = hashed;
}

function list(folder, ext) {
  if (!existsSync(join(here, folder))) return []; // git keeps no empty folder
  return readdirSync(join(here, folder)).filter((n) => n.endsWith(ext)).sort().map((n) => `./${folder}/${n}`);
}

// Styles: the layers in order, then every page's file by itself.
const layers = ["tokens", "base", "shell", "components", "chart"].map((n) => `./css/${n}.css`).filter((n) => existsSync(join(here, n)));
const styles = [
  "@fontsource-variable/atkinson-hyperlegible-next/wght.css",
  ...layers, ...list("css/pages", ".css"), "./css/print.css",
].map((n) => `@import "${n}";`).join("\n");

// Scripts: the ground, then every page's file by itself.
const scripts = ["./src/app.ts", ...list("src/pages", ".ts")].map((n) => `import "${n}";`).join("\n");

for (const [contents, loader, name] of [[styles, "css", "app.css"], [scripts, "ts", "app.js"]]) {
  const result = await build({
    stdin: { contents, loader, resolveDir: here, sourcefile: name },
    outdir: out,
    entryNames: "app-[hash]",
    assetNames: "[name]-[hash]",
    bundle: true,
    minify: true,
    format: "esm",
    target: ["chrome123", "firefox120", "safari17.5"],
    loader: { ".woff2": "file" },
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  for (const path of Object.keys(result.metafile.outputs)) {
    const file = basename(path);
    if (file.startsWith("app-")) manifest.files[name] = file;
    else manifest.files[file.replace(/-[A-Z0-9]{8}(?=\.)/, "")] = file;
  }
}

// Icons: one sprite of the names listed.
const symbols = [];
for (const line of readFileSync(join(here, "icons.txt"), "utf8").split("\n")) {
  const name = line.trim();
  if (name === "" || name.startsWith("#")) continue;
  const svg = readFileSync(join(here, "node_modules/lucide-static/icons", `${name}.svg`), "utf8");
  const body = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>")).replace(/\s+/g, " ").trim();
  symbols.push(`<symbol id="${name}" viewBox="0 0 24 24">${body}</symbol>`);
  manifest.icons.push(name);
}
put("icons.svg", `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`);
put("mark.svg", readFileSync(join(here, "mark.svg")));

// The licences of what is embedded travel with it.
const licences = [
  ["Atkinson Hyperlegible Next (font)", "@fontsource-variable/atkinson-hyperlegible-next/LICENSE"],
  ["htmx", "htmx.org/LICENSE"],
  ["idiomorph", "idiomorph/LICENSE"],
  ["Lucide (icons)", "lucide-static/LICENSE"],
].map(([title, path]) => `${title}\n${"=".repeat(title.length)}\n\n${readFileSync(join(here, "node_modules", path), "utf8").trim()}\n`);
put("licences.txt", licences.join("\n\n"));

writeFileSync(join(out, "manifest.json"), JSON.stringify(manifest, null, 1) + "\n");
