/** Why a model is not on this device, by a name that the panel has words for. */

/**
 * `network`: it could not be fetched now; `gone`: the gateway has it no more; `quota`: the browser gives no room;
 * `tampered`: what came is not what was promised; `storage`: the browser lost or refused what was kept.
 */
export type WeightsFailure = "network" | "gone" | "quota" | "tampered" | "storage";

export class WeightsError extends Error {
  override readonly name = "WeightsError";

  constructor(
    readonly reason: WeightsFailure,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What a browser throws where it has no room, or allows none. */
const NO_ROOM = "QuotaExceededError";

/** The error of storage that did not take or give something. */
export function storageError(error: unknown): WeightsError {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return new WeightsError(name === NO_ROOM ? "quota" : "storage", message, { cause: error });
}
