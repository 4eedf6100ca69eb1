/** The real thing: our packages compiled into the pack, started by Pyodide in Node, and asked. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadPyodide } from "pyodide";
import { beforeAll, describe, expect, test } from "vitest";
import { buildPythonPack, ourFiles } from "../../scripts/python_pack.mjs";
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
import io, json, kb
from array import array
from pathlib import Path
from kb.codec import encode
from kb.embed import EMBEDDING, START, load_embedding
faq = io.StringIO(Path("/faq.md").read_text())
reading = kb.read_entries(faq, format="markdown", source="faq.en.md", locale="en")
entries = reading.entries[:12]
pieces = [START + word for word in ("what", "is", "fanlight", "offline")] + list("abcdefgh")
parts = {
    "meta": json.dumps({"dimensions": 8}),
    "pieces": "\\n".join(pieces),
    "scores": array("f", [-5.0] * len(pieces)),
    "norms": array("f", [1.0] * len(pieces)),
    "levels": array("B", [(37 * at) % 256 for at in range(2 * len(pieces))]),
}
packed = encode(parts, EMBEDDING)
table = load_embedding(packed)
Path("/words.idx").write_bytes(kb.build_index(entries))
Path("/made.idx").write_bytes(kb.build_index(entries, embedding=table))
Path("/made.bin").write_bytes(packed)
Path("/release").write_text(table.release)
`;

const ask = (question: string) => ({
  question,
  locale: "en",
  question_locale: null,
  threshold: 0.55,
  online: true,
  may_clarify: true,
  history: [],
  today: "2026-01-02",
});

let pack: Awaited<ReturnType<typeof buildPythonPack>>;
let index: Uint8Array;
let words: Uint8Array;
let embedding: Uint8Array;
let release: string;

/** Builds the demo's English index, and a small embedding, by the same packages, from their sources. */
async function buildIndex(): Promise<void> {
  const pyodide = await loadPyodide();
  pyodide.FS.mkdirTree("/src");
  pyodide.FS.mount(pyodide.FS.filesystems.NODEFS, { root: here("../../..") }, "/src");
  pyodide.FS.writeFile("/faq.md", await readFile(here("../../../kb/data/faq.en.md"), "utf8"));
  pyodide.runPython("import sys; sys.path.insert(0, '/src'); sys.dont_write_bytecode = True");
  pyodide.runPython(BUILD);
  index = pyodide.FS.readFile("/made.idx");
  words = pyodide.FS.readFile("/words.idx");
  embedding = pyodide.FS.readFile("/made.bin");
  release = pyodide.FS.readFile("/release", { encoding: "utf8" });
}

beforeAll(async () => {
  pack = await buildPythonPack(SOURCES, CACHE, () => undefined);
  await buildIndex();
}, 120_000);

const INDEX = "/kb/site_demo/r.idx";
const EMBEDDING = "/kb/embedding/e.bin";

const engine = (bytes: () => Uint8Array, table: () => Uint8Array = () => embedding) =>
  new KbEngine({
    importPyodide: () => import("pyodide"),
    fetch: async (url) => new Response(Buffer.from((url === INDEX ? bytes : table)())),
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
    const loaded = await kb.load(urls(), { index: INDEX, embedding: EMBEDDING });
    expect(loaded.embedding).toBe(release);
    const response = kb.ask(ask(KNOWN));
    expect(response).toMatchObject({ route: "kb", gate: { index_release: loaded.release } });
    expect(response.answer?.confidence).toBeGreaterThan(0.55);
    const unknown = kb.ask(ask("zxqv wobble 9931 frumious"));
    expect(unknown).toMatchObject({ route: "cloud", answer: null });
  }, 60_000);

  test.each<[string, () => Uint8Array, () => Uint8Array]>([
    ["is damaged", () => index, () => embedding.slice(0, 40)],
    ["is another than the index's", () => words, () => embedding],
  ])(
    "answers by words alone when the embedding %s",
    async (_, bytes, table) => {
      const kb = engine(bytes, table);
      const loaded = await kb.load(urls(), { index: INDEX, embedding: EMBEDDING });
      expect(loaded.embedding).toBeNull();
      expect(kb.ask(ask(KNOWN))).toMatchObject({ route: "kb" });
    },
    60_000,
  );

  test.each([
    ["damaged", () => index.slice(0, 40)],
    ["empty", () => new Uint8Array()],
  ])(
    "refuses an index that is %s",
    async (_, bytes) => {
      const loading = engine(bytes).load(urls(), { index: INDEX, embedding: null });
      await expect(loading).rejects.toSatisfy(
        (error) => error instanceof KbError && error.reason === "index",
      );
    },
    60_000,
  );

  test("holds modules and what they read: what is fetched beside it is not in it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "fanlight-pack-"));
    await mkdir(join(folder, "kb/data"), { recursive: true });
    await writeFile(join(folder, "kb/__init__.py"), "");
    await writeFile(join(folder, "kb/data/embedding.bin"), "large");
    await mkdir(join(folder, "core"));
    await writeFile(join(folder, "core/topics.json"), "{}");
    const packages = [join(folder, "kb"), join(folder, "core")];
    const files = await ourFiles({ ...SOURCES, packages });
    expect([...files.keys()]).toEqual(["core/topics.json", "host.py", "kb/__init__.py"]);
    await rm(folder, { recursive: true });
  });

  test("is left as it is when nothing changed", async () => {
    const said: string[] = [];
    expect(await buildPythonPack(SOURCES, CACHE, (line) => said.push(line))).toEqual(pack);
    expect(said).toEqual([]);
  });
});
