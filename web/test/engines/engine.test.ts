import type { PyodideInterface } from "pyodide";
import { describe, expect, test } from "vitest";
import { KbEngine, KbError, describe as lastLine } from "../../src/engines/kb/engine.ts";
import type { KbCall, KbProgress, KbReply } from "../../src/engines/kb/protocol.ts";
import { serve } from "../../src/engines/kb/serve.ts";
import { workerUrl } from "../../src/engines/kb/worker_url.ts";

const PYTHON = {
  runtime: "/assets/py/r/",
  stdlib: "/assets/py/s.zip",
  lock: { info: { abi_version: "", arch: "", platform: "", python: "" }, packages: {} },
};
const INDEX = "/kb/s/r.idx";
const EMBEDDING = "/kb/embedding/e.bin";
const WORDS = { index: INDEX, embedding: null };
const MEANINGS = { index: INDEX, embedding: EMBEDDING };
const LOAD: KbCall = { id: 7, type: "load", python: PYTHON, knowledge: WORDS };
const ASK: KbCall = {
  id: 8,
  type: "ask",
  request: {
    question: "q",
    locale: "en",
    question_locale: null,
    threshold: 0.5,
    online: true,
    may_clarify: true,
    history: [],
    today: "2026-01-02",
  },
};

interface World {
  readonly start?: () => Promise<PyodideInterface>;
  readonly open?: (...views: readonly unknown[]) => unknown;
  readonly index?: () => Promise<Response>;
  readonly embedding?: () => Promise<Response>;
}

const host = { release: "r1", respond: (text: string) => `{"echo": ${text}}` };

const file = (text: string) => async () =>
  new Response(text, { headers: { "content-length": String(text.length) } });

/** An engine in a world where each step does what the test says. */
function engine({ start, open, index, embedding }: World = {}) {
  const seen: KbProgress[] = [];
  const python = {
    toPy: (bytes: Uint8Array) => ({ length: bytes.length, destroy: () => undefined }),
    pyimport: () => ({ load: open ?? (() => host) }),
  } as unknown as PyodideInterface;
  const made = new KbEngine({
    importPyodide: async () => ({ loadPyodide: start ?? (async () => python) }),
    fetch: (url) => (url === INDEX ? (index ?? file("index")) : (embedding ?? file("table")))(),
    progress: (event) => seen.push(event),
    startTimeoutMs: 20,
  });
  return { made, seen };
}

async function replies(call: KbCall, world: World = {}, first: readonly KbCall[] = []) {
  const posted: KbReply[] = [];
  const { made } = engine(world);
  for (const each of [...first, call]) await serve(made, each, (reply) => posted.push(reply));
  return posted.slice(first.length);
}

const pythonError = (text: string) =>
  Object.assign(new Error(`Traceback\n${text}\n`), { name: "PythonError" });

describe("loading", () => {
  test("tells of each phase, and of the index's bytes", async () => {
    const { made, seen } = engine();
    expect(await made.load(PYTHON, WORDS)).toEqual({ release: "r1", embedding: null });
    expect(seen.filter(({ phase }) => phase === "index").at(-1)).toMatchObject({
      loaded: 5,
      total: 5,
    });
    expect(seen.at(-1)).toMatchObject({ phase: "ready", loaded: 1 });
  });

  test("does not take the length on the wire for the body's when it was compressed", async () => {
    const headers = { "content-length": "2", "content-encoding": "br" };
    const { made, seen } = engine({ index: async () => new Response("index", { headers }) });
    await made.load(PYTHON, WORDS);
    expect(seen.filter(({ phase }) => phase === "index").map(({ total }) => total)).toEqual([0, 0]);
  });

  test("unzips what comes, and hands on what is no stream of that kind", async () => {
    const { gzipSync } = await import("node:zlib");
    const read = async (sent: Uint8Array) => {
      const lengths: number[] = [];
      const { made } = engine({
        index: async () => new Response(sent as BodyInit),
        open: (view) => {
          lengths.push((view as { length: number }).length);
          return host;
        },
      });
      await made.load(PYTHON, WORDS);
      return lengths;
    };
    expect(await read(gzipSync("plain ".repeat(100)))).toEqual([600]);
    expect(await read(gzipSync("cut").subarray(0, 15))).toEqual([15]);
    expect(await read(new TextEncoder().encode("plain"))).toEqual([5]);
  });

  test("asks for both of Pyodide's modules at once, and starts by the first alone", async () => {
    const asked: string[] = [];
    const made = new KbEngine({
      importPyodide: (url) => {
        asked.push(url);
        return Promise.reject(new TypeError("Failed to fetch"));
      },
      fetch: file("index"),
      progress: () => undefined,
      startTimeoutMs: 20,
    });
    await expect(made.load(PYTHON, WORDS)).rejects.toMatchObject({ reason: "network" });
    expect(asked.sort()).toEqual(["/assets/py/r/pyodide.asm.mjs", "/assets/py/r/pyodide.mjs"]);
  });

  const never = () => new Promise<never>(() => undefined);
  const rejects = (error: unknown) => () => Promise.reject(error);
  const throws = (error: unknown) => () => {
    throw error;
  };
  test.each<[string, World, string]>([
    ["the index is not there", { index: async () => new Response("", { status: 404 }) }, "network"],
    ["the network is gone", { index: rejects(new TypeError("Failed to fetch")) }, "network"],
    ["Python's files are gone", { start: rejects(new TypeError("Failed to fetch")) }, "network"],
    ["Python itself fails", { start: rejects(pythonError("ImportError: x")) }, "python"],
    ["Python never starts", { start: never }, "timeout"],
    ["the index is not ours", { open: throws(pythonError("kb.IndexFormatError: v9")) }, "index"],
    ["our code fails", { open: throws("odd") }, "python"],
    ["the index is empty", { index: async () => new Response(null), open: throws("e") }, "python"],
  ])("names the failure when %s", async (_, world, reason) => {
    expect(await replies(LOAD, world)).toMatchObject([{ id: 7, type: "failed", reason }]);
  });
});

describe("the embedding", () => {
  /** A host that knows meanings once it is handed a second file. */
  const open = (...views: readonly unknown[]) => ({
    ...host,
    embedding: views.length > 1 ? "e1" : undefined,
  });
  const phases = (seen: readonly KbProgress[]) => new Set(seen.map(({ phase }) => phase));

  test("is read beside the index, and its bytes are told", async () => {
    const { made, seen } = engine({ open });
    expect(await made.load(PYTHON, MEANINGS)).toEqual({ release: "r1", embedding: "e1" });
    const told = seen.filter(({ phase }) => phase === "embedding");
    expect(told.at(-1)).toMatchObject({ loaded: 5, total: 5 });
    expect(phases(seen)).not.toContain("words_only");
  });

  test("is not asked for where the index was built with none", async () => {
    const { made, seen } = engine({ open, embedding: () => Promise.reject(new Error("asked")) });
    expect(await made.load(PYTHON, WORDS)).toEqual({ release: "r1", embedding: null });
    expect(phases(seen)).toEqual(new Set(["runtime", "index", "ready"]));
  });

  test.each<[string, World]>([
    ["is not there", { open, embedding: async () => new Response("", { status: 404 }) }],
    ["breaks off", { open, embedding: () => Promise.reject(new TypeError("Failed to fetch")) }],
    ["cannot be read", { open: () => host }],
  ])("that %s leaves words alone, and that is said", async (_, world) => {
    const { made, seen } = engine(world);
    expect(await made.load(PYTHON, MEANINGS)).toEqual({ release: "r1", embedding: null });
    expect(seen.slice(-2).map(({ phase }) => phase)).toEqual(["words_only", "ready"]);
  });

  test("is named in the worker's reply", async () => {
    const posted = await replies({ ...LOAD, knowledge: MEANINGS }, { open });
    expect(posted).toEqual([{ id: 7, type: "loaded", release: "r1", embedding: "e1" }]);
  });
});

describe("asking", () => {
  test("passes the request as JSON and the response back", async () => {
    const [reply] = await replies(ASK, {}, [LOAD]);
    expect(reply).toMatchObject({ id: 8, type: "answer", response: { echo: { question: "q" } } });
  });

  test("before the load is refused", async () => {
    expect(await replies(ASK)).toMatchObject([{ id: 8, type: "failed", reason: "not_loaded" }]);
  });

  test("reports what Python raised by its last line", async () => {
    const failing = {
      release: "r1",
      respond: () => {
        throw pythonError("ValueError: question");
      },
    };
    const [reply] = await replies(ASK, { open: () => failing }, [LOAD]);
    expect(reply).toMatchObject({ reason: "python", message: "ValueError: question" });
  });
});

test("an error that is not ours still becomes a reply", async () => {
  const posted: KbReply[] = [];
  const odd = { load: () => Promise.reject(new RangeError("odd")) } as unknown as KbEngine;
  await serve(odd, LOAD, (reply) => posted.push(reply));
  expect(posted).toEqual([{ id: 7, type: "failed", reason: "python", message: "odd" }]);
});

test("a failure keeps its cause", () => {
  const cause = new Error("deep");
  expect(new KbError("network", "top", { cause }).cause).toBe(cause);
  expect(lastLine("one line")).toBe("one line");
});

test.each([
  ["/chat/site_demo", false, "/assets/worker.js"],
  ["/chat/site_demo", true, "/chat/site_demo/assets/worker.js"],
  ["/panel/site_demo/", true, "/panel/site_demo/assets/worker.js"],
])("under %s, controlled %s, the worker starts from %s", (path, controlled, url) => {
  expect(workerUrl("/assets/worker.js", path, controlled)).toBe(url);
});
