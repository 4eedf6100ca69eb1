/** The real thing: our packages compiled into the pack, started by Pyodide in Node, and asked. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { loadPyodide } from "pyodide";
import { beforeAll, describe, expect, test } from "vitest";
import { buildPythonPack } from "../../scripts/python_pack.mjs";
import { KbEngine, KbError } from "../../src/engines/kb/engine.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const CACHE = here("../../.cache/py");
const SOURCES = {
  script: here("../../py/pack.py"),
  host: here("../../py/host.py"),
  packages: [here("../../../kb"), here("../../../core")],
};
const KNOWN = "What is Fanlight?";
const BUILD = `
import io, kb
from pathlib import Path
faq = io.StringIO(Path("/faq.md").read_text())
reading = kb.read_entries(faq, format="markdown", source="faq.en.md", locale="en")
Path("/made.idx").write_bytes(kb.build_index(reading.entries[:12]))
`;

const ask = (question: string) => ({
  question,
  locale: "en",
  question_locale: null,
  threshold: 0.55,
  online: true,
});

let pack: Awaited<ReturnType<typeof buildPythonPack>>;
let index: Uint8Array;

/** Builds the demo's English index by the same packages, from their sources. */
async function buildIndex(): Promise<void> {
  const pyodide = await loadPyodide();
  pyodide.FS.mkdirTree("/src");
  pyodide.FS.mount(pyodide.FS.filesystems.NODEFS, { root: here("../../..") }, "/src");
  pyodide.FS.writeFile("/faq.md", await readFile(here("../../../kb/data/faq.en.md"), "utf8"));
  pyodide.runPython("import sys; sys.path.insert(0, '/src'); sys.dont_write_bytecode = True");
  pyodide.runPython(BUILD);
  index = pyodide.FS.readFile("/made.idx");
}

beforeAll(async () => {
  pack = await buildPythonPack(SOURCES, CACHE, () => undefined);
  await buildIndex();
}, 120_000);

const engine = (bytes: () => Uint8Array) =>
  new KbEngine({
    importPyodide: () => import("pyodide"),
    fetch: async () => new Response(Buffer.from(bytes())),
    progress: () => undefined,
    startTimeoutMs: 60_000,
  });

const urls = () => ({
  runtime: `${CACHE}/${pack.runtime}/`,
  stdlib: `${CACHE}/${pack.stdlib}`,
  lock: pack.lock,
});

describe("the built pack", () => {
  test("answers a question of the FAQ from a stripped, compiled library", async () => {
    const kb = engine(() => index);
    const release = await kb.load(urls(), "/kb/site_demo/r.idx");
    const response = kb.ask(ask(KNOWN));
    expect(response).toMatchObject({ route: "kb", gate: { index_release: release } });
    expect(response.answer?.confidence).toBeGreaterThan(0.55);
    const unknown = kb.ask(ask("zxqv wobble 9931 frumious"));
    expect(unknown).toMatchObject({ route: "cloud", answer: null });
  }, 60_000);

  test.each([
    ["damaged", () => index.slice(0, 40)],
    ["empty", () => new Uint8Array()],
  ])(
    "refuses an index that is %s",
    async (_, bytes) => {
      const loading = engine(bytes).load(urls(), "/kb/site_demo/r.idx");
      await expect(loading).rejects.toSatisfy(
        (error) => error instanceof KbError && error.reason === "index",
      );
    },
    60_000,
  );

  test("is left as it is when nothing changed", async () => {
    const said: string[] = [];
    expect(await buildPythonPack(SOURCES, CACHE, (line) => said.push(line))).toEqual(pack);
    expect(said).toEqual([]);
  });
});
