/** Names what a browser throws when it will not store, or cannot fetch. */

import type { OfflineFailure } from "./messages.ts";

/** Errors by which browsers refuse storage: no room, private mode, blocked by the visitor. */
const REFUSALS = new Set([
  "QuotaExceededError",
  "SecurityError",
  "InvalidStateError",
  "NotAllowedError",
  "UnknownError",
]);

/** The failure that `error` stands for; whatever is not a refusal came from the network. */
export function failureOf(error: unknown): { reason: OfflineFailure; message: string } {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return { reason: REFUSALS.has(name) ? "quota" : "network", message };
}
