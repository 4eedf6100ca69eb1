/**
 * Builds what Pyodide loads in the browser: its wasm and glue as they come, and one zip with the
 * standard library that we need and our own code, compiled to bytecode by the same interpreter.
 *
 * Everything is named by its content. The runtime's names change with Pyodide only, the zip's with
 * our code, so that a new release of ours costs a visitor no new wasm.
 */

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join, relative, sep } from "node:path";
import { loadPyodide } from "pyodide";

const PYODIDE = dirname(createRequire(import.meta.url).resolve("pyodide/package.json"));
/** What modules of `core` read; the data in `kb` is for building, and the demo's. */
const DATA = /^core\/.*\.json$/;
const RUNTIME = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm"];

/** @typedef {import("../src/engines/kb/protocol.ts").PythonLock} PythonLock */

/**
 * @typedef {object} PackSources
 * @property {string} script py/pack.py
 * @property {string} host py/host.py
 * @property {readonly string[]} packages folders of our import packages
 */

/** @param {...(string | Uint8Array)} parts */
export function digest(...parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex").slice(0, 16);
}

/**
 * Our files as the zip will hold them: modules, and the data that modules read, but no demo content.
 * @param {PackSources} sources
 * @returns {Promise<Map<string, Uint8Array>>}
 */
export async function ourFiles(sources) {
  /** @type {Map<string, Uint8Array>} */
  const files = new Map([["host.py", await readFile(sources.host)]]);
  for (const folder of sources.packages) {
    const root = dirname(folder);
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      const name = relative(root, path).split(sep).join("/");
      const wanted = name.endsWith(".py") || DATA.test(name);
      if (entry.isFile() && wanted) files.set(name, await readFile(path));
    }
  }
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * What the pack is made from, as one hash: equal hashes give an equal pack.
 * @param {PackSources} sources
 * @param {Map<string, Uint8Array>} files
 */
async function inputHash(sources, files) {
  const version = await readFile(join(PYODIDE, "package.json"));
  const self = await readFile(new URL(import.meta.url));
  return digest(version, self, await readFile(sources.script), ...[...files].flat());
}

/**
 * @param {PackSources} sources
 * @param {Map<string, Uint8Array>} files
 * @returns {Promise<Uint8Array>}
 */
async function compileZip(sources, files) {
  const stock = await readFile(join(PYODIDE, "python_stdlib.zip"));
  const pyodide = await loadPyodide({ indexURL: PYODIDE });
  const inputs = new Map([
    ["stock.zip", stock],
    ["pack.py", await readFile(sources.script)],
  ]);
  for (const [name, data] of files) inputs.set(`ours/${name}`, Buffer.from(data));
  for (const [name, data] of inputs) {
    pyodide.FS.mkdirTree(dirname(`/pack/${name}`));
    pyodide.FS.writeFile(`/pack/${name}`, data);
  }
  pyodide.runPython("import sys; sys.path.insert(0, '/pack')");
  pyodide.pyimport("pack").pack("/pack/stock.zip", "/pack/ours", "/pack/made.zip");
  return pyodide.FS.readFile("/pack/made.zip");
}

/** @param {string} folder */
async function writeRuntime(folder) {
  const contents = await Promise.all(RUNTIME.map((name) => readFile(join(PYODIDE, name))));
  const name = `runtime-${digest(...contents)}`;
  await mkdir(join(folder, name), { recursive: true });
  await Promise.all(
    RUNTIME.map((file, i) => writeFile(join(folder, name, file), contents[i] ?? "")),
  );
  return name;
}

/**
 * The lock that Pyodide asks for: its interpreter's tags, and no packages.
 * @returns {Promise<PythonLock>}
 */
async function lock() {
  const text = await readFile(join(PYODIDE, "pyodide-lock.json"), "utf8");
  const { abi_version, arch, platform, python } = JSON.parse(text).info;
  return { info: { abi_version, arch, platform, python }, packages: {} };
}

/** @param {string} folder @param {readonly string[]} kept names in it that stay */
async function dropOthers(folder, kept) {
  const stale = (await readdir(folder)).filter((name) => !kept.includes(name));
  await Promise.all(stale.map((name) => rm(join(folder, name), { recursive: true })));
}

/**
 * Builds the pack into `folder`, or leaves it when the inputs have not changed.
 * @param {PackSources} sources
 * @param {string} folder
 * @param {(line: string) => void} say
 * @returns {Promise<{runtime: string, stdlib: string, lock: PythonLock, files: string[]}>}
 */
export async function buildPythonPack(sources, folder, say) {
  const files = await ourFiles(sources);
  const hash = await inputHash(sources, files);
  const stamp = join(folder, "pack.json");
  const known = await readFile(stamp, "utf8").then(JSON.parse, () => null);
  if (known?.hash === hash) return known.pack;

  say("python: compiling the standard library and our packages");
  const zip = await compileZip(sources, files);
  await mkdir(folder, { recursive: true });
  const runtime = await writeRuntime(folder);
  const stdlib = `stdlib-${digest(zip)}.zip`;
  await writeFile(join(folder, stdlib), zip);
  const pack = {
    runtime,
    stdlib,
    lock: await lock(),
    files: [...RUNTIME.map((name) => `${runtime}/${name}`), stdlib],
  };
  await writeFile(stamp, JSON.stringify({ hash, pack }));
  await dropOthers(folder, [runtime, stdlib, basename(stamp)]);
  say(`python: ${stdlib}, ${Math.round(zip.length / 1024)} KiB`);
  return pack;
}
