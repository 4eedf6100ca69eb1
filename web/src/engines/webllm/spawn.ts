/** Starts WebLLM's worker in this document; nothing starts before a model is loaded. */

import { tellEnd, workerName } from "../alive.ts";
import { workerUrl } from "../kb/worker_url.ts";
import { WebLlmEngine } from "./webllm.ts";
import workerAsset from "./webllm_worker.ts?worker&url";

export function webLlm(): WebLlmEngine {
  return new WebLlmEngine(() => {
    const controlled = Boolean(navigator.serviceWorker?.controller);
    const url = workerUrl(workerAsset, location.pathname, controlled);
    const name = workerName("webllm");
    const worker = new Worker(url, { type: "module", name });
    tellEnd(worker, name);
    return worker;
  });
}
