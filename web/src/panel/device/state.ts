/** Where a model on this device stands, as its sheet shows it. */

import type { Unfit } from "../../engines/engine.ts";
import type { WeightsFailure } from "../../engines/weights/failure.ts";
import type { Pace } from "./pace.ts";

export type DeviceFailure = WeightsFailure | "engine" | "code";

/**
 * `looking`: what is kept is being found out; `unfit`: this device cannot run it; `absent`: nothing is here; `fetching`,
 * `paused`, `failed`: with what has come so far; `kept`: on the device; `starting`: on its way into memory; `ready`.
 */
export type DeviceState =
  | { readonly step: "looking" | "absent" | "starting" | "ready" }
  | { readonly step: "unfit"; readonly why: Unfit }
  | ({ readonly step: "fetching"; readonly done: number; readonly total: number } & Pace)
  | { readonly step: "paused"; readonly done: number; readonly total: number }
  | { readonly step: "kept"; readonly why?: DeviceFailure | undefined }
  | {
      readonly step: "failed";
      readonly why: DeviceFailure;
      readonly done: number;
      readonly total: number;
    };
