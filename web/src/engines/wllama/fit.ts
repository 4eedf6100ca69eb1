/**
 * Whether wllama can run a model on this device, and with how many threads.
 *
 * Decides by what the browser has: 64-bit WebAssembly memory, without which it does not start, and the device's memory
 * where the browser says how much that is. Threads need a page that is isolated from others.
 */

import type { Fit, LocalModel } from "../engine.ts";

export interface Around {
  readonly memory64: boolean;
  readonly isolated: boolean;
  readonly cores: number;
  /** In GiB, rounded down by the browser and 8 at most; unknown in some. */
  readonly deviceMemory: number | undefined;
}

/** More do not read memory faster. */
const MOST_THREADS = 4;
/** The page, the browser and the system need the rest. */
const SHARE = 0.5;
const GIB = 2 ** 30;

export function fitOf(model: Pick<LocalModel, "memory">, around: Around): Fit {
  if (!around.memory64) return { ok: false, why: "browser" };
  const { deviceMemory } = around;
  if (deviceMemory !== undefined && model.memory > deviceMemory * GIB * SHARE) {
    return { ok: false, why: "memory" };
  }
  // One core stays with the page.
  const threads = Math.max(1, Math.min(MOST_THREADS, around.cores - 1));
  return { ok: true, threads: around.isolated ? threads : 1 };
}

function hasMemory64(): boolean {
  try {
    const descriptor = { address: "i64", initial: 1n, maximum: 2n };
    new WebAssembly.Memory(descriptor as unknown as WebAssembly.MemoryDescriptor);
    return true;
  } catch {
    return false;
  }
}

export function surroundings(): Around {
  const { hardwareConcurrency, deviceMemory } = navigator as Navigator & { deviceMemory?: number };
  return {
    memory64: hasMemory64(),
    isolated: globalThis.crossOriginIsolated === true,
    cores: hardwareConcurrency || 1,
    deviceMemory,
  };
}
