/**
 * Runs `outcomes_json` of a module of tests/core under Pyodide, over `core` and `kb` as they are.
 *
 *     node run_pure.mjs '{"root": …, "module": …}'
 */

import { report, startPython } from "./pyodide.mjs";

const told = JSON.parse(process.argv[2]);

await report(async () => {
  const python = await startPython([told.root, `${told.root}/tests/core`]);
  return { outcomes: JSON.parse(python.pyimport(told.module).outcomes_json()) };
});
