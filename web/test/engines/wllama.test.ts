/** wllama without its wasm: what the build makes of it, where it can run, and what is read from it. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { describe, expect, it, vi } from "vitest";
import { ownWorker } from "../../scripts/wllama_parts.mjs";
import type { Engine, Fit, LocalModel, Piece } from "../../src/engines/engine.ts";
import { Pieces } from "../../src/engines/pieces.ts";
import { choose } from "../../src/engines/table.ts";
import { type Around, fitOf, surroundings } from "../../src/engines/wllama/fit.ts";
import { addressOf } from "../../src/engines/wllama/start.ts";

const MODEL: LocalModel = {
  id: "small",
  name: "Small",
  licence: "MIT",
  manifest: "/m/sha256/a",
  sha256: "a",
  bytes: 1,
  parameters: 135e6,
  memory: 2 ** 30,
  context: 512,
};

describe("wllama's module", () => {
  it("carries no worker of its own, and starts ours", async () => {
    const path = createRequire(import.meta.url).resolve("@wllama/wllama/esm/index.js");
    const made = ownWorker(await readFile(path, "utf8"));
    expect(made).toContain('var LLAMA_CPP_WORKER_CODE = "";');
    expect(made).toContain('var WLLAMA_EMSCRIPTEN_CODE = "";');
    expect(made).toContain("this.worker = startWorker(runOptions);");
    expect(made.length).toBeLessThan(250_000);
  });

  it("fails the build where it looks otherwise", () => {
    expect(() => ownWorker("var other = 1;")).toThrow("not as expected");
  });

  it("tells the worker all that it needs in its address, within the page's path", () => {
    const options = { pathConfig: { "wllama.wasm": "https://chat.example/w.wasm" }, nbThread: 2 };
    const url = new URL(addressOf(options, "/chat/site_a", true), "https://chat.example");
    expect(url.pathname).toBe("/chat/site_a/assets/wllama/worker.js");
    expect(Object.fromEntries(url.searchParams)).toEqual({
      wasm: "https://chat.example/w.wasm",
      threads: "2",
      script: "/chat/site_a/assets/wllama/threads.js",
    });
    expect(addressOf(options, "/chat/site_a", false)).toMatch(/^\/assets\/wllama\/worker\.js\?/);
  });
});

describe("where it can run", () => {
  const AROUND: Around = { memory64: true, isolated: true, cores: 8, deviceMemory: 8 };

  it.each<[string, Partial<Around>, Fit]>([
    ["isolated: with threads, four at most", {}, { ok: true, threads: 4 }],
    ["on two cores: one stays with the page", { cores: 2 }, { ok: true, threads: 1 }],
    ["in an ordinary page: one thread", { isolated: false }, { ok: true, threads: 1 }],
    ["too little memory", { deviceMemory: 1 }, { ok: false, why: "memory" }],
    ["memory unknown", { deviceMemory: undefined }, { ok: true, threads: 4 }],
    ["no 64-bit memory", { memory64: false }, { ok: false, why: "browser" }],
  ])("%s", (_name, change, fit) => {
    expect(fitOf(MODEL, { ...AROUND, ...change })).toEqual(fit);
  });

  it("is read from the browser", () => {
    vi.stubGlobal("navigator", { hardwareConcurrency: 2 });
    expect(surroundings()).toMatchObject({ cores: 2, deviceMemory: undefined, isolated: false });
    vi.unstubAllGlobals();
  });
});

describe("the table of engines", () => {
  const listed = (name: string, fit: Fit) => ({
    name,
    forms: (model: LocalModel) => [model],
    probe: async () => fit,
    open: async () => ({}) as unknown as Engine,
  });

  it("takes the first that can", async () => {
    const [no, yes] = [
      listed("a", { ok: false, why: "browser" }),
      listed("b", { ok: true, threads: 1 }),
    ];
    expect(await choose(MODEL, [no, yes])).toMatchObject({ ok: true, ways: [{ name: "b" }] });
    expect(await choose(MODEL, [no, listed("c", { ok: false, why: "memory" })])).toEqual({
      ok: false,
      why: "memory",
    });
    expect(await choose(MODEL, [])).toEqual({ ok: false, why: "browser" });
  });
});

describe("pieces of a reply", () => {
  const piece = (text: string): Piece => ({ text, logprobs: [] });

  async function read(pieces: Pieces, signal = new AbortController().signal): Promise<string> {
    let text = "";
    for await (const one of pieces.read(20, 20, signal)) text += one.text;
    return text;
  }

  it("come in their order, also those that were there before", async () => {
    const pieces = new Pieces();
    pieces.put(piece("a"));
    setTimeout(() => pieces.put(piece("b")), 1);
    pieces.put(piece(""));
    setTimeout(() => pieces.end(), 3);
    expect(await read(pieces)).toBe("ab");
  });

  it("end with what went wrong, after what had come", async () => {
    const pieces = new Pieces();
    pieces.put(piece("a"));
    pieces.fail(new Error("broken"));
    pieces.fail(new Error("again"));
    await expect(read(pieces)).rejects.toThrow("broken");
  });

  it("end where nothing comes for too long", async () => {
    await expect(read(new Pieces())).rejects.toMatchObject({ reason: "timeout" });
  });

  it("end when the visitor stops", async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error("stopped")), 1);
    await expect(read(new Pieces(), stop.signal)).rejects.toThrow("stopped");
  });
});
