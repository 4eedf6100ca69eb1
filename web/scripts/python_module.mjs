/**
 * `virtual:fanlight-python`: where the built Python pack lies, as a module that the panel imports.
 *
 * The pack's names carry the hash of their content, so they are known only once it is built; the
 * build passes them in, and unit tests get names that never resolve.
 */

const ID = "virtual:fanlight-python";

/** @typedef {import("../src/engines/kb/protocol.ts").PythonUrls} PythonUrls */

/**
 * @param {PythonUrls} urls
 * @returns {import("vite").Plugin}
 */
export function pythonPack(urls) {
  return {
    name: "fanlight-python-pack",
    resolveId: (id) => (id === ID ? `\0${ID}` : undefined),
    load: (id) =>
      id === `\0${ID}`
        ? `export const PYTHON = Object.freeze(${JSON.stringify(urls)});`
        : undefined,
  };
}

/** @returns {import("vite").Plugin} */
export function pythonPackStandIn() {
  return pythonPack({
    runtime: "/assets/py/test/",
    stdlib: "/assets/py/test/stdlib.zip",
    lock: { info: { abi_version: "", arch: "", platform: "", python: "" }, packages: {} },
  });
}
