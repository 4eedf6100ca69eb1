/**
 * Runs `outcomes_json` of modules of tests/core under Pyodide, over `core` and `kb` as they are.
 *
 *     node run_pure.mjs '{"root": …, "modules": […]}'
 */

import { report, startPython } from "./pyodide.mjs";

const told = JSON.parse(process.argv[2]);

await report(async () => {
  const python = await startPython([told.root, `${told.root}/tests/core`]);
  const found = {};
  for (const name of told.modules) found[name] = JSON.parse(python.pyimport(name).outcomes_json());
  return found;
});
