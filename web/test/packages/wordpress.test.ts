import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Engine } from "php-parser";
import { describe, expect, it } from "vitest";

const WEB = join(import.meta.dirname, "../..");
const PLUGIN = join(WEB, "packages/wordpress/fanlight");
const LANGUAGES = ["es_ES", "he_IL"].map((name) => `languages/fanlight-${name}.l10n.php`);
const FILES = ["fanlight.php", "uninstall.php", ...LANGUAGES];

interface Node {
  readonly kind: string;
  readonly [field: string]: unknown;
}

/** Every node of a tree, in the order in which it is written. */
function* nodes(tree: unknown): Generator<Node> {
  if (typeof tree !== "object" || tree === null) return;
  if ("kind" in tree) yield tree as Node;
  for (const part of Object.values(tree)) yield* nodes(part);
}

async function parse(file: string): Promise<readonly Node[]> {
  const engine = new Engine({ parser: { php7: true, suppressErrors: false } });
  return [...nodes(engine.parseCode(await readFile(join(PLUGIN, file), "utf8"), file))];
}

function calls(tree: readonly Node[], name: string): readonly (readonly Node[])[] {
  const named = tree.filter(({ kind, what }) => kind === "call" && (what as Node).name === name);
  return named.map(({ arguments: given }) => given as Node[]);
}

function first(given: readonly (readonly Node[])[]): readonly unknown[] {
  return given.map(([node]) => node?.value);
}

describe("the WordPress plugin", () => {
  it.each(FILES)("is PHP without a mistake in %s", async (file) => {
    expect((await parse(file)).length).toBeGreaterThan(5);
  });

  it("cannot be called from outside WordPress", async () => {
    const checks = await Promise.all(
      ["fanlight.php", "uninstall.php"].map(async (file) =>
        first(calls(await parse(file), "defined")),
      ),
    );
    expect(checks).toEqual([["ABSPATH"], ["WP_UNINSTALL_PLUGIN"]]);
  });

  it("has its settings changed by administrators alone, under WordPress's own nonce", async () => {
    const tree = await parse("fanlight.php");
    expect(first(calls(tree, "current_user_can"))).toEqual(["manage_options"]);
    expect(calls(tree, "add_options_page")[0]?.[2]?.value).toBe("manage_options");
    const [registered] = calls(tree, "register_setting");
    expect(first(calls(tree, "settings_fields"))).toEqual([registered?.[0]?.value]);
  });

  it("reads nothing from a request, and writes nothing that is not escaped", async () => {
    const tree = await parse("fanlight.php");
    const named = tree.filter(({ kind }) => kind === "variable").map(({ name }) => String(name));
    expect(named.filter((name) => name.startsWith("_"))).toEqual([]);
    const written = tree.filter(({ kind }) => kind === "echo").flatMap((node) => [...nodes(node)]);
    const shown = [
      ...written,
      ...calls(tree, "printf")
        .flat()
        .flatMap((node) => [...nodes(node)]),
    ];
    const used = shown.filter(({ kind }) => kind === "call").map(({ what }) => (what as Node).name);
    expect(used.length).toBeGreaterThan(3);
    expect(used.filter((name) => !/^(esc_|get_admin_page_title$)/.test(String(name)))).toEqual([]);
  });

  it.each(LANGUAGES)("says all of it in %s", async (file) => {
    const said = calls(await parse("fanlight.php"), "__");
    expect(new Set(said.map(([, domain]) => domain?.value))).toEqual(new Set(["fanlight"]));
    const entries = (await parse(file)).filter(({ kind }) => kind === "entry");
    const translated = entries.map(({ key, value }) => [
      (key as Node).value,
      (value as Node).value,
    ]);
    const texts = new Map(translated.filter(([key]) => key !== "messages") as [string, string][]);
    const missing = first(said).filter((text) => !texts.get(String(text)));
    expect(missing).toEqual([]);
  });

  it("has the version of all of Fanlight", async () => {
    const { version } = JSON.parse(await readFile(join(WEB, "package.json"), "utf8"));
    const header = await readFile(join(PLUGIN, "fanlight.php"), "utf8");
    expect(/^ \* Version: +(\S+)$/m.exec(header)?.[1]).toBe(version);
    const readme = await readFile(join(PLUGIN, "readme.txt"), "utf8");
    expect(/^Stable tag: (\S+)$/m.exec(readme)?.[1]).toBe(version);
  });
});
