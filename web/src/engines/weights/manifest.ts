/**
 * A model's manifest: how large its file is, and the hash of each block of it.
 *
 * The page's configuration names the manifest's own hash, so what it says is the gateway's word. Refuses a manifest that
 * does not add up; nothing of it is used then.
 */

import { WeightsError } from "./failure.ts";
import { hex } from "./hash.ts";

export interface Manifest {
  readonly sha256: string;
  readonly size: number;
  readonly block_size: number;
  /** SHA-256 of each block in hexadecimal; the last block may be shorter. */
  readonly blocks: readonly string[];
}

const HASH = /^[0-9a-f]{64}$/;
const LARGEST_BLOCK = 16 << 20;

/** Reads a manifest whose bytes must have this hash. */
export async function readManifest(
  bytes: Uint8Array<ArrayBuffer>,
  sha256: string,
): Promise<Manifest> {
  const found = await hex(bytes);
  if (found !== sha256) {
    throw new WeightsError("tampered", `the manifest has the hash ${found}, not ${sha256}`);
  }
  return parsed(new TextDecoder().decode(bytes));
}

function parsed(text: string): Manifest {
  const value = JSON.parse(text) as Partial<Manifest>;
  const { sha256, size = 0, block_size = 0, blocks = [] } = value;
  const sound =
    HASH.test(sha256 ?? "") &&
    [size, block_size].every((one) => Number.isSafeInteger(one) && one > 0) &&
    block_size <= LARGEST_BLOCK &&
    blocks.length === Math.ceil(size / block_size) &&
    blocks.every((block) => HASH.test(block));
  if (!sound) throw new WeightsError("tampered", "the manifest does not add up");
  return value as Manifest;
}

/** Where block `index` starts and ends. */
export function placeOf(manifest: Manifest, index: number): readonly [number, number] {
  const start = index * manifest.block_size;
  return [start, Math.min(start + manifest.block_size, manifest.size)];
}
