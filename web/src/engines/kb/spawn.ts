/** Starts the knowledge base's worker in this document, and knows where this build keeps Python. */

import { PYTHON } from "virtual:fanlight-python";
import { KnowledgeBase } from "./client.ts";
import type { KnowledgeUrls } from "./protocol.ts";
import workerAsset from "./worker.ts?worker&url";
import { workerUrl } from "./worker_url.ts";

/** A knowledge base over these files; nothing starts before its `load`. */
export function knowledgeBase(knowledge: KnowledgeUrls): KnowledgeBase {
  return new KnowledgeBase({
    python: PYTHON,
    knowledge,
    spawn: () => {
      const controlled = Boolean(navigator.serviceWorker?.controller);
      const url = workerUrl(workerAsset, location.pathname, controlled);
      return new Worker(url, { type: "module", name: "fanlight-kb" });
    },
  });
}
