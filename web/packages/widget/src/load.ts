/**
 * Puts the gateway's loader on the page and takes it off again.
 *
 * Decides: when a chat that is there will do, and when another must take its place. Refuses: two at once;
 * whoever asks last is served. Nothing runs at import, so that a server may import this, too.
 */
import { makeTag } from "./tag.ts";
import type { Fanlight, IdentitySource } from "./types.ts";

/** What the script tag says, and who says who the visitor is. */
export interface FanlightOptions {
  /** The gateway's address, such as `https://chat.example.com`. */
  readonly gateway: string;
  readonly site: string;
  /** The page's language, instead of its `lang`. */
  readonly locale?: string | undefined;
  readonly position?: "left" | "right" | undefined;
  /** As #rgb or #rrggbb. */
  readonly accent?: string | undefined;
  /** An address of the page's own origin, or a function: see docs/identity.md. */
  readonly identity?: string | IdentitySource | undefined;
  /** `sha384-…`, as `fanlight embed` prints it: these bytes of the loader and no others. */
  readonly integrity?: string | undefined;
  /** Beside `integrity`: the site has greetings. A loader that is not pinned knows by itself. */
  readonly greetings?: boolean | undefined;
  /** The panel may use the microphone; the site's own setting `voice` must say so, too. */
  readonly voice?: boolean | undefined;
  /** For a policy with nonces. */
  readonly nonce?: string | undefined;
}

interface Loaded {
  readonly key: string;
  readonly tag: HTMLScriptElement;
  readonly coming: Promise<Fanlight>;
  chat: Fanlight | undefined;
  locale: string | undefined;
  source: IdentitySource | undefined;
}

let loaded: Loaded | undefined;
const holders = new Set<object>();
const listeners = new Set<() => void>();

function tell(): void {
  for (const listener of [...listeners]) listener();
}

/** The chat that was loaded from here, once it is there. */
export function chat(): Fanlight | undefined {
  return isThere() ? loaded?.chat : undefined;
}

/** Calls when `chat()` has changed; what it gives ends that. */
export function watch(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** On its way, or on the page: the page itself may have destroyed it. */
function isThere(): boolean {
  return !!loaded && (!loaded.chat || window.fanlight === loaded.chat);
}

function sourceOf({ identity }: FanlightOptions): IdentitySource | undefined {
  return typeof identity === "function" ? identity : undefined;
}

/** Loads the chat, or changes the one that is there; rejects where the loader does not come. */
export function load(options: FanlightOptions): Promise<Fanlight> {
  const { gateway, site, position, accent, identity, integrity } = options;
  const { greetings, voice } = options;
  const address = typeof identity === "string" ? identity : "";
  const key = JSON.stringify([
    gateway,
    site,
    position,
    accent,
    address,
    integrity,
    greetings,
    voice,
  ]);
  if (loaded?.key === key && isThere()) return adjust(loaded, options);
  unload();
  const tag = makeTag(options);
  const made: Loaded = {
    key,
    tag,
    coming: new Promise<Fanlight>((resolve, reject) => {
      tag.onload = () => arrive(made, resolve, reject);
      tag.onerror = () => fail(made, reject, `fanlight: ${tag.src} cannot be loaded`);
    }),
    chat: undefined,
    locale: options.locale,
    source: sourceOf(options),
  };
  loaded = made;
  document.head.append(tag);
  return made.coming;
}

function arrive(
  made: Loaded,
  resolve: (chat: Fanlight) => void,
  reject: (reason: Error) => void,
): void {
  const there = window.fanlight;
  if (!there || Array.isArray(there)) {
    fail(made, reject, `fanlight: ${made.tag.src} is not a loader`);
    return;
  }
  if (loaded !== made) {
    // Another was asked for, or none, while this one was on its way.
    there.destroy();
    reject(new Error("fanlight: unloaded before it was there"));
    return;
  }
  made.chat = there;
  if (made.source) there.identify(made.source);
  if (made.locale) there.setLocale(made.locale);
  resolve(there);
  tell();
}

function fail(made: Loaded, reject: (reason: Error) => void, reason: string): void {
  made.tag.remove();
  if (loaded === made) loaded = undefined;
  reject(new Error(reason));
}

/** What may change while the chat stays. */
function adjust(made: Loaded, options: FanlightOptions): Promise<Fanlight> {
  const source = sourceOf(options);
  if (source !== made.source) made.chat?.identify(source ?? null);
  if (options.locale && options.locale !== made.locale) made.chat?.setLocale(options.locale);
  made.source = source;
  made.locale = options.locale;
  return made.coming;
}

/** Takes the chat off the page. */
export function unload(): void {
  const before = loaded;
  loaded = undefined;
  if (!before) return;
  before.tag.remove();
  if (window.fanlight === before.chat) before.chat?.destroy();
  tell();
}

/** A chat that somebody wants on the page, until they do not. */
export interface Mounted {
  readonly chat: Promise<Fanlight>;
  readonly unmount: () => void;
}

/** Loads the chat for as long as anybody holds it: who lets go and takes it again at once changes nothing. */
export function mount(options: FanlightOptions): Mounted {
  const holder = {};
  holders.add(holder);
  const unmount = () => {
    holders.delete(holder);
    queueMicrotask(() => {
      if (holders.size === 0) unload();
    });
  };
  return { chat: load(options), unmount };
}
