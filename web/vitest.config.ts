/**
 * Unit tests run in Node, in happy-dom where a file asks for it (`// @vitest-environment happy-dom`).
 *
 * The gate: 90 % of lines and branches over src and the packages. A file is left out only when nothing but a real
 * browser can run it; each is listed with its reason, and tests/browser runs every one of them.
 */
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { markdownParts } from "./scripts/markdown_parts.mjs";
import { pythonPackStandIn } from "./scripts/python_module.mjs";
import { wllamaStandIn } from "./scripts/wllama_parts.mjs";

const BROWSER_ONLY = [
  "src/panel/main.tsx", // entry: mounts the panel on the served document
  "src/console/main.tsx", // entry: mounts the console on the served document
  "src/preview/main.ts", // entry: sets the stage up on the served document
  "src/greeter/main.ts", // entry: runs in a frame beside the launcher, on the served document
  "src/loader/main.ts", // entry: runs on the host page, reads document.currentScript
  "src/sw/main.ts", // glue: binds offline.ts to ServiceWorkerGlobalScope
  "src/engines/kb/worker.ts", // glue: starts Pyodide's wasm inside a module worker
  "src/engines/weights/worker.ts", // glue: binds the keeper of models to a module worker
  "src/engines/webllm/webllm_worker.ts", // glue: binds WebLLM to a module worker
  "src/engines/webllm/spawn.ts", // glue: hands the browser's own Worker to the client
  "src/engines/weights/spawn.ts", // glue: hands the browser's own Worker to the client
  "src/engines/wllama/wllama.ts", // glue: hands llama.cpp's wasm its model and its words
  "src/engines/encoder/encoder_worker.ts", // glue: binds ONNX Runtime's wasm to a module worker
  "src/engines/encoder/spawn.ts", // glue: hands the browser's own Worker to the client
  "src/panel/meaning/open.ts", // glue: makes the better search of what the browser has
  "src/panel/device/open.ts", // glue: makes the model on this device of what the browser has
  "src/engines/kb/spawn.ts", // glue: hands the browser's own Worker to the client
  "src/**/*.d.ts", // types only
];

export default defineConfig({
  plugins: [markdownParts(), pythonPackStandIn(), wllamaStandIn()],
  resolve: {
    alias: { "@fanlight/widget": join(import.meta.dirname, "packages/widget/src/index.ts") },
  },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  test: {
    include: ["test/**/*.test.{ts,tsx}"],
    environment: "node",
    // Inlined, so that the tests parse Markdown with the same parts as the build.
    server: { deps: { inline: [/micromark/, /mdast-util/, /decode-named/] } },
    testTimeout: 10_000,
    coverage: {
      provider: "v8",
      include: ["src/**/*.{ts,tsx}", "packages/*/src/**/*.ts"],
      exclude: BROWSER_ONLY,
      reporter: ["text-summary", "text"],
      thresholds: { lines: 90, branches: 90 },
    },
  },
});
