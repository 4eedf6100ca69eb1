/**
 * `npm run packages`: the packages for npm, each into its own dist/, ready to be published.
 *
 *   @fanlight/widget   index.js, element.js, and their types
 *   @fanlight/react    index.js and its types; React and the widget stay outside
 */

import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { buildModules } from "./bundle.mjs";

const run = promisify(execFile);
const WEB = fileURLToPath(new URL("..", import.meta.url));
const TSC = join(WEB, "node_modules/typescript/bin/tsc");
const PACKAGES = { widget: ["index", "element"], react: ["index"] };

for (const [name, entries] of Object.entries(PACKAGES)) {
  const folder = join(WEB, "packages", name);
  await rm(join(folder, "dist"), { recursive: true, force: true });
  await buildModules(folder, entries);
  await run(process.execPath, [TSC, "-p", join(folder, "tsconfig.json")]);
  console.log(`packages/${name}/dist is built`);
}
