/**
 * Sentences as vectors, in a worker of its own, on one thread.
 *
 * Decides when it counts as stuck, and that memory is given back by ending the worker. A worker that dies, and one that is
 * ended, end what is under way by an `EngineError` of the reason `lost`.
 */

import { EngineError } from "../engine.ts";
import type { EncoderCall, EncoderFacts, EncoderReply, Purpose } from "./protocol.ts";

/** What is needed of a worker; the browser's `Worker` is one. */
export interface EncoderWorker {
  postMessage(call: EncoderCall): void;
  terminate(): void;
  addEventListener(type: "message", listener: (event: MessageEvent<EncoderReply>) => void): void;
  addEventListener(type: "error" | "messageerror", listener: (event: Event) => void): void;
}

interface Pending {
  readonly resolve: (reply: EncoderReply) => void;
  readonly reject: (error: unknown) => void;
}

const LOAD_MS = 120_000;
/** One long text on a slow phone; a call may take that for each of its texts. */
const TEXT_MS = 20_000;
const LOADING = 0;

export class Encoder {
  #worker: EncoderWorker | undefined;
  readonly #pending = new Map<number, Pending>();
  #last = LOADING;
  #facts: EncoderFacts | undefined;
  /** Hears that the worker died; whoever unloads it needs not be told. */
  onLost: (() => void) | undefined;

  constructor(private readonly spawn: () => EncoderWorker) {}

  /** How it is asked; undefined until it is loaded. */
  get facts(): EncoderFacts | undefined {
    return this.#facts;
  }

  get dimensions(): number {
    return this.#facts?.dimensions ?? 0;
  }

  /** Takes a published encoder into memory; rejects with an `EngineError`, or the signal's reason. */
  async load(archive: Blob, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#worker) throw new EngineError("load", "an encoder is loaded already");
    const worker = this.spawn();
    this.#worker = worker;
    worker.addEventListener("message", ({ data }) => this.#hear(data));
    const died = () => {
      if (worker !== this.#worker) return;
      this.#end(new EngineError("lost", "the worker stopped"));
      this.onLost?.();
    };
    worker.addEventListener("error", died);
    worker.addEventListener("messageerror", died);
    try {
      const call = { type: "load", archive } as const;
      const reply = await this.#asked(LOADING, call, LOAD_MS, signal);
      if (reply.type === "loaded") this.#facts = reply.facts;
    } catch (error) {
      this.unload();
      throw error;
    }
  }

  /** The vectors of these texts, each of length 1; rejects with an `EngineError`, or the signal's reason. */
  async embed(
    texts: readonly string[],
    purpose: Purpose,
    signal?: AbortSignal,
  ): Promise<readonly Float32Array<ArrayBuffer>[]> {
    signal?.throwIfAborted();
    if (!this.#worker) throw new EngineError("generate", "no encoder is loaded");
    this.#last += 1;
    const id = this.#last;
    const call = { type: "embed", id, texts, purpose } as const;
    const reply = await this.#asked(id, call, TEXT_MS * Math.max(1, texts.length), signal);
    if (reply.type !== "embedded") throw new EngineError("generate", "the encoder gave no vectors");
    const size = this.dimensions;
    return texts.map((_, at) => reply.vectors.slice(at * size, (at + 1) * size));
  }

  /** Gives the memory back. */
  unload(): void {
    this.#end(new EngineError("lost", "the encoder was unloaded"));
  }

  #asked(
    id: number,
    call: EncoderCall,
    ms: number,
    signal: AbortSignal | undefined,
  ): Promise<EncoderReply> {
    return new Promise<EncoderReply>((resolve, reject) => {
      const late = () => this.#end(new EngineError("timeout", `it took longer than ${ms} ms`));
      const timer = setTimeout(late, ms);
      const stop = () => {
        this.#pending.delete(id);
        this.#worker?.postMessage({ type: "stop", id });
        settled();
        reject(signal?.reason);
      };
      const settled = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", stop);
      };
      signal?.addEventListener("abort", stop, { once: true });
      this.#pending.set(id, {
        resolve: (reply) => {
          settled();
          resolve(reply);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      });
      this.#worker?.postMessage(call);
    });
  }

  #hear(reply: EncoderReply): void {
    const id = ("id" in reply && reply.id) || LOADING;
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (reply.type === "failed") pending?.reject(new EngineError(reply.reason, reply.message));
    else pending?.resolve(reply);
  }

  #end(error: EngineError): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(error);
  }
}
