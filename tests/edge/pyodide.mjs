/** Starts npm Pyodide in Node, with a folder of this machine on Python's path for each of `folders`. */

import { createRequire } from "node:module";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(new URL("../../web/package.json", import.meta.url));
const home = dirname(require.resolve("pyodide/package.json"));

/** @param {string[]} folders in the path's order */
export async function startPython(folders) {
  const { loadPyodide } = await import(pathToFileURL(`${home}/pyodide.mjs`).href);
  const python = await loadPyodide({ indexURL: home, env: { PYTHONDONTWRITEBYTECODE: "1" } });
  const path = python.pyimport("sys").path;
  folders.forEach((folder, place) => {
    python.mountNodeFS(`/path/${place}`, folder);
    path.insert(place, `/path/${place}`);
  });
  return python;
}

/**
 * Runs `work` and prints what it gives as one JSON object. An error is printed without its source:
 * Node would show the line of a bundled file that is a megabyte long.
 * @param {() => Promise<unknown>} work
 */
export async function report(work) {
  try {
    console.log(JSON.stringify(await work()));
  } catch (error) {
    console.error(String(error?.stack ?? error).slice(-8000));
    process.exitCode = 1;
  }
}
