/**
 * The browser's key: ECDSA on P-256, its private half not extractable.
 *
 * Decides: the key's public form (JWK) and its name (RFC 7638 thumbprint). Where the key is kept is the
 * caller's choice: in memory before consent, in IndexedDB after it.
 */
import { base64url, sha256, utf8 } from "./encoding.ts";

export interface PublicJwk {
  readonly kty: "EC";
  readonly crv: "P-256";
  readonly x: string;
  readonly y: string;
}

export interface BrowserKey {
  readonly pair: CryptoKeyPair;
  readonly jwk: PublicJwk;
  readonly thumbprint: string;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;

/** The RFC 7638 thumbprint: SHA-256 of the required members in lexical order, base64url. */
export async function thumbprintOf(jwk: PublicJwk): Promise<string> {
  const canonical = `{"crv":"${jwk.crv}","kty":"${jwk.kty}","x":"${jwk.x}","y":"${jwk.y}"}`;
  return base64url(await sha256(utf8(canonical)));
}

/** Reads a key pair that was made earlier; rejects when it is not one of ours. */
export async function describeKey(pair: CryptoKeyPair): Promise<BrowserKey> {
  const exported = await crypto.subtle.exportKey("jwk", pair.publicKey);
  if (exported.crv !== "P-256" || !exported.x || !exported.y)
    throw new TypeError("not a P-256 key");
  const jwk: PublicJwk = { kty: "EC", crv: "P-256", x: exported.x, y: exported.y };
  return { pair, jwk, thumbprint: await thumbprintOf(jwk) };
}

export async function makeKey(): Promise<BrowserKey> {
  return describeKey(await crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]));
}
