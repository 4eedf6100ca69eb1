/**
 * The service worker of one site's page: binds `Offline` to its scope, and no more.
 *
 * Installing stores nothing: a document asks for that, after the visitor's consent. The site comes from
 * the script's own address, the page from the registration's scope.
 */

import { failureOf } from "./failure.ts";
import type { OfflineCall, OfflineReply } from "./messages.ts";
import { Offline } from "./offline.ts";

declare const self: ServiceWorkerGlobalScope;

const offline = new Offline({
  caches: self.caches,
  fetch: (input, init) => self.fetch(input, init),
  origin: self.location.origin,
  scope: new URL(self.registration.scope).pathname,
  site: new URL(self.location.href).searchParams.get("site") ?? "",
});

self.addEventListener("activate", (event) => {
  event.waitUntil(self.clients.claim());
  event.waitUntil(sweepUnlessInUse());
});

self.addEventListener("fetch", (event) => {
  const plan = offline.plan(event.request);
  if (plan) event.respondWith(offline.respond(plan, event.request));
});

self.addEventListener("message", (event) => {
  const call = event.data as OfflineCall;
  const port = event.ports[0];
  const tell = (reply: OfflineReply): void => port?.postMessage(reply);
  const source = event.source instanceof Client ? event.source.id : undefined;
  event.waitUntil(
    answer(call, tell, source).then(
      () => tell({ type: "done" }),
      (error: unknown) => tell({ type: "failed", ...failureOf(error) }),
    ),
  );
});

async function answer(
  call: OfflineCall,
  tell: (reply: OfflineReply) => void,
  source: string | undefined,
): Promise<void> {
  if (call.type === "precache") {
    await offline.precache(call, tell);
    await sweepUnlessInUse(call.build, source);
  } else if (call.type === "remove") {
    await offline.clear();
    await self.registration.unregister();
  }
}

/** Another open page of ours may still load a file of an older build: then nothing is dropped yet. */
async function sweepUnlessInUse(keep?: string, asking?: string): Promise<void> {
  const open = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const ours = open.filter(({ url }) => /^\/(?:panel|chat)\//.test(new URL(url).pathname));
  if (ours.every(({ id }) => id === asking)) await offline.sweep(keep);
}
