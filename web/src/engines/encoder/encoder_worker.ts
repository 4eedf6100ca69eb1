/** The module worker that encodes on the processor: binds ONNX Runtime's wasm to the worker's scope, and no more. */

import "../../trusted_types.ts";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import { env, InferenceSession, Tensor } from "onnxruntime-web/wasm";
import { openGraph, type Runtime } from "./graph.ts";
import type { EncoderCall } from "./protocol.ts";
import { EncoderServer } from "./serve.ts";

declare const self: DedicatedWorkerGlobalScope;

env.wasm.numThreads = 1;
env.wasm.wasmPaths = { wasm };
env.logLevel = "fatal";

const server = new EncoderServer({
  open: (graph) => openGraph({ InferenceSession, Tensor } as Runtime, graph, ["wasm"]),
  post: (reply, transfer = []) => self.postMessage(reply, transfer),
});

self.addEventListener("message", (event: MessageEvent<EncoderCall>) => {
  void server.serve(event.data);
});
