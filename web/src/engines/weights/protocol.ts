/** What passes between the panel and the worker that fetches and keeps models. */

import type { Wanted } from "./download.ts";
import type { WeightsFailure } from "./failure.ts";

/** `fetch`: bring it here; `open`: the whole file, looked at; `here`: how much is kept; `stop`: end that call. */
export type WeightsCall =
  | { readonly id: number; readonly type: "fetch" | "open" | "here"; readonly wanted: Wanted }
  | { readonly id: number; readonly type: "stop" };

export interface Kept {
  readonly done: number;
  /** 0 where nothing is known of it yet. */
  readonly total: number;
}

export type WeightsReply =
  | { readonly id: number; readonly type: "progress"; readonly kept: Kept }
  | { readonly id: number; readonly type: "done"; readonly kept: Kept; readonly blob?: Blob }
  | { readonly id: number; readonly type: "stopped" }
  | {
      readonly id: number;
      readonly type: "failed";
      readonly reason: WeightsFailure;
      readonly message: string;
    };
