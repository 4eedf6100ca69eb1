/**
 * Starts wllama's worker from its file, in place of the `blob:` that our policy refuses (scripts/wllama_parts.mjs).
 *
 * Decides the worker's address, which tells it all that it needs: inside the page's path where a service worker serves
 * that, so that it starts without a network.
 */

import { WLLAMA } from "virtual:fanlight-wllama";
import { tellEnd, workerName } from "../alive.ts";
import { workerUrl } from "../kb/worker_url.ts";

/** As wllama gives them; what its wasm is read from it has from us. */
export interface RunOptions {
  readonly pathConfig: Readonly<Record<"wllama.wasm", string>>;
  readonly nbThread: number;
}

/** The worker's address for these options. */
export function addressOf(options: RunOptions, page: string, controlled: boolean): string {
  const asked = new URLSearchParams({
    wasm: options.pathConfig["wllama.wasm"],
    threads: String(options.nbThread),
    script: workerUrl(WLLAMA.threads, page, controlled),
  });
  return `${workerUrl(WLLAMA.worker, page, controlled)}?${asked}`;
}

let heard: (worker: Worker) => void = () => undefined;

/** `hear` is given the next worker that wllama starts, which keeps it to itself. */
export function whenStarted(hear: (worker: Worker) => void): void {
  heard = hear;
}

export function startWorker(options: RunOptions): Worker {
  const controlled = Boolean(navigator.serviceWorker?.controller);
  const url = addressOf(options, location.pathname, controlled);
  const name = workerName("wllama");
  const worker = new Worker(url, { type: "module", name });
  tellEnd(worker, name);
  heard(worker);
  return worker;
}
