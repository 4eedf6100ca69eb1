/**
 * What every engine that runs a language model on this device can do, and how each says what went wrong.
 *
 * Decides nothing: which engine comes first is `table.ts`'s, what is asked of it the panel's.
 */

export interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** A file of a model, for one engine. */
export interface Form {
  /** The address and SHA-256 of its manifest, which has the hashes of its blocks. */
  readonly manifest: string;
  readonly sha256: string;
  readonly bytes: number;
  /** About what running it takes, in bytes. */
  readonly memory: number;
}

/** A form for WebLLM, and what it needs of the graphics processor. */
export interface GpuForm extends Form {
  /** As MLC names it: q4f16_1. */
  readonly quantisation: string;
  readonly shader_f16: boolean;
  /** Bytes of its largest parameter, which lies in one buffer. */
  readonly buffer: number;
  /** Whether what was compiled for it lies in the file. */
  readonly library: boolean;
}

/** What came with the panel's configuration of a model that the site offers; itself the form for wllama. */
export interface LocalModel extends Form {
  readonly id: string;
  readonly name: string;
  readonly licence: string;
  /** How many numbers it has: what a small one writes is believed less. */
  readonly parameters: number;
  /** How many tokens it can read at once. */
  readonly context: number;
  /** For WebLLM, the first choice first. */
  readonly webllm?: readonly GpuForm[];
}

/** Whether an engine can run a model here; if not, why. */
export type Fit =
  | { readonly ok: true; readonly threads: number }
  | { readonly ok: false; readonly why: Unfit };

/**
 * `browser`: it lacks what the engine needs; `memory`: the device is too small; `adapter`: there is no graphics processor
 * that the model can use; `library`: what runs the model there was not published with it.
 */
export type Unfit = "browser" | "memory" | "adapter" | "library";

export interface GenerateOptions {
  readonly maxTokens: number;
}

/** Some text of a reply; of whole tokens, with their log-probabilities where the engine has them. */
export interface Piece {
  readonly text: string;
  readonly logprobs: readonly number[];
}

/** `lost`: the graphics processor, or the worker, is gone; `library`: the model came without what runs it. */
export type EngineFailure = "load" | "generate" | "timeout" | "context" | "lost" | "library";

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
