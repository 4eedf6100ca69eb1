/**
 * Whether WebLLM can run a form of a model on this device's graphics processor.
 *
 * Decides by what the adapter says of itself: a software one is slower than wllama, so it counts as none. The limits are those
 * that WebLLM 0.2.86 asks for (`detectGPUDevice` of its runtime), and that the model's largest parameter needs.
 */

import type { Fit, GpuForm } from "../engine.ts";

/** Of an adapter; undefined where the browser gives none. */
export interface AdapterFacts {
  readonly software: boolean;
  readonly shaderF16: boolean;
  readonly maxBufferSize: number;
  readonly maxStorageBufferBindingSize: number;
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxStorageBuffersPerShaderStage: number;
}

export interface GpuAround {
  /** In GiB, as the browser rounds it; unknown in some. */
  readonly deviceMemory: number | undefined;
  /** For tests: a software adapter counts, and so does a form without its library. */
  readonly any: boolean;
}

const GIB = 2 ** 30;
/** The page, the browser and the system need the rest. */
const SHARE = 0.5;
const LEAST = {
  maxBufferSize: 1 << 28,
  maxStorageBufferBindingSize: 1 << 27,
  maxComputeWorkgroupStorageSize: 32 << 10,
  maxStorageBuffersPerShaderStage: 10,
} as const;

export function fitsGpu(form: GpuForm, facts: AdapterFacts | undefined, around: GpuAround): Fit {
  if (!facts || (facts.software && !around.any)) return { ok: false, why: "adapter" };
  if (!form.library && !around.any) return { ok: false, why: "library" };
  if (form.shader_f16 && !facts.shaderF16) return { ok: false, why: "adapter" };
  const names = Object.keys(LEAST) as (keyof typeof LEAST)[];
  const binding = Math.min(facts.maxStorageBufferBindingSize, facts.maxBufferSize);
  if (names.some((name) => facts[name] < LEAST[name]) || form.buffer > binding) {
    return { ok: false, why: "adapter" };
  }
  const { deviceMemory } = around;
  if (deviceMemory !== undefined && form.memory > deviceMemory * GIB * SHARE) {
    return { ok: false, why: "memory" };
  }
  return { ok: true, threads: 1 };
}
