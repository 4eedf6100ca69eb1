/**
 * Names that the browser makes: turns, conversations, idempotency keys, nonces.
 *
 * Decides: an id is a prefix and a UUIDv7 (RFC 9562, 5.7) as 32 hexadecimal digits, so that ids sort by
 * the time they were made and an offline turn has one too.
 */
import type { Clock } from "./clock.ts";
import { type Bytes, base64url, hex, randomBytes } from "./encoding.ts";

/** A source of random bytes, injected so that tests own it. */
export type Random = (length: number) => Bytes;

export type IdPrefix = "t" | "c";

/** A UUIDv7: 48 bits of milliseconds, then version, variant and 74 random bits. */
export function uuid7(clock: Clock, random: Random = randomBytes): string {
  const bytes = random(16);
  let rest = Math.floor(clock.now());
  for (let index = 5; index >= 0; index -= 1) {
    bytes[index] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return hex(bytes);
}

export function makeId(prefix: IdPrefix, clock: Clock, random: Random = randomBytes): string {
  return `${prefix}_${uuid7(clock, random)}`;
}

/** A key that makes a repeated call harmless: 22 characters of [A-Za-z0-9_-]. */
export function makeIdempotencyKey(random: Random = randomBytes): string {
  return base64url(random(16));
}
