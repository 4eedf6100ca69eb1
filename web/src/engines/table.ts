/**
 * Which engine runs which form of a model on this device. One table, and no other place, says which comes first; whether an
 * engine fits is known without it, and it is fetched only when it is to run.
 */

import type { Engine, Fit, Form, LocalModel, Unfit } from "./engine.ts";
import { adapterFacts, anyAdapter } from "./webllm/adapter.ts";
import { fitsGpu } from "./webllm/fit.ts";
import { fitOf, surroundings } from "./wllama/fit.ts";

export interface Listed {
  readonly name: string;
  /** The files of a model that it could run, the first choice first. */
  readonly forms: (model: LocalModel) => readonly Form[];
  readonly probe: (model: LocalModel, form: Form) => Promise<Fit>;
  readonly open: () => Promise<Engine>;
}

/** In the order in which they are tried. */
export const ENGINES: readonly Listed[] = [
  {
    name: "webllm",
    forms: (model) => model.webllm ?? [],
    probe: async (model, form) => {
      const gpu = model.webllm?.find(({ sha256 }) => sha256 === form.sha256);
      if (!gpu) return { ok: false, why: "library" };
      return fitsGpu(gpu, await adapterFacts(), { ...surroundings(), any: anyAdapter() });
    },
    open: async () => (await import("./webllm/spawn.ts")).webLlm(),
  },
  {
    name: "wllama",
    forms: (model) => [model],
    probe: async (model) => fitOf(model, surroundings()),
    open: async () => new (await import("./wllama/wllama.ts")).WllamaEngine(),
  },
];

/** One way of running a model here. */
export interface Way {
  readonly name: string;
  readonly form: Form;
  readonly threads: number;
  readonly open: () => Promise<Engine>;
}

export type Chosen =
  | { readonly ok: true; readonly ways: readonly [Way, ...Way[]] }
  | { readonly ok: false; readonly why: Unfit };

/** Every way of running `model` here, the first choice first; or why there is none. */
export async function choose(
  model: LocalModel,
  engines: readonly Listed[] = ENGINES,
): Promise<Chosen> {
  let why: Unfit = "browser";
  const ways: Way[] = [];
  for (const { name, forms, probe, open } of engines) {
    for (const form of forms(model)) {
      const fit = await probe(model, form);
      if (fit.ok) ways.push({ name, form, threads: fit.threads, open });
      else why = fit.why;
    }
  }
  const [first, ...others] = ways;
  return first ? { ok: true, ways: [first, ...others] } : { ok: false, why };
}

/** Numbers of a model that one thread gets through in time: 360 million are five tokens a second. */
const A_THREAD = 400e6;

/** Whether a model answers in time this way; on a graphics processor what fits does. */
function brisk(model: LocalModel, way: Way): boolean {
  return way.name !== "wllama" || model.parameters <= A_THREAD * way.threads;
}

/** The model that this device is offered first: of those that it is quick with the site's first, else the smallest that fits. */
export async function preferred(
  models: readonly LocalModel[],
  chosen: (model: LocalModel) => Promise<Chosen> = choose,
): Promise<LocalModel | undefined> {
  const fitting: LocalModel[] = [];
  for (const model of models) {
    const found = await chosen(model);
    if (!found.ok) continue;
    if (brisk(model, found.ways[0])) return model;
    fitting.push(model);
  }
  const [smallest] = fitting.sort((one, other) => one.parameters - other.parameters);
  return smallest ?? models[0];
}
