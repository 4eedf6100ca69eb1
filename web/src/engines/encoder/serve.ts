/**
 * The worker's calls: load an encoder, encode texts. It never throws: what fails is a reply.
 *
 * Decides that texts are encoded one at a time, so that none is padded and a vector is the same whatever else is asked for, and
 * that others have their turn between two. Refuses a file that is no encoder, and one whose vectors have other dimensions than
 * it says, before anything is asked of it.
 */

import { EngineError } from "../engine.ts";
import { filesOf } from "../weights/tar.ts";
import { pooled } from "./pooling.ts";
import type { EncoderCall, EncoderFacts, EncoderReply, Purpose } from "./protocol.ts";
import { readTokenizer, type Tokenizer } from "./tokenizer.ts";

export const FACTS = "encoder.json";
export const TOKENIZER = "tokenizer.json";
export const GRAPH = "model.onnx";
/** Characters a token of the context: what is beyond cannot count, and is not even cut up. */
const MOST_TEXT = 16;
const OUTPUT = "last_hidden_state";
const INPUTS = ["input_ids", "attention_mask", "token_type_ids"];

/** A graph in memory: of the inputs that it names it gives the states of the tokens, one row each. */
export interface Graph {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(ids: readonly number[], names: readonly string[], output: string): Promise<States>;
}

export interface States {
  readonly dims: readonly number[];
  readonly data: ArrayLike<number>;
}

export interface EncoderDeps {
  readonly open: (graph: Uint8Array<ArrayBuffer>) => Promise<Graph>;
  readonly post: (reply: EncoderReply, transfer?: Transferable[]) => void;
}

interface Loaded {
  readonly graph: Graph;
  readonly names: readonly string[];
  readonly tokenizer: Tokenizer;
  readonly facts: EncoderFacts;
}

export class EncoderServer {
  #loaded: Loaded | undefined;
  readonly #stopped = new Set<number>();
  #last: Promise<void> = Promise.resolve();

  constructor(private readonly deps: EncoderDeps) {}

  async serve(call: EncoderCall): Promise<void> {
    if (call.type === "stop") {
      this.#stopped.add(call.id);
      return;
    }
    // One after the other: a graph runs one text at a time.
    const mine = this.#last.then(() => this.#done(call));
    this.#last = mine;
    await mine;
  }

  async #done(call: Exclude<EncoderCall, { readonly type: "stop" }>): Promise<void> {
    const id = call.type === "embed" ? { id: call.id } : {};
    try {
      if (call.type === "load") {
        await this.#load(call.archive);
      } else {
        await this.#embed(call.id, call.texts, call.purpose);
      }
    } catch (error) {
      // The edge of the worker: an error that is not ours would otherwise be lost with its stack.
      const reason = error instanceof EngineError ? error.reason : "load";
      const message = error instanceof Error ? error.message : String(error);
      this.deps.post({ type: "failed", ...id, reason, message });
    }
  }

  async #load(archive: Blob): Promise<void> {
    if (this.#loaded) throw new EngineError("load", "an encoder is loaded already");
    const files = await filesOf(archive);
    const [told, cut, weights] = [FACTS, TOKENIZER, GRAPH].map((name) => {
      const found = files.get(name);
      if (!found) throw new EngineError("load", `the encoder's file has no ${name}`);
      return found;
    }) as [Blob, Blob, Blob];
    const facts = JSON.parse(await told.text()) as EncoderFacts;
    const tokenizer = readTokenizer(await cut.text());
    const graph = await this.deps.open(new Uint8Array(await weights.arrayBuffer()));
    const loaded = { graph, names: namesOf(graph), tokenizer, facts };
    // Asked once: what does not run, or gives other vectors, is not kept.
    await embedded(loaded, "try", "query");
    this.#loaded = loaded;
    this.deps.post({ type: "loaded", facts });
  }

  async #embed(id: number, texts: readonly string[], purpose: Purpose): Promise<void> {
    const loaded = this.#loaded;
    if (!loaded) throw new EngineError("generate", "no encoder is loaded");
    const { dimensions } = loaded.facts;
    const vectors = new Float32Array(texts.length * dimensions);
    for (const [at, text] of texts.entries()) {
      vectors.set(await embedded(loaded, text, purpose), at * dimensions);
      // Messages are heard between two tasks alone.
      await new Promise((resolve) => setTimeout(resolve));
      if (this.#stopped.delete(id)) return this.deps.post({ type: "stopped", id });
    }
    this.#stopped.delete(id);
    this.deps.post({ type: "embedded", id, vectors }, [vectors.buffer]);
  }
}

function namesOf(graph: Graph): readonly string[] {
  const { inputNames, outputNames } = graph;
  const known = inputNames.every((name) => INPUTS.includes(name));
  const needed = INPUTS.slice(0, 2).every((name) => inputNames.includes(name));
  if (!known || !needed || !outputNames.includes(OUTPUT)) {
    const both = `it takes ${inputNames.join(", ")} and gives ${outputNames.join(", ")}`;
    throw new EngineError("load", `the graph is no encoder: ${both}`);
  }
  return inputNames;
}

async function embedded(
  { graph, names, tokenizer, facts }: Loaded,
  text: string,
  purpose: Purpose,
): Promise<Float32Array> {
  const { context, dimensions } = facts;
  const ids = tokenizer.encode(facts[purpose] + text.slice(0, MOST_TEXT * context), context);
  const { dims, data } = await graph.run(ids, names, OUTPUT);
  if (dims.length !== 3 || dims[1] !== ids.length || dims[2] !== dimensions) {
    throw new EngineError("load", `the encoder gave states of ${dims.join(" x ")}`);
  }
  const vector = pooled(data, dimensions);
  if (!vector) throw new EngineError("generate", "the encoder gave vectors that are no numbers");
  return vector;
}
