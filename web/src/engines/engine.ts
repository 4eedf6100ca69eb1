/**
 * What every engine that runs a language model on this device can do, and how each says what went wrong.
 *
 * Decides nothing: which engine comes first is `table.ts`'s, what is asked of it the panel's.
 */

export interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** What came with the panel's configuration of a model that the site offers. */
export interface LocalModel {
  readonly id: string;
  readonly name: string;
  readonly licence: string;
  /** The address and SHA-256 of its manifest, which has the hashes of its blocks. */
  readonly manifest: string;
  readonly sha256: string;
  readonly bytes: number;
  /** How many numbers it has: what a small one writes is believed less. */
  readonly parameters: number;
  /** About what running it takes, in bytes. */
  readonly memory: number;
  /** How many tokens it can read at once. */
  readonly context: number;
}

/** Whether an engine can run a model here; if not, why. */
export type Fit =
  | { readonly ok: true; readonly threads: number }
  | { readonly ok: false; readonly why: Unfit };

/** `browser`: it lacks what the engine needs; `memory`: the device is too small. */
export type Unfit = "browser" | "memory";

export interface GenerateOptions {
  readonly maxTokens: number;
}

/** Some text of a reply; of whole tokens, with their log-probabilities where the engine has them. */
export interface Piece {
  readonly text: string;
  readonly logprobs: readonly number[];
}

export type EngineFailure = "load" | "generate" | "timeout" | "context";

export class EngineError extends Error {
  override readonly name = "EngineError";

  constructor(
    readonly reason: EngineFailure,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export interface Engine {
  /** Takes the model into memory; rejects with an `EngineError`, or the signal's reason. */
  load(model: LocalModel, weights: Blob, signal?: AbortSignal): Promise<void>;
  /**
   * Writes a reply, piece by piece. Ends when the model does, after `maxTokens`, or by throwing: an `EngineError`, or
   * the signal's reason. What runs ends with it.
   */
  generate(
    messages: readonly Message[],
    options: GenerateOptions,
    signal: AbortSignal,
  ): AsyncGenerator<Piece, void, undefined>;
  /** Gives the memory back. */
  unload(): Promise<void>;
}
