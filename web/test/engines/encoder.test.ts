import { describe, expect, it, vi } from "vitest";
import { Encoder, type EncoderWorker } from "../../src/engines/encoder/encoder.ts";
import { openGraph, type Runtime } from "../../src/engines/encoder/graph.ts";
import { cosine, pooled } from "../../src/engines/encoder/pooling.ts";
import type { EncoderCall, EncoderReply } from "../../src/engines/encoder/protocol.ts";
import {
  EncoderServer,
  FACTS,
  GRAPH,
  type Graph,
  TOKENIZER,
} from "../../src/engines/encoder/serve.ts";
import { EngineError } from "../../src/engines/engine.ts";

const SIZE = 4;
const FACTS_TEXT = JSON.stringify({ dimensions: SIZE, context: 8, query: "a ", passage: "" });
const VOCABULARY = { "[UNK]": 0, "[CLS]": 1, "[SEP]": 2, a: 3, b: 4, try: 5 };
const TOKENIZER_TEXT = JSON.stringify({
  model: {
    type: "WordPiece",
    vocab: VOCABULARY,
    unk_token: "[UNK]",
    continuing_subword_prefix: "##",
    max_input_chars_per_word: 100,
  },
  normalizer: {
    type: "BertNormalizer",
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  pre_tokenizer: { type: "BertPreTokenizer" },
  post_processor: {
    type: "TemplateProcessing",
    single: [
      { SpecialToken: { id: "[CLS]" } },
      { Sequence: { id: "A" } },
      { SpecialToken: { id: "[SEP]" } },
    ],
    special_tokens: { "[CLS]": { ids: [1] }, "[SEP]": { ids: [2] } },
  },
});

/** An archive as `fanlight models publish` writes it (ustar). */
function archive(files: Readonly<Record<string, string>>): Blob {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (const [name, content] of Object.entries(files)) {
    const bytes = new TextEncoder().encode(content);
    const header = new Uint8Array(512);
    header.set(new TextEncoder().encode(name), 0);
    header.set(new TextEncoder().encode(bytes.length.toString(8).padStart(11, "0")), 124);
    const sum = header.reduce((total, byte) => total + byte, 8 * 32);
    header.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
    const padded = new Uint8Array(Math.ceil(bytes.length / 512) * 512);
    padded.set(bytes);
    parts.push(header, padded);
  }
  return new Blob([...parts, new Uint8Array(1024)]);
}

const FILES = { [FACTS]: FACTS_TEXT, [TOKENIZER]: TOKENIZER_TEXT, [GRAPH]: "graph" };

/** A graph whose token states are that token's number in each place. */
class Numbers implements Graph {
  inputNames: readonly string[] = ["input_ids", "attention_mask"];
  outputNames: readonly string[] = ["last_hidden_state"];
  size = SIZE;
  value: number | undefined;
  readonly seen: (readonly number[])[] = [];

  async run(ids: readonly number[]) {
    this.seen.push(ids);
    const data = ids.flatMap((id) => new Array<number>(this.size).fill(this.value ?? id));
    return { dims: [1, ids.length, this.size], data };
  }
}

function server(graph: Graph = new Numbers()) {
  const replies: EncoderReply[] = [];
  const made = new EncoderServer({
    open: async () => graph,
    post: (reply) => replies.push(reply),
  });
  const load = (files: Readonly<Record<string, string>> = FILES) =>
    made.serve({ type: "load", archive: archive(files) });
  return { made, replies, load };
}

describe("a vector", () => {
  it("is the mean of a text's tokens, of length 1", () => {
    const found = pooled([3, 0, 0, 4], 2);
    expect([...(found ?? [])]).toEqual([expect.closeTo(0.6), expect.closeTo(0.8)]);
    expect(cosine(found ?? [], [0.6, 0.8])).toBeCloseTo(1);
  });

  it("is none where something is no number", () => {
    expect(pooled([Number.NaN, 1], 2)).toBeUndefined();
  });
});

describe("the encoder's worker", () => {
  it("loads, says how it is asked, and encodes by purpose", async () => {
    const graph = new Numbers();
    const { made, replies, load } = server(graph);
    await load();
    await made.serve({ type: "embed", id: 1, texts: ["b", "A b"], purpose: "passage" });
    await made.serve({ type: "embed", id: 2, texts: ["b"], purpose: "query" });
    expect(graph.seen).toEqual([
      [1, 3, 5, 2],
      [1, 4, 2],
      [1, 3, 4, 2],
      [1, 3, 4, 2],
    ]);
    const [loaded, first] = replies;
    expect(loaded).toMatchObject({ type: "loaded", facts: { dimensions: SIZE } });
    expect(first).toMatchObject({ type: "embedded", id: 1 });
    const vectors = first?.type === "embedded" ? [...first.vectors] : [];
    expect(vectors).toEqual(new Array(2 * SIZE).fill(0.5));
  });

  it("cuts off what is longer than the context", async () => {
    const graph = new Numbers();
    const { made, load } = server(graph);
    await load();
    await made.serve({ type: "embed", id: 1, texts: ["b ".repeat(500)], purpose: "passage" });
    expect(graph.seen.at(-1)).toHaveLength(8);
  });

  it.each([
    ["a part is missing", { [FACTS]: FACTS_TEXT }, new Numbers(), "no tokenizer.json"],
    [
      "the graph takes something else",
      FILES,
      Object.assign(new Numbers(), { inputNames: ["input_ids", "pixels"] }),
      "no encoder",
    ],
    [
      "the graph gives something else",
      FILES,
      Object.assign(new Numbers(), { outputNames: ["logits"] }),
      "no encoder",
    ],
    ["vectors have another size", FILES, Object.assign(new Numbers(), { size: 3 }), "states of"],
    [
      "vectors are no numbers",
      FILES,
      Object.assign(new Numbers(), { value: Number.NaN }),
      "no numbers",
    ],
  ])("refuses where %s", async (_why, files, graph, said) => {
    const { made, replies, load } = server(graph);
    await load(files as Record<string, string>);
    expect(replies).toMatchObject([{ type: "failed", message: expect.stringContaining(said) }]);
    await made.serve({ type: "embed", id: 7, texts: ["b"], purpose: "query" });
    expect(replies[1]).toMatchObject({ type: "failed", id: 7, reason: "generate" });
  });

  it("refuses a second encoder", async () => {
    const { replies, load } = server();
    await load();
    await load();
    expect(replies[1]).toMatchObject({ type: "failed", reason: "load" });
  });

  it("stops between two texts", async () => {
    const { made, replies, load } = server();
    await load();
    const running = made.serve({ type: "embed", id: 1, texts: ["a", "b"], purpose: "query" });
    await made.serve({ type: "stop", id: 1 });
    await running;
    expect(replies.at(-1)).toEqual({ type: "stopped", id: 1 });
  });
});

it("a graph is fed every token, of one sentence, and asked for its states", async () => {
  const fed: unknown[] = [];
  class Made {
    constructor(
      readonly type: string,
      readonly data: BigInt64Array,
      readonly dims: readonly number[],
    ) {}
  }
  const states = { dims: [1, 2, 1], getData: async () => new Float32Array([1, 2]), dispose() {} };
  const session = {
    inputNames: ["input_ids", "attention_mask", "token_type_ids"],
    outputNames: ["last_hidden_state"],
    run: async (feeds: Record<string, Made>) => {
      fed.push(Object.entries(feeds).map(([name, { data, dims }]) => [name, [...data], dims]));
      return { last_hidden_state: states };
    },
  };
  const runtime = { InferenceSession: { create: async () => session }, Tensor: Made };
  const graph = await openGraph(runtime as unknown as Runtime, new Uint8Array(), ["wasm"]);
  const found = await graph.run([5, 6], graph.inputNames, "last_hidden_state");
  expect(found).toEqual({ dims: [1, 2, 1], data: new Float32Array([1, 2]) });
  expect(fed).toEqual([
    [
      ["input_ids", [5n, 6n], [1, 2]],
      ["attention_mask", [1n, 1n], [1, 2]],
      ["token_type_ids", [0n, 0n], [1, 2]],
    ],
  ]);
  await expect(graph.run([5], ["input_ids"], "other")).rejects.toThrow("other");
});

/** A worker that runs the real server in this thread. */
class Near implements EncoderWorker {
  readonly #listeners: ((event: MessageEvent<EncoderReply>) => void)[] = [];
  readonly #failures: ((event: Event) => void)[] = [];
  readonly #server: EncoderServer;
  ended = false;
  deaf = false;

  constructor(graph: Graph = new Numbers()) {
    this.#server = new EncoderServer({
      open: async () => graph,
      post: (reply) => this.hear(reply),
    });
  }

  hear(reply: EncoderReply): void {
    for (const listener of this.#listeners) {
      listener({ data: reply } as MessageEvent<EncoderReply>);
    }
  }

  die(): void {
    for (const listener of this.#failures) listener(new Event("error"));
  }

  postMessage(call: EncoderCall): void {
    if (!this.deaf) void this.#server.serve(call);
  }

  terminate(): void {
    this.ended = true;
  }

  addEventListener(type: string, listener: (event: never) => void): void {
    if (type === "message") this.#listeners.push(listener as never);
    else this.#failures.push(listener as never);
  }
}

describe("the encoder", () => {
  async function ready(worker = new Near()) {
    const encoder = new Encoder(() => worker);
    await encoder.load(archive(FILES));
    return { encoder, worker };
  }

  it("gives a vector for each text", async () => {
    const { encoder } = await ready();
    const found = await encoder.embed(["a", "b"], "passage");
    expect(found.map((vector) => vector.length)).toEqual([SIZE, SIZE]);
    expect([encoder.dimensions, encoder.facts?.query]).toEqual([SIZE, "a "]);
  });

  it("is ended where it cannot be loaded", async () => {
    const worker = new Near();
    const encoder = new Encoder(() => worker);
    await expect(encoder.load(archive({}))).rejects.toThrow(EngineError);
    expect(worker.ended).toBe(true);
    await expect(encoder.embed(["a"], "query")).rejects.toThrow("no encoder");
  });

  it("is loaded once", async () => {
    const { encoder } = await ready();
    await expect(encoder.load(archive(FILES))).rejects.toThrow("already");
  });

  it.each([
    ["dies", (worker: Near) => worker.die(), "stopped"],
    ["is unloaded", (_: Near, encoder: Encoder) => encoder.unload(), "unloaded"],
  ])("ends what runs where its worker %s", async (_how, ends, said) => {
    const { encoder, worker } = await ready();
    worker.deaf = true;
    const lost = vi.fn();
    encoder.onLost = lost;
    const running = encoder.embed(["a"], "query");
    ends(worker, encoder);
    // Who unloads it knows; and what is ended dies no more.
    worker.die();
    expect(lost).toHaveBeenCalledTimes(said === "stopped" ? 1 : 0);
    await expect(running).rejects.toMatchObject({
      reason: "lost",
      message: expect.stringContaining(said),
    });
    expect(worker.ended).toBe(true);
  });

  it("gives up what takes too long, and its worker", async () => {
    const { encoder, worker } = await ready();
    worker.deaf = true;
    vi.useFakeTimers();
    const running = expect(encoder.embed(["a"], "query")).rejects.toMatchObject({
      reason: "timeout",
    });
    await vi.runAllTimersAsync();
    await running;
    vi.useRealTimers();
    expect(worker.ended).toBe(true);
  });

  it("stops on the signal, and goes on with the next call", async () => {
    const { encoder } = await ready();
    const stop = new AbortController();
    const running = encoder.embed(["a", "b"], "query", stop.signal);
    stop.abort(new Error("enough"));
    await expect(running).rejects.toThrow("enough");
    expect(await encoder.embed(["a"], "query")).toHaveLength(1);
    await expect(encoder.embed(["a"], "query", stop.signal)).rejects.toThrow("enough");
  });
});
