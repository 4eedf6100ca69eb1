/**
 * The worker's calls: fetch, open, count. It never throws: whatever fails is a reply.
 *
 * Decides that one tab at a time fetches a model: the others wait for it and are told how far it is, and find all of it
 * there when it is their turn.
 */

import { Blocks, cacheOf } from "./blocks.ts";
import { type DownloadOptions, download, manifestOf, type Wanted } from "./download.ts";
import { WeightsError } from "./failure.ts";
import { readManifest } from "./manifest.ts";
import type { Kept, WeightsCall, WeightsReply } from "./protocol.ts";

export interface ServeDeps {
  readonly fetch: DownloadOptions["fetch"];
  readonly caches: CacheStorage;
  readonly wait: DownloadOptions["wait"];
  /** Runs `work` while no other tab runs work of that name. */
  readonly alone: <T>(name: string, work: () => Promise<T>, signal: AbortSignal) => Promise<T>;
  /** Between the tabs: how far one of them is. */
  readonly channel: (name: string) => Pick<BroadcastChannel, "postMessage" | "close" | "onmessage">;
  readonly post: (reply: WeightsReply) => void;
}

type Work = Exclude<WeightsCall, { readonly type: "stop" }>;

export class WeightsServer {
  readonly #running = new Map<number, AbortController>();

  constructor(private readonly deps: ServeDeps) {}

  async serve(call: WeightsCall): Promise<void> {
    if (call.type === "stop") {
      this.#running.get(call.id)?.abort();
      return;
    }
    const stop = new AbortController();
    this.#running.set(call.id, stop);
    try {
      this.deps.post(await this.#done(call, stop.signal));
    } catch (error) {
      this.deps.post(failed(call.id, error, stop.signal));
    } finally {
      this.#running.delete(call.id);
    }
  }

  async #done(call: Work, signal: AbortSignal): Promise<WeightsReply> {
    const { id, wanted } = call;
    const told = (kept: Kept) => this.deps.post({ id, type: "progress", kept });
    if (call.type === "fetch") {
      return { id, type: "done", kept: await this.#fetched(wanted, told, signal) };
    }
    if (call.type === "here") return { id, type: "done", kept: await this.#here(wanted) };
    const options = this.#options(wanted, (done, total) => told({ done, total }), signal);
    const manifest = await manifestOf(wanted, options);
    const blob = await options.blocks.open(manifest);
    return { id, type: "done", kept: { done: blob.size, total: manifest.size }, blob };
  }

  async #fetched(wanted: Wanted, told: (kept: Kept) => void, signal: AbortSignal): Promise<Kept> {
    const name = cacheOf(wanted.site, wanted.sha256);
    const channel = this.deps.channel(name);
    channel.onmessage = ({ data }) => told(data as Kept);
    try {
      const work = () => {
        channel.onmessage = null;
        const both = (done: number, total: number) => {
          told({ done, total });
          channel.postMessage({ done, total });
        };
        return download(wanted, this.#options(wanted, both, signal));
      };
      const { size } = await this.deps.alone(name, work, signal);
      return { done: size, total: size };
    } finally {
      channel.close();
    }
  }

  async #here(wanted: Wanted): Promise<Kept> {
    const blocks = new Blocks(this.deps.caches, cacheOf(wanted.site, wanted.sha256));
    const bytes = await blocks.manifest();
    const manifest = bytes && (await readManifest(bytes, wanted.sha256).catch(() => undefined));
    if (!manifest) return { done: 0, total: 0 };
    const missing = await blocks.missing(manifest);
    const share = 1 - missing.length / manifest.blocks.length;
    const done = missing.length === 0 ? manifest.size : Math.floor(share * manifest.size);
    return { done, total: manifest.size };
  }

  #options(wanted: Wanted, told: DownloadOptions["told"], signal: AbortSignal): DownloadOptions {
    const { fetch, wait, caches } = this.deps;
    const blocks = new Blocks(caches, cacheOf(wanted.site, wanted.sha256));
    return { fetch, wait, blocks, told, signal };
  }
}

function failed(id: number, error: unknown, signal: AbortSignal): WeightsReply {
  if (signal.aborted) return { id, type: "stopped" };
  // The edge of the worker: an error that is not ours would otherwise be lost with its stack.
  const reason = error instanceof WeightsError ? error.reason : "storage";
  const message = error instanceof Error ? error.message : String(error);
  return { id, type: "failed", reason, message };
}
