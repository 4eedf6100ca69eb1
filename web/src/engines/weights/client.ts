/**
 * The keeper of models as the panel sees it, in front of its worker, which starts with the first call.
 *
 * Decides: a worker that dies takes its calls with it, and the next call starts another.
 */

import type { Wanted } from "./download.ts";
import { WeightsError } from "./failure.ts";
import type { Kept, WeightsCall, WeightsReply } from "./protocol.ts";

export type { Kept } from "./protocol.ts";

/** What the client needs of a worker; the browser's `Worker` is one. */
export interface WeightsWorker {
  postMessage(message: WeightsCall): void;
  terminate(): void;
  addEventListener(type: "message", listener: (event: MessageEvent<WeightsReply>) => void): void;
  addEventListener(type: "error" | "messageerror", listener: (event: Event) => void): void;
}

interface Pending {
  readonly told: ((kept: Kept) => void) | undefined;
  readonly resolve: (reply: WeightsReply & { readonly type: "done" }) => void;
  readonly reject: (error: unknown) => void;
}

export class Weights {
  readonly #pending = new Map<number, Pending>();
  #worker: WeightsWorker | undefined;
  #lastId = 0;

  constructor(private readonly spawn: () => WeightsWorker) {}

  /** Brings the model here; `told` hears how much is. */
  async fetch(wanted: Wanted, told: (kept: Kept) => void, signal: AbortSignal): Promise<Kept> {
    return (await this.#call("fetch", wanted, told, signal)).kept;
  }

  /** How much of it is here. */
  async here(wanted: Wanted): Promise<Kept> {
    return (await this.#call("here", wanted)).kept;
  }

  /** The whole file, every block of it looked at. */
  async open(wanted: Wanted, signal?: AbortSignal): Promise<Blob> {
    const { blob } = await this.#call("open", wanted, undefined, signal);
    if (!blob) throw new WeightsError("storage", "the worker gave no file");
    return blob;
  }

  /** Ends the worker, and with it whatever is under way. */
  dispose(): void {
    this.#died("the worker was ended");
  }

  #call(
    type: "fetch" | "open" | "here",
    wanted: Wanted,
    told?: (kept: Kept) => void,
    signal?: AbortSignal,
  ): Promise<WeightsReply & { readonly type: "done" }> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    this.#lastId += 1;
    const id = this.#lastId;
    const worker = this.#started();
    return new Promise((resolve, reject) => {
      const stop = () => worker.postMessage({ id, type: "stop" });
      const settled = () => signal?.removeEventListener("abort", stop);
      signal?.addEventListener("abort", stop, { once: true });
      this.#pending.set(id, {
        told,
        resolve: (reply) => {
          settled();
          resolve(reply);
        },
        reject: (error) => {
          settled();
          reject(signal?.aborted ? signal.reason : error);
        },
      });
      worker.postMessage({ id, type, wanted });
    });
  }

  #started(): WeightsWorker {
    if (this.#worker) return this.#worker;
    const worker = this.spawn();
    this.#worker = worker;
    worker.addEventListener("message", ({ data }) => this.#receive(data));
    const died = () => worker === this.#worker && this.#died("the worker stopped");
    worker.addEventListener("error", died);
    worker.addEventListener("messageerror", died);
    return worker;
  }

  #receive(reply: WeightsReply): void {
    const pending = this.#pending.get(reply.id);
    if (reply.type === "progress") {
      pending?.told?.(reply.kept);
      return;
    }
    this.#pending.delete(reply.id);
    if (reply.type === "done") pending?.resolve(reply);
    else if (reply.type === "stopped") pending?.reject(new WeightsError("network", "stopped"));
    else pending?.reject(new WeightsError(reply.reason, reply.message));
  }

  #died(message: string): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    const undone = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of undone) reject(new WeightsError("storage", message));
  }
}
