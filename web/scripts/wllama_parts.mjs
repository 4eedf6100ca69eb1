/**
 * wllama as files of our own. As it comes, it carries its worker as a text and starts it from a `blob:` address, which
 * our content security policy refuses, rightly.
 *
 * `buildEngine` writes that text as files: the worker, what its threads run, and the wasm, each named by its content.
 * The plugin takes the text out of the module and has it start the file. Where a release of wllama looks
 * otherwise than expected the build fails.
 */

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { digest } from "./python_pack.mjs";

const WLLAMA = dirname(createRequire(import.meta.url).resolve("@wllama/wllama/package.json"));
const START = fileURLToPath(new URL("../src/engines/wllama/start.ts", import.meta.url));
const ID = "virtual:fanlight-wllama";

/** @typedef {import("../src/engines/wllama/urls.ts").WllamaUrls} WllamaUrls */

/** Threads are workers that the worker starts; without a policy nothing would be let through. */
const POLICY = `self.trustedTypes?.createPolicy("default", {
  createScriptURL: (input) => (new URL(input, location.href).origin === location.origin ? input : null),
});
`;
/** What the worker is told stands in its own address. */
const OPTIONS = `const asked = new URLSearchParams(location.search);
const RUN_OPTIONS = {
  pathConfig: { "wllama.wasm": asked.get("wasm") },
  nbThread: Number(asked.get("threads")),
  script: asked.get("script"),
  compat: false,
};
`;
/** For as long as the worker runs it holds its name: whoever waits for that hears of its end (src/engines/alive.ts). */
const ALIVE = `navigator.locks?.request(self.name, () => new Promise(() => {}));
`;
/** The processor alone is used: no adapter is asked for. */
const NO_GPU = `try {
  Object.defineProperty(WorkerNavigator.prototype, "gpu", { get: () => ({ requestAdapter: async () => null }) });
} catch {}
`;

/** @param {string} text @param {string} old @param {string} now */
function replaced(text, old, now) {
  if (text.split(old).length !== 2) throw new Error(`wllama is not as expected: ${old}`);
  return text.replace(old, () => now);
}

/** @param {string} text @param {RegExp} part */
function found(text, part) {
  const match = part.exec(text);
  if (match?.[1] === undefined) throw new Error(`wllama is not as expected: ${part}`);
  return match[1];
}

/** @returns {Promise<{glue: string, worker: string, stub: string}>} the texts that wllama makes its worker of */
async function texts() {
  const source = join(WLLAMA, "src");
  const generated = await readFile(join(source, "workers-code/generated.ts"), "utf8");
  const parts = await import(`data:text/javascript,${encodeURIComponent(generated)}`);
  const stub = found(
    await readFile(join(source, "worker.ts"), "utf8"),
    /const JSPI_STUB = `([^`]*)`;/,
  );
  return { glue: parts.WLLAMA_EMSCRIPTEN_CODE, worker: parts.LLAMA_CPP_WORKER_CODE, stub };
}

/**
 * Writes the engine's files into `out`; gives their addresses below `/assets/`.
 * @param {string} out
 * @returns {Promise<WllamaUrls>}
 */
export async function buildEngine(out) {
  const { glue, worker, stub } = await texts();
  const threads = NO_GPU + stub + glue;
  const main = [
    POLICY,
    ALIVE,
    OPTIONS,
    `function wModuleInit() { ${replaced(threads, "var Module", "var ___Module")}; return Module; }\n`,
    replaced(worker, "? argMainScriptBlob", "? RUN_OPTIONS.script"),
  ].join("");
  const wasm = await readFile(join(WLLAMA, "esm/wasm/wllama.wasm"));
  const folder = join(out, "assets/wllama");
  await mkdir(folder, { recursive: true });
  /** @param {string} name @param {string} type @param {string | Uint8Array} content */
  const written = async (name, type, content) => {
    const file = `${name}-${digest(content)}.${type}`;
    await writeFile(join(folder, file), content);
    return `/assets/wllama/${file}`;
  };
  return {
    worker: await written("worker", "js", main),
    threads: await written("threads", "js", threads),
    wasm: await written("wllama", "wasm", wasm),
  };
}

/** @param {string} code wllama's module, without the worker's text, starting the worker from its file */
export function ownWorker(code) {
  let text = code;
  for (const [name, quote] of [
    ["LLAMA_CPP_WORKER_CODE", '"'],
    ["WLLAMA_EMSCRIPTEN_CODE", "'"],
  ]) {
    const line = found(text, new RegExp(`\\n(var ${name} = ${quote}.*${quote};)\\n`));
    text = replaced(text, line, `var ${name} = "";`);
  }
  const start = replaced(text, "createWorker(completeCode)", "startWorker(runOptions)");
  return `import { startWorker } from ${JSON.stringify(START)};\n${start}`;
}

/**
 * @param {WllamaUrls} urls
 * @returns {import("vite").Plugin}
 */
export function wllamaParts(urls) {
  return {
    name: "fanlight-wllama-parts",
    enforce: "pre",
    resolveId: (id) => (id === ID ? `\0${ID}` : undefined),
    load: (id) =>
      id === `\0${ID}`
        ? `export const WLLAMA = Object.freeze(${JSON.stringify(urls)});`
        : undefined,
    transform: (code, id) =>
      id.includes("/@wllama/wllama/esm/index.js") ? ownWorker(code) : undefined,
  };
}

/** @returns {import("vite").Plugin} */
export function wllamaStandIn() {
  const at = "/assets/wllama/";
  return wllamaParts({
    worker: `${at}worker.js`,
    threads: `${at}threads.js`,
    wasm: `${at}wllama.wasm`,
  });
}
