/**
 * Proof of work: a number that makes a hash start with enough zero bits.
 *
 * Decides: how long the page may be busy at once (well under a frame), so that typing never stutters.
 * Refuses: a difficulty over 24 bits, which no visitor's device should be asked for.
 */
import { sha256 } from "@noble/hashes/sha2.js";

const MOST_BITS = 24;
/** Its own: what two bundles share would be a file of its own on the first screen. */
const encoder = new TextEncoder();
const SLICE_MS = 8;
/** Hashes between two looks at the clock: short enough to stop in time on a slow phone. */
const BATCH = 64;

export function leadingZeroBits(hash: Uint8Array): number {
  let bits = 0;
  for (const byte of hash) {
    if (byte === 0) bits += 8;
    else return bits + Math.clz32(byte) - 24;
  }
  return bits;
}

/** Gives the page a turn; a message is not throttled in a background tab as a timer is. */
function breathe(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/**
 * The smallest decimal string `solution` for which SHA-256 of `challenge:solution` starts with
 * `difficulty` zero bits. Rejects with the signal's reason when stopped.
 */
export async function solve(
  challenge: string,
  difficulty: number,
  signal?: AbortSignal,
): Promise<string> {
  if (difficulty > MOST_BITS) throw new RangeError(`difficulty ${difficulty} is over ${MOST_BITS}`);
  const prefix = sha256.create().update(encoder.encode(`${challenge}:`));
  let candidate = 0;
  for (;;) {
    signal?.throwIfAborted();
    const until = performance.now() + SLICE_MS;
    while (performance.now() < until) {
      for (let index = 0; index < BATCH; index += 1, candidate += 1) {
        const hash = prefix
          .clone()
          .update(encoder.encode(String(candidate)))
          .digest();
        if (leadingZeroBits(hash) >= difficulty) return String(candidate);
      }
    }
    await breathe();
  }
}
