/** What the browser says of its graphics processor. Decides nothing. */

import type { AdapterFacts } from "./fit.ts";

/** The part of WebGPU that is read (https://www.w3.org/TR/webgpu/#gpuadapter). */
interface Adapter {
  readonly features: { has(name: string): boolean };
  readonly limits: Omit<AdapterFacts, "software" | "shaderF16">;
  /** Its `isFallbackAdapter`, and names: of the vendor, the architecture, the device, and a description. */
  readonly info?: object;
  readonly isFallbackAdapter?: boolean;
}

interface Gpu {
  requestAdapter(options: object): Promise<Adapter | null>;
}

/** Software adapters that do not say that they are one. */
const SOFTWARE = /swiftshader|llvmpipe|basic render/i;

/** For tests of the real engine on a machine without a graphics processor: set by them in the frame itself. */
export function anyAdapter(): boolean {
  return (globalThis as { fanlightAnyAdapter?: unknown }).fanlightAnyAdapter === true;
}

/** The adapter that WebLLM would ask for; undefined where there is none. */
export async function adapterFacts(
  gpu = (navigator as { gpu?: Gpu }).gpu,
): Promise<AdapterFacts | undefined> {
  const asked = { powerPreference: "high-performance" };
  const adapter = await gpu?.requestAdapter(asked).catch(() => null);
  if (!adapter) return undefined;
  const { limits, info } = adapter;
  const said = Object.values(described(info)).join(" ");
  const { isFallbackAdapter = false } = (info ?? {}) as { isFallbackAdapter?: boolean };
  const fallback = adapter.isFallbackAdapter === true || isFallbackAdapter;
  return {
    software: fallback || SOFTWARE.test(said),
    shaderF16: adapter.features.has("shader-f16"),
    maxBufferSize: limits.maxBufferSize,
    maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
    maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
    maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
  };
}

/** An adapter's names are getters of its class: spreading it would find none. */
function described(info: object | undefined): Readonly<Record<string, string>> {
  const named = (info ?? {}) as Readonly<Record<string, unknown>>;
  const names = ["vendor", "architecture", "device", "description"];
  return Object.fromEntries(names.map((name) => [name, String(named[name] ?? "")]));
}
