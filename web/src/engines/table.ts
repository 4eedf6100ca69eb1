/**
 * Which engine runs a model on this device: the first of the table that can. One table, and no other place, says which
 * comes first; whether an engine fits is known without it, and it is fetched only when it is to run.
 */

import type { Engine, Fit, LocalModel, Unfit } from "./engine.ts";
import { fitOf, surroundings } from "./wllama/fit.ts";

export interface Listed {
  readonly name: string;
  readonly probe: (model: LocalModel) => Promise<Fit>;
  readonly open: () => Promise<Engine>;
}

/** In the order in which they are tried. */
export const ENGINES: readonly Listed[] = [
  {
    name: "wllama",
    probe: async (model) => fitOf(model, surroundings()),
    open: async () => new (await import("./wllama/wllama.ts")).WllamaEngine(),
  },
];

export type Chosen =
  | { readonly ok: true; readonly name: string; readonly open: () => Promise<Engine> }
  | { readonly ok: false; readonly why: Unfit };

/** The first engine that can run `model` here, or why none can. */
export async function choose(
  model: LocalModel,
  engines: readonly Listed[] = ENGINES,
): Promise<Chosen> {
  let why: Unfit = "browser";
  for (const { name, probe, open } of engines) {
    const fit = await probe(model);
    if (fit.ok) return { ok: true, name, open };
    why = fit.why;
  }
  return { ok: false, why };
}
