/** Starts the encoder's worker in this document; nothing starts before an encoder is loaded. */

import { workerUrl } from "../kb/worker_url.ts";
import { Encoder } from "./encoder.ts";
import workerAsset from "./encoder_worker.ts?worker&url";

export function encoder(): Encoder {
  return new Encoder(() => {
    const controlled = Boolean(navigator.serviceWorker?.controller);
    const url = workerUrl(workerAsset, location.pathname, controlled);
    return new Worker(url, { type: "module", name: "fanlight-encoder" });
  });
}
