/**
 * Bundles app.ts with the built packages, as an owner's own bundler would: `node bundle.mjs <out>`.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const here = import.meta.dirname;
const web = join(here, "../../../web");
// Tools and React are the web folder's: this folder has none.
const tool = createRequire(join(web, "package.json"));
const { build } = await import(pathToFileURL(join(web, "node_modules/vite/dist/node/index.js")).href);
const installed = (/** @type {string} */ name) => tool.resolve(name);

await build({
  root: here,
  configFile: false,
  logLevel: "warn",
  define: { "process.env.NODE_ENV": '"development"' },
  resolve: {
    alias: [
      { find: "@fanlight/widget", replacement: join(web, "packages/widget/dist/index.js") },
      { find: "@fanlight/react", replacement: join(web, "packages/react/dist/index.js") },
      { find: /^react$/, replacement: installed("react") },
      { find: /^react-dom\/client$/, replacement: installed("react-dom/client") },
    ],
  },
  build: {
    outDir: process.argv[2],
    emptyOutDir: true,
    minify: false,
    rolldownOptions: { input: join(here, "app.ts"), output: { entryFileNames: "app.js" } },
  },
});
