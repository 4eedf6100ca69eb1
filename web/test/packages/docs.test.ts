import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";

const WEB = join(import.meta.dirname, "../..");
const page = await readFile(join(WEB, "../docs/embed/README.md"), "utf8");
const types = await readFile(join(WEB, "packages/widget/src/types.ts"), "utf8");
const options = await readFile(join(WEB, "src/loader/options.ts"), "utf8");

/** What the first group finds in one declaration of a module. */
function found(text: string, from: string, to: string, pattern: RegExp): readonly string[] {
  const part = text.slice(text.indexOf(from), text.indexOf(to, text.indexOf(from)));
  return [...part.matchAll(pattern)].map(([, name]) => String(name));
}

const calls = found(types, "export interface Fanlight {", "\n}", /^ {2}(\w+)[<(]/gm);
const events = found(
  types,
  "export interface FanlightEvents {",
  "\n}",
  /readonly (\w+): (?:\{|object)/g,
);
const attributes = found(options, "const { site", "}", /(\w+)[, ]/g).slice(1);

it.each(calls)("docs/embed/README.md names the call %s()", (name) => {
  expect(page).toMatch(new RegExp(`^\\|.*\`${name}\\(`, "m"));
});

it.each(events)("docs/embed/README.md names the event %s", (name) => {
  expect(page).toMatch(new RegExp(`^\\|.*\`${name}\``, "m"));
});

it.each(attributes)("docs/embed/README.md names the attribute data-%s", (name) => {
  expect(page).toContain(`| \`data-${name}\` |`);
});

it("has something to name", () => {
  expect([calls.length, events.length, attributes.length]).toEqual([8, 8, 7]);
});
