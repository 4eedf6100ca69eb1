/**
 * A document's side of working without a network: switch it on after consent, and off again.
 *
 * It refuses nothing by throwing: where the browser has no service workers, gives no storage, or the
 * network breaks off, the result says so and the panel goes on without. Nothing is registered or
 * stored before `enableOffline` is called, which is for the caller to do after consent only.
 */

import { failureOf } from "./failure.ts";
import type { OfflineCall, OfflineFailure, OfflineReply, Precache } from "./messages.ts";

/** The part of `fanlight-config` that matters here. */
export interface OfflineConfig {
  readonly site_key: string;
  readonly mode: "panel" | "chat";
  readonly build: string;
  readonly kb: Kept & { readonly embedding: Kept | null };
  /** What runs a model is stored too. */
  readonly engine?: boolean;
  /** What an encoder needs is stored too, as it is wherever one is kept. */
  readonly meaning?: boolean;
  readonly encoder?: Form | null;
  readonly local_models?: readonly (Form & { readonly webllm?: readonly Form[] })[];
}

/** Of what a visitor may have on the device: the hash of its manifest. */
interface Form {
  readonly sha256: string;
}

interface Kept {
  readonly url: string;
  readonly release: string;
}

export type OfflineOutcome =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly reason: OfflineFailure | "unsupported";
      readonly message: string;
    };

/** What a build lists in `/assets/precache-<build>.json`, and in `dist/precache.json`. */
interface PrecacheList {
  readonly build: string;
  readonly panel: readonly string[];
  readonly python: readonly string[];
  /** What runs a language model: for those who have one here. */
  readonly engine: readonly string[];
  readonly encoder: readonly string[];
  /** What runs one on a graphics processor: where the site has a model for it. */
  readonly webllm: readonly string[];
}

/** What these functions take from the document. */
export interface OfflineScope {
  readonly serviceWorker: ServiceWorkerContainer | undefined;
  readonly caches: CacheStorage | undefined;
  readonly fetch: typeof fetch;
}

/** What a page's configuration holds where its index is used without an embedding. */
const WORDS_ALONE = '"embedding": null';

/** A worker that does not answer is unregistered all the same. */
const REMOVE_MS = 2_000;

function here(): OfflineScope {
  return {
    serviceWorker: "serviceWorker" in navigator ? navigator.serviceWorker : undefined,
    caches: "caches" in globalThis ? globalThis.caches : undefined,
    fetch: (input, init) => fetch(input, init),
  };
}

/** The page's own path, which is also the service worker's scope. */
function pagePath(config: Pick<OfflineConfig, "site_key" | "mode">): string {
  return `/${config.mode}/${encodeURIComponent(config.site_key)}`;
}

/**
 * Registers this site's service worker and stores what its page needs without a network. Safe to call
 * on every visit: only what is missing is fetched. `onProgress` counts files.
 */
export async function enableOffline(
  config: OfflineConfig,
  onProgress?: (loaded: number, total: number) => void,
  scope: OfflineScope = here(),
): Promise<OfflineOutcome> {
  const { serviceWorker } = scope;
  if (!serviceWorker) return unsupported();
  try {
    const list = await precacheList(config.build, scope.fetch);
    const page = pagePath(config);
    const script = `/sw.js?site=${encodeURIComponent(config.site_key)}`;
    const registration = await serviceWorker.register(script, { scope: page });
    const { kb, build } = config;
    const knowledge = kb.embedding ? [kb.url, kb.embedding.url] : [kb.url];
    const gpu = config.local_models?.some(({ webllm }) => webllm?.length) ? list.webllm : [];
    const engines = config.engine ? [...list.engine, ...gpu] : [];
    const meaning = (await encodes(config, scope)) ? list.encoder : [];
    const call: Precache = {
      type: "precache",
      build,
      urls: [...list.panel, ...list.python, ...knowledge, ...engines, ...meaning],
      documents: [page],
      marks: [build, kb.release, kb.embedding?.release ?? WORDS_ALONE],
    };
    const outcome = await say(await activeWorker(registration), call, onProgress);
    // By now the page is known to be no older than what the site offers.
    if (outcome.ok) await dropWithdrawn(config, scope.caches).catch(() => undefined);
    return outcome;
  } catch (error) {
    return { ok: false, ...failureOf(error) };
  }
}

/** Whether an encoder is here (engines/weights/blocks.ts), or about to be. */
async function encodes(config: OfflineConfig, { caches }: OfflineScope): Promise<boolean> {
  const { encoder, meaning = false, site_key } = config;
  const kept = encoder && caches?.has(`fanlight-${site_key}-model-${encoder.sha256}`);
  return meaning || ((await kept) ?? false);
}

/** Drops what is kept of models and encoders (engines/weights/blocks.ts) that the site offers no more in any form. */
export async function dropWithdrawn(
  config: Pick<OfflineConfig, "site_key" | "encoder" | "local_models">,
  caches: CacheStorage | undefined,
): Promise<void> {
  const { site_key, encoder, local_models = [] } = config;
  const models = local_models.flatMap((model) => [model, ...(model.webllm ?? [])]);
  const prefix = `fanlight-${site_key}-model-`;
  const offered = [...models, ...(encoder ? [encoder] : [])].map(({ sha256 }) => prefix + sha256);
  const kept = ((await caches?.keys()) ?? []).filter((name) => name.startsWith(prefix));
  const withdrawn = kept.filter((name) => !offered.includes(name));
  await Promise.all(withdrawn.map((name) => caches?.delete(name)));
}

/** Unregisters this site's service workers and drops all that was stored for the site. */
export async function disableOffline(
  config: Pick<OfflineConfig, "site_key">,
  scope: OfflineScope = here(),
): Promise<OfflineOutcome> {
  const { serviceWorker, caches } = scope;
  if (!serviceWorker) return unsupported();
  try {
    for (const mode of ["panel", "chat"] as const) {
      const path = pagePath({ ...config, mode });
      const registration = await serviceWorker.getRegistration(path);
      if (registration && new URL(registration.scope).pathname === path) {
        if (registration.active)
          await orAfter(REMOVE_MS, say(registration.active, { type: "remove" }));
        await registration.unregister();
      }
    }
    // Caches outlive a registration that the browser dropped by itself.
    const prefix = `fanlight-${config.site_key}-`;
    const left = ((await caches?.keys()) ?? []).filter(
      // A build's, or one of a model (engines/weights/blocks.ts): neither is another site's.
      (name) => name.startsWith(prefix) && /^(?:model-)?[^-]*$/.test(name.slice(prefix.length)),
    );
    await Promise.all(left.map((name) => caches?.delete(name)));
    return { ok: true };
  } catch (error) {
    return { ok: false, ...failureOf(error) };
  }
}

function unsupported(): OfflineOutcome {
  return { ok: false, reason: "unsupported", message: "this browser has no service workers here" };
}

async function precacheList(build: string, get: typeof fetch): Promise<PrecacheList> {
  const response = await get(`/assets/precache-${build}.json`);
  if (!response.ok) throw new TypeError(`the list of files answered ${response.status}`);
  return (await response.json()) as PrecacheList;
}

/** The registration's worker once it is active; rejects when it could not be installed. */
function activeWorker(registration: ServiceWorkerRegistration): Promise<ServiceWorker> {
  if (registration.active) return Promise.resolve(registration.active);
  const coming = registration.installing ?? registration.waiting;
  if (!coming) return Promise.reject(new TypeError("the service worker did not install"));
  return new Promise((resolve, reject) => {
    coming.addEventListener("statechange", () => {
      if (coming.state === "activated") resolve(coming);
      if (coming.state === "redundant") reject(new TypeError("the service worker did not install"));
    });
  });
}

/** Sends one call over a port of its own and waits for its last reply. */
function say(
  worker: Pick<ServiceWorker, "postMessage">,
  call: OfflineCall,
  onProgress?: (loaded: number, total: number) => void,
): Promise<OfflineOutcome> {
  const { port1, port2 } = new MessageChannel();
  return new Promise<OfflineOutcome>((resolve) => {
    port1.onmessage = ({ data }: MessageEvent<OfflineReply>) => {
      if (data.type === "progress") onProgress?.(data.loaded, data.total);
      else if (data.type === "done") resolve({ ok: true });
      else resolve({ ok: false, reason: data.reason, message: data.message });
    };
    worker.postMessage(call, [port2]);
  }).finally(() => port1.close());
}

/** Waits for `work`, but no longer than `ms`. */
function orAfter(ms: number, work: Promise<unknown>): Promise<unknown> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  return Promise.race([work, limit]).finally(() => clearTimeout(timer));
}
