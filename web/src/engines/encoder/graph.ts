/**
 * A graph in ONNX Runtime, on one thread: what `serve.ts` needs of it.
 *
 * Decides how its inputs are made: no text is padded, so that every token counts, and all are of one sentence.
 */

import type { InferenceSession, Tensor } from "onnxruntime-common";
import type { Graph } from "./serve.ts";

export interface Runtime {
  readonly InferenceSession: {
    create(model: Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  readonly Tensor: new (type: "int64", data: BigInt64Array, dims: readonly number[]) => Tensor;
}

/** The numbers of an input for every token. */
const FILLED: Readonly<Record<string, bigint>> = { attention_mask: 1n, token_type_ids: 0n };

export async function openGraph(
  { InferenceSession: sessions, Tensor: Made }: Runtime,
  graph: Uint8Array,
  providers: readonly string[],
): Promise<Graph> {
  const session = await sessions.create(graph, {
    executionProviders: providers,
    logSeverityLevel: 4,
  });
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    run: async (ids, names, output) => {
      const dims = [1, ids.length];
      const feeds = names.map((name) => {
        const filled = FILLED[name];
        const value = (id: number) => filled ?? BigInt(id);
        return [name, new Made("int64", BigInt64Array.from(ids, value), dims)] as const;
      });
      const found = (await session.run(Object.fromEntries(feeds), [output]))[output];
      if (!found) throw new Error(`the graph gave no ${output}`);
      const data = (await found.getData()) as Float32Array;
      const states = { dims: found.dims, data: data.slice() };
      found.dispose();
      return states;
    },
  };
}
