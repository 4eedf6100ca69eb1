/**
 * Turns a call into a signed request: digest, signature base, ES256.
 *
 * Decides: the headers of every signed call, each valid for one minute and used once.
 */
import type { Clock } from "./clock.ts";
import { base64, base64url, randomBytes, sha256, utf8 } from "./encoding.ts";
import type { Random } from "./ids.ts";
import type { BrowserKey } from "./key.ts";
import { LABEL, signatureBase } from "./signature.ts";

export interface Call {
  readonly method: "GET" | "POST";
  /** The absolute path, without a query. */
  readonly path: string;
  readonly query?: string;
  /** Already serialised: what is digested is what is sent. */
  readonly body?: string;
  readonly idempotencyKey?: string | undefined;
}

export interface Credentials {
  readonly key: BrowserKey;
  readonly authority: string;
  readonly token?: string | undefined;
  readonly integrity?: string | undefined;
}

const VALID_SECONDS = 60;
const ES256 = { name: "ECDSA", hash: "SHA-256" } as const;

/** RFC 9530: the digest of the body, or of nothing. */
export async function contentDigest(body: string): Promise<string> {
  return `sha-256=:${base64(await sha256(utf8(body)))}:`;
}

/** The headers that make `call` a signed one. */
export async function signedHeaders(
  call: Call,
  credentials: Credentials,
  clock: Clock,
  random: Random = randomBytes,
): Promise<Headers> {
  const { key, token, integrity } = credentials;
  const created = Math.floor(clock.now() / 1000);
  const digest = await contentDigest(call.body ?? "");
  const authorization = token === undefined ? undefined : `Bearer ${token}`;
  const { base, input } = signatureBase({
    method: call.method,
    authority: credentials.authority,
    path: call.path,
    query: call.query ? `?${call.query}` : "?",
    digest,
    authorization,
    idempotencyKey: call.idempotencyKey,
    integrity,
    created,
    expires: created + VALID_SECONDS,
    nonce: base64url(random(16)),
    keyid: key.thumbprint,
  });
  const signature = await crypto.subtle.sign(ES256, key.pair.privateKey, utf8(base));
  const headers = new Headers({ "Content-Digest": digest, "Signature-Input": input });
  headers.set("Signature", `${LABEL}=:${base64(new Uint8Array(signature))}:`);
  if (call.body !== undefined) headers.set("Content-Type", "application/json");
  if (authorization) headers.set("Authorization", authorization);
  if (call.idempotencyKey) headers.set("Idempotency-Key", call.idempotencyKey);
  if (integrity) headers.set("X-Integrity", integrity);
  return headers;
}
