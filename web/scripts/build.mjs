/**
 * `npm run build`: everything that the gateway serves, into dist/.
 *
 *   loader.js, sw.js          single files under fixed names; loaders/ has those of earlier releases
 *   panel.html, greeter.html, console.html, preview.html
 *                             documents over hashed files
 *   assets/                   those files; py/ holds Python
 *   precache.json             what a page needs without a network, and the build's hash
 *   *.br                      beside each file over 1 kB
 *
 * Nothing is done when no input changed. The Python pack and each compressed file are kept by content,
 * so that a change elsewhere costs seconds. dist/ is replaced as a whole, once all of it is there.
 * `--watch` builds again on each change.
 */

import { watch } from "node:fs";
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { compressAll } from "./brotli.mjs";
import { buildDocument, buildScript } from "./bundle.mjs";
import { keepLoaders, packLoader } from "./loader.mjs";
import { buildPythonPack, digest, ourFiles } from "./python_pack.mjs";
import { buildEngine } from "./wllama_parts.mjs";

const WEB = fileURLToPath(new URL("..", import.meta.url));
const DIST = join(WEB, "dist");
const CACHE = join(WEB, ".cache");
const INPUTS = [
  ...["src", "scripts", "py", "loaders"],
  ...["panel.html", "greeter.html", "console.html", "preview.html", "package-lock.json"],
];
const SOURCES = {
  script: join(WEB, "py/pack.py"),
  host: join(WEB, "py/host.py"),
  packages: [resolve(WEB, "../kb"), resolve(WEB, "../core")],
};

/** @param {string} folder @returns {Promise<string[]>} paths of all files under it, in order */
async function filesUnder(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => join(entry.parentPath, entry.name)).sort();
}

/** One hash over everything that the build reads. */
async function inputHash() {
  /** @type {(string | Uint8Array)[]} */
  const parts = [];
  for (const input of INPUTS) {
    const path = join(WEB, input);
    const files = await filesUnder(path).catch(() => [path]); // not a folder, so a file
    for (const file of files) parts.push(relative(WEB, file), await readFile(file));
  }
  return digest(...parts, ...[...(await ourFiles(SOURCES))].flat());
}

/** @param {string} out @param {(line: string) => void} say */
async function buildInto(out, say) {
  const pack = await buildPythonPack(SOURCES, join(CACHE, "py"), say);
  const python = pack.files.map((file) => `/assets/py/${file}`);
  for (const file of pack.files) {
    await cp(join(CACHE, "py", file), join(out, "assets/py", file));
  }
  say("bundling the panel, the console, the loader and the service worker");
  const wllama = await buildEngine(out);
  const urls = {
    runtime: `/assets/py/${pack.runtime}/`,
    stdlib: `/assets/py/${pack.stdlib}`,
    lock: pack.lock,
  };
  const parts = { python: urls, wllama };
  const files = await buildDocument("panel.html", out, parts);
  await buildDocument("greeter.html", out, parts);
  await buildDocument("console.html", out, parts);
  await buildDocument("preview.html", out, parts);
  await buildScript("src/loader/main.ts", "loader.js", out);
  await buildScript("src/sw/main.ts", "sw.js", out);
  await keepLoaders(join(WEB, "loaders"), join(out, "loaders"));

  // What a model needs is stored with the model, not with the page.
  const isEngine = (/** @type {string} */ file) => /\/(?:wllama|models)[-/]/.test(file);
  const isGpu = (/** @type {string} */ file) => /\/webllm_worker-/.test(file);
  const isEncoder = (/** @type {string} */ file) => /\/(?:encoder_worker|ort-wasm)-/.test(file);
  const panel = files.filter((file) => !(isEngine(file) || isGpu(file) || isEncoder(file)));
  const engine = [...files.filter(isEngine), ...Object.values(wllama)];
  const webllm = files.filter(isGpu);
  const encoder = files.filter(isEncoder);
  const stored = [...panel, ...python, ...engine, ...webllm, ...encoder];
  const build = digest(await readFile(join(out, "panel.html")), ...stored);
  const list = JSON.stringify({ build, panel, python, engine, webllm, encoder });
  await writeFile(join(out, "precache.json"), list);
  await writeFile(join(out, `assets/precache-${build}.json`), list);
}

/** @param {Map<string, number>} sizes @param {string} out @param {(line: string) => void} say */
function report(sizes, out, say) {
  const sum = (/** @type {(path: string) => boolean} */ of) => {
    let bytes = 0;
    for (const [path, size] of sizes) if (of(relative(out, path))) bytes += size;
    return `${(bytes / 1024).toFixed(1)} KiB`;
  };
  const python = sum((path) => path.startsWith("assets/py/"));
  const parts = [`loader ${sum((path) => path === "loader.js")}`, `Python ${python}`];
  say(`built; under brotli: ${parts.join(", ")}`);
}

async function main() {
  const began = Date.now();
  /** @param {string} line */
  const say = (line) => console.log(`[${((Date.now() - began) / 1000).toFixed(1)} s] ${line}`);
  const stamp = join(DIST, ".stamp");
  const hash = await inputHash();
  if ((await readFile(stamp, "utf8").catch(() => "")) === hash) {
    say("web: nothing changed");
    return;
  }
  const out = join(CACHE, "dist");
  await rm(out, { recursive: true, force: true });
  await mkdir(join(out, "assets"), { recursive: true });
  await buildInto(out, say);
  const files = await filesUnder(out);
  const loaders = files.filter((path) => /^loader(\.js$|s\/)/.test(relative(out, path)));
  const others = files.filter((path) => !loaders.includes(path));
  const sizes = await compressAll(others, join(CACHE, "br"), say);
  for (const path of loaders) sizes.set(path, await packLoader(path));
  await writeFile(join(out, ".stamp"), hash);
  await rm(DIST, { recursive: true, force: true });
  await rename(out, DIST);
  report(sizes, out, say);
}

async function watching() {
  let running = Promise.resolve();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let soon;
  const again = () => {
    clearTimeout(soon);
    soon = setTimeout(() => {
      running = running.then(main).catch((error) => console.error(String(error)));
    }, 150);
  };
  for (const folder of [join(WEB, "src"), join(WEB, "py"), ...SOURCES.packages]) {
    watch(folder, { recursive: true }, again);
  }
  again();
}

await (process.argv.includes("--watch") ? watching() : main());
