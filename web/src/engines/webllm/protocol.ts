/** What passes between the panel and the worker that runs WebLLM. A worker loads once, and runs one generation at a time. */

import type { EngineFailure, Message } from "../engine.ts";

export type MlcCall =
  | { readonly type: "load"; readonly id: string; readonly context: number; readonly archive: Blob }
  | { readonly type: "generate"; readonly messages: readonly Message[]; readonly maxTokens: number }
  | { readonly type: "stop" };

export type MlcReply =
  | { readonly type: "loaded" }
  | { readonly type: "piece"; readonly text: string; readonly logprobs: readonly number[] }
  | { readonly type: "ended" }
  | { readonly type: "failed"; readonly reason: EngineFailure; readonly message: string };
