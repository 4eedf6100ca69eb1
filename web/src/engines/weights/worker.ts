/** The module worker that fetches and keeps models: binds the server to the worker's own scope, and no more. */

import "../../trusted_types.ts";
import { exclusively } from "../../panel/locks.ts";
import { pause } from "../../panel/pause.ts";
import type { WeightsCall } from "./protocol.ts";
import { WeightsServer } from "./serve.ts";

declare const self: DedicatedWorkerGlobalScope;

const server = new WeightsServer({
  fetch: (url, init) => fetch(url, init),
  caches: self.caches,
  wait: pause,
  alone: exclusively,
  channel: (name) => new BroadcastChannel(name),
  post: (reply) => self.postMessage(reply),
});

self.addEventListener("message", (event: MessageEvent<WeightsCall>) => {
  void server.serve(event.data);
});
