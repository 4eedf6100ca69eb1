/** What a document and the service worker say to each other, over a port of its own for each call. */

/** Store everything that this site needs without a network. */
export interface Precache {
  readonly type: "precache";
  /** The hash of the assets: names the cache. */
  readonly build: string;
  /** Addresses whose content never changes: stored if missing. */
  readonly urls: readonly string[];
  /** Pages: fetched anew each time, and stored once all of `urls` are. */
  readonly documents: readonly string[];
  /** Texts that a page must hold to go with `urls`; a page of a newer build lacks them. */
  readonly marks: readonly string[];
}

/** Forget this site: its caches go, and the registration ends. */
export interface Remove {
  readonly type: "remove";
}

export type OfflineCall = Precache | Remove;

/** `quota`: the browser gives no room; `network`: something could not be fetched. */
export type OfflineFailure = "quota" | "network";

export type OfflineReply =
  | { readonly type: "progress"; readonly loaded: number; readonly total: number }
  | { readonly type: "done" }
  | { readonly type: "failed"; readonly reason: OfflineFailure; readonly message: string };
