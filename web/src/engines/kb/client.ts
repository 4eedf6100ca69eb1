/**
 * The knowledge base as the panel sees it: load it, ask it, let it go.
 *
 * It decides when a worker counts as dead and starts another, once; questions under way are asked
 * again there. It refuses to answer before it is ready: the panel decides how long to wait and whom
 * to ask instead. A failure rejects with a `KbError`, whose `reason` says what it was.
 */

import { KbError } from "./engine.ts";
import type {
  KbBrowse,
  KbCall,
  KbJudged,
  KbJudgeRequest,
  KbProgress,
  KbPrompt,
  KbPromptRequest,
  KbReply,
  KbRequest,
  KbResponse,
  KbText,
  KbTopic,
  KnowledgeUrls,
  Loaded,
  PythonUrls,
} from "./protocol.ts";

export { KbError } from "./engine.ts";
export type * from "./protocol.ts";

/** What the client needs of a worker; the browser's `Worker` is one. */
export interface WorkerLike {
  postMessage(message: KbCall): void;
  terminate(): void;
  addEventListener(type: "message", listener: (event: MessageEvent<KbReply>) => void): void;
  addEventListener(type: "error" | "messageerror", listener: (event: Event) => void): void;
}

export interface KnowledgeBaseOptions {
  readonly spawn: () => WorkerLike;
  readonly python: PythonUrls;
  readonly knowledge: KnowledgeUrls;
  /** An answer that takes longer means that the worker is stuck. */
  readonly askTimeoutMs?: number;
}

export type ProgressListener = (event: KbProgress) => void;

interface Pending {
  readonly call: KbCall;
  readonly resolve: (reply: KbReply) => void;
  readonly reject: (error: KbError) => void;
}

const ASK_TIMEOUT_MS = 10_000;
const MAX_RESTARTS = 1;

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

export class KnowledgeBase {
  readonly #options: KnowledgeBaseOptions;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Set<ProgressListener>();
  #worker: WorkerLike | null = null;
  #loading: Promise<string> | null = null;
  #loaded: Loaded | null = null;
  #lastId = 0;
  #restarts = 0;
  #waiting = 0;
  #disposed = false;

  constructor(options: KnowledgeBaseOptions) {
    this.#options = options;
  }

  /** Whether `ask` will be answered. */
  get ready(): boolean {
    return this.#loaded !== null;
  }

  /** The release of the loaded index, as the index itself says; null until it is ready. */
  get release(): string | null {
    return this.#loaded?.release ?? null;
  }

  /** The release of the embedding that meanings are known by; null where words alone count. */
  get embedding(): string | null {
    return this.#loaded?.embedding ?? null;
  }

  /**
   * Starts the worker and loads Python, the index and its embedding. Calls share one load; after a failure the next
   * call tries again. An abort stops the waiting, and the worker too if nobody else waits.
   */
  load(onProgress?: ProgressListener, signal?: AbortSignal): Promise<string> {
    if (this.#disposed) return Promise.reject(gone());
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (onProgress) this.#listeners.add(onProgress);
    this.#loading ??= this.#start();
    this.#waiting += 1;
    return abortable(this.#loading, signal).finally(() => {
      this.#waiting -= 1;
      if (onProgress) this.#listeners.delete(onProgress);
      if (this.#waiting === 0 && !this.ready) this.#stop(gone());
    });
  }

  /** Asks one question; rejects at once when the knowledge base is not ready. */
  async ask(request: KbRequest): Promise<KbResponse> {
    return (await this.#asked({ type: "ask", request }, "answer")).response;
  }

  /** Lists what can be asked; rejects at once when the knowledge base is not ready. */
  async browse(request: KbBrowse): Promise<readonly KbTopic[]> {
    return (await this.#asked({ type: "browse", request }, "topics")).topics;
  }

  /** What a model on this device is to be told of a question. */
  async prompt(request: KbPromptRequest): Promise<KbPrompt> {
    return (await this.#asked({ type: "prompt", request }, "prompted")).prompt;
  }

  /** How far what a model on this device wrote may be believed. */
  async judge(request: KbJudgeRequest): Promise<KbJudged> {
    return (await this.#asked({ type: "judge", request }, "judged")).judged;
  }

  /** What an encoder encodes; rejects at once when the knowledge base is not ready. */
  async texts(): Promise<readonly KbText[]> {
    return (await this.#asked({ type: "texts" }, "texts")).texts;
  }

  async #asked<Type extends KbReply["type"]>(
    call: DistributiveOmit<KbCall, "id">,
    type: Type,
  ): Promise<Extract<KbReply, { type: Type }>> {
    if (!this.ready) throw gone();
    const unwatch = this.#watch(this.#options.askTimeoutMs ?? ASK_TIMEOUT_MS);
    try {
      return expected(await this.#call(call), type);
    } finally {
      unwatch();
    }
  }

  /** Ends the worker; whatever is under way rejects. The object is of no use afterwards. */
  dispose(): void {
    this.#disposed = true;
    this.#stop(gone());
    this.#listeners.clear();
  }

  async #start(): Promise<string> {
    try {
      this.#spawn();
      this.#loaded = await this.#loadWorker();
      return this.#loaded.release;
    } catch (error) {
      this.#stop(gone());
      throw error;
    }
  }

  async #loadWorker(): Promise<Loaded> {
    const { python, knowledge } = this.#options;
    const call = this.#call({ type: "load", python, knowledge });
    const { release, embedding } = expected(await call, "loaded");
    return { release, embedding };
  }

  #spawn(): void {
    const worker = this.#options.spawn();
    this.#worker = worker;
    const mine = (act: () => void) => () => worker === this.#worker && act();
    worker.addEventListener("message", (event) => {
      if (worker === this.#worker) this.#receive(event.data);
    });
    const died = mine(() => this.#died("the worker stopped"));
    worker.addEventListener("error", died);
    worker.addEventListener("messageerror", died);
  }

  #call(body: DistributiveOmit<KbCall, "id">): Promise<KbReply> {
    this.#lastId += 1;
    const call = { ...body, id: this.#lastId } as KbCall;
    return new Promise((resolve, reject) => {
      this.#pending.set(call.id, { call, resolve, reject });
      this.#worker?.postMessage(call);
    });
  }

  #receive(reply: KbReply): void {
    if (reply.type === "progress") {
      for (const listener of this.#listeners) listener(reply);
      return;
    }
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (reply.type === "failed") pending?.reject(new KbError(reply.reason, reply.message));
    else pending?.resolve(reply);
  }

  /** Calls the worker dead after `ms`, unless it was replaced meanwhile: then the new one has `ms`. */
  #watch(ms: number): () => void {
    let watched = this.#worker;
    const timer = setInterval(() => {
      if (watched === this.#worker) this.#died("no answer in time");
      watched = this.#worker;
    }, ms);
    return () => clearInterval(timer);
  }

  /** Once, a new worker takes over what the dead one left undone; the second death is the end. */
  #died(message: string): void {
    const failed = new KbError("python", message);
    if (this.#restarts >= MAX_RESTARTS) {
      this.#stop(failed);
      return;
    }
    this.#restarts += 1;
    this.#worker?.terminate();
    const undone = [...this.#pending.values()];
    this.#spawn();
    // A load under way is simply sent again; a finished one has to be repeated before the questions.
    const again = undone.some(({ call }) => call.type === "load")
      ? Promise.resolve()
      : this.#loadWorker().then((loaded) => {
          this.#loaded = loaded;
        });
    again.then(
      () => {
        for (const { call } of undone) this.#worker?.postMessage(call);
      },
      (error: unknown) => this.#stop(error instanceof KbError ? error : failed),
    );
  }

  #stop(error: KbError): void {
    this.#worker?.terminate();
    this.#worker = null;
    this.#loaded = null;
    this.#loading = null;
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

function gone(): KbError {
  return new KbError("not_loaded", "the knowledge base is not loaded");
}

/** `work`, or the signal's reason as soon as it aborts. */
function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

function expected<Type extends KbReply["type"]>(
  reply: KbReply,
  type: Type,
): Extract<KbReply, { type: Type }> {
  if (reply.type !== type) throw new KbError("python", `unexpected reply: ${reply.type}`);
  return reply as Extract<KbReply, { type: Type }>;
}
