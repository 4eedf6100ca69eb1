/**
 * Which engine runs a model on this device: the first of the table that can. One table, and no other place, says which
 * comes first; each is fetched only when it is looked at.
 */

import type { Engine, Fit, LocalModel, Unfit } from "./engine.ts";

export interface Listed {
  readonly name: string;
  readonly open: () => Promise<Engine>;
}

/** In the order in which they are tried. */
export const ENGINES: readonly Listed[] = [
  { name: "wllama", open: async () => new (await import("./wllama/wllama.ts")).WllamaEngine() },
];

export type Chosen =
  | { readonly ok: true; readonly name: string; readonly engine: Engine }
  | { readonly ok: false; readonly why: Unfit };

/** The first engine that can run `model` here, or why none can. */
export async function choose(
  model: LocalModel,
  engines: readonly Listed[] = ENGINES,
): Promise<Chosen> {
  let last: Fit = { ok: false, why: "browser" };
  for (const { name, open } of engines) {
    const engine = await open();
    last = await engine.probe(model);
    if (last.ok) return { ok: true, name, engine };
  }
  return { ok: false, why: last.ok ? "browser" : last.why };
}
