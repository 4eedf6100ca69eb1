/** Starts npm Pyodide in Node with folders of this machine on Python's path. */

import { createRequire } from "node:module";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(new URL("../../web/package.json", import.meta.url));
const home = dirname(require.resolve("pyodide/package.json"));

/**
 * @param {Record<string, string>} folders mount point in Pyodide -> folder here, in the path's order
 */
export async function startPython(folders) {
  const { loadPyodide } = await import(pathToFileURL(`${home}/pyodide.mjs`).href);
  const python = await loadPyodide({
    indexURL: home,
    env: { PYTHONDONTWRITEBYTECODE: "1", PYTHONPATH: Object.keys(folders).join(":") },
  });
  for (const [inside, outside] of Object.entries(folders)) python.mountNodeFS(inside, outside);
  return python;
}
