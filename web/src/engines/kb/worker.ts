/** The module worker that holds Python: binds the engine to the worker's own scope, and no more. */

import "../../trusted_types.ts";
import { KbEngine } from "./engine.ts";
import type { KbCall, KbReply } from "./protocol.ts";
import { serve } from "./serve.ts";

declare const self: DedicatedWorkerGlobalScope;

/** A slow phone on a cold cache takes its time; longer than this, nothing more will come. */
const START_TIMEOUT_MS = 60_000;

const post = (reply: KbReply): void => self.postMessage(reply);

const engine = new KbEngine({
  importPyodide: (url) => import(/* @vite-ignore */ url),
  fetch: (url) => fetch(url, { cache: "default", credentials: "same-origin" }),
  progress: post,
  startTimeoutMs: START_TIMEOUT_MS,
});

self.addEventListener("message", (event: MessageEvent<KbCall>) => {
  void serve(engine, event.data, post);
});
