/** Starts the keeper of models in this document; nothing starts before its first call. */

import { workerUrl } from "../kb/worker_url.ts";
import { Weights } from "./client.ts";
import workerAsset from "./worker.ts?worker&url";

export function weights(): Weights {
  return new Weights(() => {
    const controlled = Boolean(navigator.serviceWorker?.controller);
    const url = workerUrl(workerAsset, location.pathname, controlled);
    return new Worker(url, { type: "module", name: "fanlight-weights" });
  });
}
