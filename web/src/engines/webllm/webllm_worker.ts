/**
 * The module worker that runs WebLLM: binds it to the worker's scope.
 *
 * Decides that WebLLM sees the model's files where it looks for the browser's caches and for the network, and nothing else.
 */

import "../../trusted_types.ts";
import { type AppConfig, MLCEngine } from "@mlc-ai/web-llm";
import { holdName } from "../alive.ts";
import type { MlcCall } from "./protocol.ts";
import { type Mlc, MlcServer } from "./serve.ts";

declare const self: DedicatedWorkerGlobalScope;

interface Lost {
  readonly reason: string;
  readonly message: string;
}
interface Device {
  readonly lost: Promise<Lost>;
}
interface Adapter {
  requestDevice(options?: object): Promise<Device>;
}
interface Gpu {
  requestAdapter(options?: object): Promise<Adapter | null>;
}

const server = new MlcServer({
  origin: self.location.origin,
  open: (record, files) => {
    Object.defineProperty(self, "caches", { value: files });
    Object.defineProperty(self, "fetch", { value: files.fetch.bind(files) });
    watchDevice((self.navigator as unknown as { gpu?: Gpu }).gpu);
    const appConfig = { model_list: [record] } as unknown as AppConfig;
    return new MLCEngine({ appConfig, logLevel: "SILENT" }) as unknown as Mlc;
  },
  post: (reply) => self.postMessage(reply),
});

/** Hears when a device that WebLLM took is lost; WebLLM itself only forgets its model then. */
function watchDevice(gpu: Gpu | undefined): void {
  if (!gpu) return;
  const ask = gpu.requestAdapter.bind(gpu);
  gpu.requestAdapter = async (options) => {
    const adapter = await ask(options);
    if (!adapter) return adapter;
    const take = adapter.requestDevice.bind(adapter);
    adapter.requestDevice = async (wanted) => {
      const device = await take(wanted);
      void device.lost.then(({ reason, message }) => server.lost(`${reason}: ${message}`));
      return device;
    };
    return adapter;
  };
}

holdName(self.name);
self.addEventListener("message", (event: MessageEvent<MlcCall>) => {
  void server.serve(event.data);
});
