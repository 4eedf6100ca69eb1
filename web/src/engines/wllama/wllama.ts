/**
 * llama.cpp as WebAssembly, by wllama, in a worker of its own: one thread, or several where the page is isolated.
 *
 * Decides how it is set up, and when it counts as stuck: a model that says nothing for too long is taken out of memory, so
 * that nothing of it goes on. Refuses a prompt longer than its context, and what is no model.
 */

import { WLLAMA } from "virtual:fanlight-wllama";
import { type ChatCompletionParams, Wllama } from "@wllama/wllama/esm/index.js";
import {
  type Engine,
  EngineError,
  type GenerateOptions,
  type LocalModel,
  type Message,
  type Piece,
} from "../engine.ts";
import { Pieces } from "../pieces.ts";
import { fitOf, surroundings } from "./fit.ts";
import { whenStarted } from "./start.ts";

/** So many tokens of a prompt are read between two looks at whether it is still wanted. */
const STEP_TOKENS = 64;
/** Longer prompts than ours are not read; memory grows with it. */
const MOST_CONTEXT = 4096;
const LOAD_MS = 120_000;
/** Reading a prompt on a slow phone takes its time. */
const FIRST_MS = 90_000;
const BETWEEN_MS = 20_000;

interface Chunk {
  readonly choices?: readonly {
    readonly delta?: { readonly content?: string | null };
    readonly logprobs?: { readonly content?: readonly { readonly logprob: number }[] } | null;
  }[];
}

const silent = { debug() {}, log() {}, warn() {}, error() {} };

export class WllamaEngine implements Engine {
  #wllama: Wllama | undefined;
  /** Ends what is under way by an error. */
  #fail: (error: EngineError) => void = () => undefined;
  #lost: EngineError | undefined;

  /** What runs underneath, for whoever measures what this adds. */
  get underneath(): Wllama | undefined {
    return this.#wllama;
  }

  async load(model: LocalModel, weights: Blob, signal?: AbortSignal): Promise<void> {
    const fit = fitOf(model, surroundings());
    if (!fit.ok) throw new EngineError("load", `this device cannot run it: ${fit.why}`);
    const options = { suppressNativeLog: true, logger: silent };
    const wllama = new Wllama({ default: WLLAMA.wasm }, options);
    this.#wllama = wllama;
    const died = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    whenStarted((worker) => {
      worker.addEventListener("error", () => {
        // One that was let go ends too.
        if (this.#wllama !== wllama) return;
        this.#lost = new EngineError("lost", "the worker stopped");
        this.#fail(this.#lost);
      });
    });
    const loading = wllama.loadModel([weights], {
      n_threads: fit.threads,
      n_gpu_layers: 0,
      n_ctx: Math.min(model.context, MOST_CONTEXT),
      n_batch: STEP_TOKENS,
      n_parallel: 1,
      warmup: false,
    });
    try {
      await within(LOAD_MS, Promise.race([loading, died]), signal);
    } catch (error) {
      await this.unload();
      if (signal?.aborted) throw signal.reason;
      throw error instanceof EngineError ? error : named("load", error);
    }
  }

  async *generate(
    messages: readonly Message[],
    options: GenerateOptions,
    signal: AbortSignal,
  ): AsyncGenerator<Piece, void, undefined> {
    const wllama = this.#wllama;
    if (!wllama) throw new EngineError("generate", "no model is loaded");
    if (this.#lost) throw this.#lost;
    signal.throwIfAborted();
    const pieces = new Pieces();
    this.#fail = (error) => pieces.fail(error);
    const ended = new AbortController();
    const stop = AbortSignal.any([signal, ended.signal]);
    const asked = {
      messages: messages.map(({ role, content }) => ({ role, content })),
      max_tokens: options.maxTokens,
      temperature: 0,
      logprobs: true,
      top_logprobs: 1,
      stream: true as const,
      abortSignal: stop,
      onData: (chunk: Chunk) => pieces.put(pieceOf(chunk)),
    };
    // With `onData` it resolves at the end; its types know that for its own stream alone.
    const running = wllama.createChatCompletion(asked as ChatCompletionParams & { stream: true });
    running.then(
      () => pieces.end(),
      (error: unknown) => pieces.fail(named("generate", error)),
    );
    try {
      yield* pieces.read(FIRST_MS, BETWEEN_MS, signal);
    } catch (error) {
      // What is stuck cannot be asked to stop.
      const gone = error instanceof EngineError && ["timeout", "lost"].includes(error.reason);
      if (gone) await this.unload();
      throw error;
    } finally {
      ended.abort();
    }
  }

  async unload(): Promise<void> {
    const wllama = this.#wllama;
    this.#wllama = undefined;
    await wllama?.exit();
  }
}

function pieceOf({ choices }: Chunk): Piece {
  const [first] = choices ?? [];
  const told = (first?.logprobs?.content ?? []).map(({ logprob }) => logprob);
  // Rounding may lead past 0, and what is impossible is said as infinity.
  const logprobs = told.filter(Number.isFinite).map((one) => Math.min(0, one));
  return { text: first?.delta?.content ?? "", logprobs };
}

function named(reason: "load" | "generate", error: unknown): EngineError {
  const message = error instanceof Error ? error.message : String(error);
  const long = /context|too long|exceed/i.test(message);
  return new EngineError(long ? "context" : reason, message, { cause: error });
}

function within<T>(ms: number, work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const late = () => reject(new EngineError("timeout", `it took longer than ${ms} ms`));
    const timer = setTimeout(late, ms);
    const abort = () => reject(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    });
  });
}
