/**
 * WebLLM on the graphics processor, in a worker of its own.
 *
 * Decides when it counts as stuck, and that memory is given back by ending the worker: what hangs in a driver cannot be asked
 * to stop. A worker that dies, and a graphics processor that is lost, end what runs by an `EngineError` of the reason `lost`.
 */

import {
  type Engine,
  EngineError,
  type GenerateOptions,
  type LocalModel,
  type Message,
  type Piece,
} from "../engine.ts";
import { Pieces } from "../pieces.ts";
import type { MlcCall, MlcReply } from "./protocol.ts";

/** What is needed of a worker; the browser's `Worker` is one. */
export interface MlcWorker {
  postMessage(call: MlcCall): void;
  terminate(): void;
  addEventListener(type: "message", listener: (event: MessageEvent<MlcReply>) => void): void;
  addEventListener(type: "error" | "messageerror", listener: (event: Event) => void): void;
}

/** Compiling shaders takes its time at first. */
const LOAD_MS = 180_000;
const FIRST_MS = 90_000;
const BETWEEN_MS = 20_000;
const MOST_CONTEXT = 4096;

export class WebLlmEngine implements Engine {
  #worker: MlcWorker | undefined;
  #hear: (reply: MlcReply) => void = () => undefined;
  #lost: EngineError | undefined;

  constructor(private readonly spawn: () => MlcWorker) {}

  async load(model: LocalModel, weights: Blob, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const worker = this.spawn();
    this.#worker = worker;
    worker.addEventListener("message", ({ data }) => this.#hear(data));
    const died = () => {
      // One that was let go ends too.
      if (worker !== this.#worker) return;
      this.#lost = new EngineError("lost", "the worker stopped");
      this.#hear({ type: "failed", reason: "lost", message: "the worker stopped" });
    };
    worker.addEventListener("error", died);
    worker.addEventListener("messageerror", died);
    try {
      await this.#loaded(model, weights, signal);
    } catch (error) {
      await this.unload();
      throw error;
    }
  }

  async *generate(
    messages: readonly Message[],
    { maxTokens }: GenerateOptions,
    signal: AbortSignal,
  ): AsyncGenerator<Piece, void, undefined> {
    const worker = this.#worker;
    if (!worker) throw new EngineError("generate", "no model is loaded");
    if (this.#lost) throw this.#lost;
    signal.throwIfAborted();
    const pieces = new Pieces();
    let running = true;
    const done = new Promise<void>((resolve) => {
      this.#hear = (reply) => {
        if (reply.type === "piece") return pieces.put(reply);
        running = false;
        if (reply.type === "failed") pieces.fail(new EngineError(reply.reason, reply.message));
        else pieces.end();
        resolve();
      };
    });
    worker.postMessage({ type: "generate", messages, maxTokens });
    try {
      yield* pieces.read(FIRST_MS, BETWEEN_MS, signal);
    } catch (error) {
      if (error instanceof EngineError && error.reason === "timeout") await this.unload();
      throw error;
    } finally {
      if (running && this.#worker) {
        worker.postMessage({ type: "stop" });
        await this.#ended(done);
      }
    }
  }

  async unload(): Promise<void> {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#hear({ type: "failed", reason: "lost", message: "the model was unloaded" });
    this.#hear = () => undefined;
  }

  #loaded(model: LocalModel, archive: Blob, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new EngineError("timeout", `it took longer than ${LOAD_MS} ms`));
      const timer = setTimeout(late, LOAD_MS);
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      this.#hear = (reply) => {
        clearTimeout(timer);
        if (reply.type === "failed") reject(new EngineError(reply.reason, reply.message));
        else resolve();
      };
      const context = Math.min(model.context, MOST_CONTEXT);
      this.#worker?.postMessage({ type: "load", id: model.id, context, archive });
    });
  }

  /** One generation at a time: the next begins when this one is over, or with a worker of its own. */
  async #ended(done: Promise<void>): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(resolve, BETWEEN_MS, "late");
    });
    if ((await Promise.race([done, late])) === "late") await this.unload();
    clearTimeout(timer);
  }
}
