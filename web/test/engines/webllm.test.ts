/** WebLLM without its runtime: where it can run, what it is given to read, and what becomes of what it says. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Fit, GpuForm, LocalModel, Piece } from "../../src/engines/engine.ts";
import { type Chosen, preferred } from "../../src/engines/table.ts";
import { adapterFacts } from "../../src/engines/webllm/adapter.ts";
import { ModelFiles } from "../../src/engines/webllm/files.ts";
import { type AdapterFacts, fitsGpu, type GpuAround } from "../../src/engines/webllm/fit.ts";
import type { MlcCall, MlcReply } from "../../src/engines/webllm/protocol.ts";
import { type Mlc, type MlcRecord, MlcServer } from "../../src/engines/webllm/serve.ts";
import { type MlcWorker, WebLlmEngine } from "../../src/engines/webllm/webllm.ts";
import { filesOf } from "../../src/engines/weights/tar.ts";
import { batteryOf, followPower, linkOf } from "../../src/panel/device/power.ts";

const FORM: GpuForm = {
  manifest: "/m/sha256/g",
  sha256: "g",
  bytes: 1,
  memory: 2 ** 30,
  quantisation: "q4f16_1",
  shader_f16: true,
  buffer: 2 ** 27,
  library: true,
};
const MODEL: LocalModel = {
  ...FORM,
  id: "m",
  name: "M",
  licence: "MIT",
  parameters: 1,
  context: 9,
};
const FACTS: AdapterFacts = {
  software: false,
  shaderF16: true,
  maxBufferSize: 2 ** 30,
  maxStorageBufferBindingSize: 2 ** 30,
  maxComputeWorkgroupStorageSize: 32768,
  maxStorageBuffersPerShaderStage: 10,
};

describe("where WebLLM can run", () => {
  const no = (why: "adapter" | "library" | "memory"): Fit => ({ ok: false, why });
  it.each<[string, Partial<AdapterFacts> | null, Partial<GpuForm & GpuAround>, Fit]>([
    ["a real adapter", {}, {}, { ok: true, threads: 1 }],
    ["no adapter", null, {}, no("adapter")],
    ["no adapter, in a test", null, { any: true }, no("adapter")],
    ["a software adapter", { software: true }, {}, no("adapter")],
    ["a software adapter, in a test", { software: true }, { any: true }, { ok: true, threads: 1 }],
    ["no shader-f16", { shaderF16: false }, {}, no("adapter")],
    ["a form without it", { shaderF16: false }, { shader_f16: false }, { ok: true, threads: 1 }],
    ["a small buffer", { maxBufferSize: 2 ** 26 }, {}, no("adapter")],
    ["a parameter too large", {}, { buffer: 2 ** 31 }, no("adapter")],
    ["few buffers a stage", { maxStorageBuffersPerShaderStage: 8 }, {}, no("adapter")],
    ["no library", {}, { library: false }, no("library")],
    ["too little memory", {}, { deviceMemory: 1 }, no("memory")],
  ])("%s", (_name, facts, change, fit) => {
    const around = { deviceMemory: undefined, any: false, ...change };
    const seen = facts === null ? undefined : { ...FACTS, ...facts };
    expect(fitsGpu({ ...FORM, ...change }, seen, around)).toEqual(fit);
  });

  it.each([
    [{ architecture: "swiftshader" }, true],
    [{ vendor: "mesa", description: "llvmpipe (LLVM 15)" }, true],
    [{ isFallbackAdapter: true }, true],
    [{ vendor: "nvidia", architecture: "hopper" }, false],
    [undefined, false],
  ])("an adapter that says %j of itself is a software one: %s", async (info, software) => {
    const adapter = { features: new Set(["shader-f16"]), limits: FACTS, ...(info && { info }) };
    const found = await adapterFacts({ requestAdapter: async () => adapter });
    expect(found).toMatchObject({ software, shaderF16: true, maxBufferSize: 2 ** 30 });
  });

  it("has no facts where there is no adapter", async () => {
    expect(await adapterFacts({ requestAdapter: async () => null })).toBeUndefined();
    expect(await adapterFacts({ requestAdapter: () => Promise.reject(new Error("no")) })).toBe(
      undefined,
    );
  });
});

describe("the model that a device is offered first", () => {
  const model = (id: string, parameters: number): LocalModel => ({ ...MODEL, id, parameters });
  const [large, middle, small] = [model("l", 17e8), model("m", 7e8), model("s", 135e6)];
  const on = (name: string, threads: number, but: readonly string[] = []) => {
    const open = () => Promise.reject(new Error("not opened"));
    return async (asked: LocalModel): Promise<Chosen> =>
      but.includes(asked.id)
        ? { ok: false, why: "memory" }
        : { ok: true, ways: [{ name, form: asked, threads, open }] };
  };
  it.each<[string, ReturnType<typeof on>, string]>([
    ["one thread: the one that it is quick with", on("wllama", 1), "s"],
    ["two threads: a larger one", on("wllama", 2), "m"],
    ["a graphics processor: the site's first", on("webllm", 1), "l"],
    ["too slow for all that fit: the smallest", on("wllama", 1, ["s"]), "m"],
    ["none fits: the site's first, which says why", on("wllama", 1, ["l", "m", "s"]), "l"],
  ])("%s", async (_name, chosen, id) => {
    expect((await preferred([large, middle, small], chosen))?.id).toBe(id);
  });
});

/** An archive as Python's tarfile writes it. */
function archive(files: Readonly<Record<string, string>>): Blob {
  const parts: BlobPart[] = [];
  for (const [name, content] of Object.entries(files)) {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
    header.fill(" ", 148, 156);
    const sum = header.reduce((all, byte) => all + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    parts.push(
      new Uint8Array(header),
      content,
      new Uint8Array((512 - (content.length % 512)) % 512),
    );
  }
  return new Blob([...parts, new Uint8Array(1024)]);
}

describe("the files of a model", () => {
  it("are read from the archive, each by its name", async () => {
    const files = await filesOf(archive({ "a.json": "{}", "b.bin": "x".repeat(600) }));
    expect([...files.keys()]).toEqual(["a.json", "b.bin"]);
    expect(await files.get("b.bin")?.text()).toBe("x".repeat(600));
  });

  it("are not, where it is damaged or cut", async () => {
    const whole = new Uint8Array(await archive({ a: "12345" }).arrayBuffer());
    const bent = whole.slice();
    bent[0] = 66;
    await expect(filesOf(new Blob([bent]))).rejects.toThrow("damaged");
    const long = archive({ a: "x".repeat(2000) });
    await expect(filesOf(long.slice(0, 1024))).rejects.toThrow("too early");
  });

  it("are all that can be read", async () => {
    const base = "https://chat.example/m/model/resolve/main/";
    const files = new ModelFiles(new Map([["a.json", new Blob(["{}"])]]), base);
    const cache = await files.open();
    await cache.add(`${base}a.json`);
    expect(await (await cache.match(`${base}a.json`))?.text()).toBe("{}");
    expect(await cache.match("https://elsewhere.example/a.json")).toBeUndefined();
    await expect(cache.add("https://elsewhere.example/a.json")).rejects.toThrow("no file");
    expect((await cache.keys()).map(({ url }) => url)).toEqual([`${base}a.json`]);
    expect(await cache.delete(`${base}a.json`)).toBe(false);
  });
});

const said = (content: string) => ({
  choices: [{ delta: { content }, logprobs: { content: [{ logprob: -0.5 }] } }],
});

interface World {
  readonly reload?: () => Promise<void>;
  readonly chunks?: () => AsyncGenerator<ReturnType<typeof said>>;
}

function served({ reload, chunks }: World = {}) {
  const replies: MlcReply[] = [];
  const records: MlcRecord[] = [];
  let interrupted = 0;
  const two = async function* () {
    yield said("It ");
    yield said("is.");
  };
  const server = new MlcServer({
    origin: "https://chat.example",
    open: (record): Mlc => {
      records.push(record);
      const create = async () => (chunks ?? two)();
      return {
        reload: reload ?? (async () => undefined),
        interruptGenerate: () => (interrupted += 1),
        chat: { completions: { create } },
      };
    },
    post: (reply) => replies.push(reply),
  });
  return { server, replies, records, interrupted: () => interrupted };
}

const sri = (text: string) => `sha256-${createHash("sha256").update(text).digest("base64")}`;
const HASHES = { "mlc-chat-config.json": sri("{}"), "tokenizer.json": sri("t") };
const FILES = { "integrity.json": JSON.stringify(HASHES), "mlc-chat-config.json": "{}" };
const load = (files: Readonly<Record<string, string>>): MlcCall => ({
  type: "load",
  id: "m",
  context: 512,
  archive: archive(files),
});
const GENERATE: MlcCall = { type: "generate", messages: [], maxTokens: 5 };
const named = (name: string, message = "no") => Object.assign(new Error(message), { name });

describe("the worker", () => {
  it("hands WebLLM the hashes, an error where one is not met, and no library where there is none", async () => {
    const { server, records, replies } = served();
    await server.serve(load(FILES));
    expect(replies).toEqual([{ type: "loaded" }]);
    expect(records[0]).toMatchObject({
      model: "https://chat.example/m/model/resolve/main/",
      integrity: {
        config: HASHES["mlc-chat-config.json"],
        tokenizer: { "tokenizer.json": HASHES["tokenizer.json"] },
        onFailure: "error",
      },
    });
    expect(records[0]?.model_lib).toBeUndefined();
  });

  it("names the library where it has one", async () => {
    const { server, records } = served();
    await server.serve(load({ ...FILES, "library.wasm": "\0asm" }));
    expect(records[0]?.model_lib).toMatch(/\/library\.wasm$/);
  });

  it("streams what is written, token by token, and stops", async () => {
    const { server, replies, interrupted } = served();
    await server.serve(load(FILES));
    await server.serve(GENERATE);
    await server.serve({ type: "stop" });
    expect(replies.slice(1)).toEqual([
      { type: "piece", text: "It ", logprobs: [-0.5] },
      { type: "piece", text: "is.", logprobs: [-0.5] },
      { type: "ended" },
    ]);
    expect(interrupted()).toBe(1);
  });

  it.each([
    ["library", named("MissingModelError")],
    ["lost", named("DeviceLostError")],
    ["load", named("WebGPUNotAvailableError")],
    ["load", "odd"],
  ] as const)("says %s where loading ends by %s", async (reason, error) => {
    const { server, replies } = served({ reload: () => Promise.reject(error) });
    await server.serve(load(FILES));
    expect(replies).toMatchObject([{ type: "failed", reason }]);
  });

  it("says what a lost device ends, and that nothing was loaded", async () => {
    const { server, replies } = served({
      chunks: async function* () {
        yield said("Half");
        server.lost("unknown: gone");
        throw named("ModelNotLoadedError");
      },
    });
    await server.serve(GENERATE);
    await server.serve(load(FILES));
    await server.serve(GENERATE);
    expect(replies.map((reply) => ("reason" in reply ? reply.reason : reply.type))).toEqual([
      ...["generate", "loaded", "piece", "lost", "lost"],
    ]);
  });
});

class TestWorker implements MlcWorker {
  readonly calls: MlcCall[] = [];
  ended = false;
  #hear: (event: MessageEvent<MlcReply>) => void = () => undefined;
  #died: (event: Event) => void = () => undefined;
  constructor(private readonly answer: (call: MlcCall) => readonly MlcReply[]) {}
  postMessage(call: MlcCall): void {
    this.calls.push(call);
    queueMicrotask(() => {
      for (const data of this.answer(call)) this.#hear({ data } as MessageEvent<MlcReply>);
    });
  }
  terminate(): void {
    this.ended = true;
  }
  addEventListener(type: string, listener: (event: never) => void): void {
    if (type === "message") this.#hear = listener as never;
    else this.#died = listener as never;
  }
  die(): void {
    this.#died(new Event("error"));
  }
}

describe("the engine", () => {
  const READY: readonly MlcReply[] = [{ type: "loaded" }];
  const never = new AbortController().signal;
  async function loaded(generate: readonly MlcReply[]) {
    const answers = { load: READY, generate, stop: [{ type: "ended" }] as const };
    const worker = new TestWorker(({ type }) => answers[type]);
    const engine = new WebLlmEngine(() => worker);
    await engine.load(MODEL, new Blob([]));
    return { worker, engine };
  }
  async function read(pieces: AsyncIterable<Piece>): Promise<string> {
    let text = "";
    for await (const piece of pieces) text += piece.text;
    return text;
  }

  it("loads, writes and gives its memory back", async () => {
    const { worker, engine } = await loaded([
      { type: "piece", text: "It is.", logprobs: [-1] },
      { type: "ended" },
    ]);
    expect(await read(engine.generate([], { maxTokens: 5 }, never))).toBe("It is.");
    await engine.unload();
    expect(worker.ended).toBe(true);
    await expect(read(engine.generate([], { maxTokens: 5 }, never))).rejects.toThrow("no model");
  });

  it("says why it could not load, and leaves nothing behind", async () => {
    const failed: MlcReply = { type: "failed", reason: "library", message: "no wasm" };
    const worker = new TestWorker(() => [failed]);
    const engine = new WebLlmEngine(() => worker);
    await expect(engine.load(MODEL, new Blob([]))).rejects.toMatchObject({ reason: "library" });
    expect(worker.ended).toBe(true);
  });

  it("ends by a loss where its worker dies", async () => {
    const { worker, engine } = await loaded([{ type: "piece", text: "Half", logprobs: [] }]);
    setTimeout(() => worker.die(), 5);
    const reading = read(engine.generate([], { maxTokens: 5 }, never));
    await expect(reading).rejects.toMatchObject({ reason: "lost" });
  });

  it("asks the worker to stop when the visitor does", async () => {
    const { worker, engine } = await loaded([{ type: "piece", text: "Half", logprobs: [] }]);
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error("stopped")), 5);
    const reading = read(engine.generate([], { maxTokens: 5 }, stop.signal));
    await expect(reading).rejects.toThrow("stopped");
    expect(worker.calls.at(-1)).toEqual({ type: "stop" });
  });
});

describe("what a browser says of power and network", () => {
  it.each([
    [{}, { data_saver: false, metered: false, network: "online" }],
    [{ saveData: true }, { data_saver: true, metered: false, network: "online" }],
    [{ type: "cellular" }, { data_saver: false, metered: true, network: "online" }],
    [{ metered: true }, { data_saver: false, metered: true, network: "online" }],
    [{ effectiveType: "slow-2g" }, { data_saver: false, metered: false, network: "slow" }],
    [{ effectiveType: "4g" }, { data_saver: false, metered: false, network: "online" }],
  ])("of a link %j: %j", (connection, told) => {
    expect(linkOf({ connection })).toEqual(told);
  });

  it.each([
    [{ charging: false, level: 0.12 }, 0.12],
    [{ charging: true, level: 0.12 }, null],
    [{ charging: false, level: Number.NaN }, null],
  ])("of a battery %j: %s", (battery, share) => {
    expect(batteryOf(battery)).toBe(share);
  });

  it("is told at once and with each change", async () => {
    const battery = Object.assign(new EventTarget(), { charging: true, level: 0.5 });
    const connection = Object.assign(new EventTarget(), { saveData: false });
    const told: unknown[] = [];
    await followPower((now) => told.push(now), { getBattery: async () => battery, connection });
    battery.charging = false;
    battery.dispatchEvent(new Event("chargingchange"));
    connection.saveData = true;
    connection.dispatchEvent(new Event("change"));
    expect(told.at(0)).toMatchObject({ battery: null, data_saver: false });
    expect(told.at(-1)).toMatchObject({ battery: 0.5, data_saver: true });
  });
});
