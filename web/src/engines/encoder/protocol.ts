/** What passes between the panel and the worker that encodes. A worker loads once. */

import type { EngineFailure } from "../engine.ts";
import type { NearWeights } from "../kb/protocol.ts";

/** What a text is: looked for, or found. */
export type Purpose = "query" | "passage";

/** `encoder.json` of a published encoder. */
export interface EncoderFacts {
  readonly dimensions: number;
  /** Tokens that it reads; what is beyond is cut off. */
  readonly context: number;
  /** What goes before each text, as it was trained. */
  readonly query: string;
  readonly passage: string;
  /** How its cosines are weighed beside the knowledge base; absent: they were never measured there. */
  readonly weights?: NearWeights | null;
}

export type EncoderCall =
  | { readonly type: "load"; readonly archive: Blob }
  | {
      readonly type: "embed";
      readonly id: number;
      readonly texts: readonly string[];
      readonly purpose: Purpose;
    }
  | { readonly type: "stop"; readonly id: number };

/** `vectors` are one after the other, each of `dimensions` numbers and of length 1. */
export type EncoderReply =
  | { readonly type: "loaded"; readonly facts: EncoderFacts }
  | { readonly type: "embedded"; readonly id: number; readonly vectors: Float32Array<ArrayBuffer> }
  | { readonly type: "stopped"; readonly id: number }
  | {
      readonly type: "failed";
      /** Absent where loading failed. */
      readonly id?: number;
      readonly reason: EngineFailure;
      readonly message: string;
    };
