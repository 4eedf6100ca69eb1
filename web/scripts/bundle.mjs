/** The Vite builds: each document on its own, since panel and console share no origin, and single files. */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { markdownParts } from "./markdown_parts.mjs";
import { pythonPack } from "./python_module.mjs";
import { wllamaParts } from "./wllama_parts.mjs";

/** The browsers that DESIGN supports: the last two versions of each, and iOS 16.4. */
const TARGETS = ["chrome109", "edge109", "firefox115", "safari16.4", "ios16.4"];

/** @satisfies {import("vite").InlineConfig} */
const SHARED = {
  root: fileURLToPath(new URL("..", import.meta.url)),
  configFile: /** @type {const} */ (false),
  logLevel: /** @type {const} */ ("warn"),
  publicDir: /** @type {const} */ (false),
  base: "/",
  oxc: { jsx: { runtime: /** @type {const} */ ("automatic"), importSource: "preact" } },
};

/** @satisfies {import("vite").BuildEnvironmentOptions} */
const OUTPUT = {
  target: TARGETS,
  emptyOutDir: false,
  assetsInlineLimit: 0, // the CSP admits no data: address
  modulePreload: { polyfill: false }, // every supported browser has it
  reportCompressedSize: false,
};

/**
 * Builds one document; the result is the addresses of its files: scripts, styles, workers.
 * @param {string} html
 * @param {string} outDir
 * @param {{ python: import("../src/engines/kb/protocol.ts").PythonUrls, wllama: import("../src/engines/wllama/urls.ts").WllamaUrls }} parts
 * @returns {Promise<string[]>}
 */
export async function buildDocument(html, outDir, { python, wllama }) {
  const result = await build({
    ...SHARED,
    plugins: [markdownParts(), pythonPack(python), wllamaParts(wllama)],
    worker: { format: "es", plugins: () => [pythonPack(python)] },
    build: { ...OUTPUT, outDir, rolldownOptions: { input: html } },
  });
  if (!("output" in result)) throw new Error(`${html}: expected one build`);
  const files = result.output.map(({ fileName }) => `/${fileName}`);
  return files.filter((file) => file.startsWith("/assets/")).sort();
}

/**
 * Builds `entry` and all that it imports into the one classic script `name`.
 * @param {string} entry
 * @param {string} name
 * @param {string} outDir
 */
export async function buildScript(entry, name, outDir) {
  await build({
    ...SHARED,
    build: {
      ...OUTPUT,
      outDir,
      rolldownOptions: {
        input: entry,
        output: { format: "iife", entryFileNames: name, codeSplitting: false },
      },
    },
  });
}

/**
 * Builds `src/<entry>.ts` of a package into modules in its dist/; what it depends on stays outside.
 * @param {string} folder
 * @param {readonly string[]} entries
 */
export async function buildModules(folder, entries) {
  const named = entries.map((entry) => [entry, join(folder, "src", `${entry}.ts`)]);
  await build({
    ...SHARED,
    build: {
      ...OUTPUT,
      outDir: join(folder, "dist"),
      minify: false,
      lib: { entry: Object.fromEntries(named), formats: ["es"] },
      rolldownOptions: {
        external: ["react", "@fanlight/widget"],
        output: { entryFileNames: "[name].js", chunkFileNames: "[name].js" },
      },
    },
  });
}
