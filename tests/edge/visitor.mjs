/** A visitor's browser without a browser: its key, its proof of work, its signed calls. */

import { createHash } from "node:crypto";

const ES256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

const utf8 = (text) => new TextEncoder().encode(text);
const base64 = (bytes) => Buffer.from(bytes).toString("base64");
const base64url = (bytes) => Buffer.from(bytes).toString("base64url");
const digest = (text) => createHash("sha256").update(text).digest();

/** A private JWK with exactly the members of a P-256 key. */
export async function privateJwk() {
  const pair = await crypto.subtle.generateKey(ES256, true, ["sign", "verify"]);
  const { kty, crv, x, y, d } = await crypto.subtle.exportKey("jwk", pair.privateKey);
  return { kty, crv, x, y, d };
}

/** A new id: prefix, then a UUIDv7. */
export function newId(prefix) {
  const random = Buffer.from(crypto.getRandomValues(new Uint8Array(10)));
  random[0] = (random[0] & 0x0f) | 0x70;
  random[2] = (random[2] & 0x3f) | 0x80;
  return `${prefix}_${Date.now().toString(16).padStart(12, "0")}${random.toString("hex")}`;
}

export function solve(challenge, difficulty) {
  for (let number = 0; ; number += 1) {
    const bits = BigInt(`0x${digest(`${challenge}:${number}`).toString("hex")}`);
    if (bits >> BigInt(256 - difficulty) === 0n) return String(number);
  }
}

/** The claims of a compact JWS if one of `keys` signed it, else null. */
export async function readJws(token, keys) {
  const [header, payload, signature] = token.split(".");
  const { alg, kid, typ } = JSON.parse(Buffer.from(header, "base64url").toString());
  const jwk = keys.find((key) => key.kid === kid && key.alg === alg);
  if (!jwk) return null;
  const key = await crypto.subtle.importKey("jwk", jwk, ES256, false, ["verify"]);
  const raw = Buffer.from(signature, "base64url");
  const held = await crypto.subtle.verify(ES256, key, raw, utf8(`${header}.${payload}`));
  return held ? { typ, ...JSON.parse(Buffer.from(payload, "base64url").toString()) } : null;
}

export class Visitor {
  static async create(origin, address) {
    const pair = await crypto.subtle.generateKey(ES256, false, ["sign", "verify"]);
    const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
    return new Visitor(origin, address, pair.privateKey, { kty, crv, x, y });
  }

  constructor(origin, address, key, jwk) {
    Object.assign(this, { origin, address, key, jwk, token: null, receipt: null });
    const { crv, kty, x, y } = jwk;
    this.thumbprint = base64url(digest(JSON.stringify({ crv, kty, x, y })));
  }

  plain(method, path, body) {
    const headers = {
      host: new URL(this.origin).host,
      origin: this.origin,
      "cf-connecting-ip": this.address,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    };
    return { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }), path };
  }

  /** A call signed by the contract's profile; `key` is its idempotency key. */
  async signed(method, path, body, key) {
    const call = this.plain(method, path, body);
    const covered = [
      ["@method", method],
      ["@authority", new URL(this.origin).host],
      ["@path", path],
      ["@query", "?"],
      ["content-digest", `sha-256=:${base64(digest(call.body ?? ""))}:`],
      ["authorization", this.token && `Bearer ${this.token}`],
      ["idempotency-key", key],
      ["x-integrity", this.receipt],
    ].filter(([, value]) => value);
    const created = Math.floor(Date.now() / 1000);
    const nonce = base64url(crypto.getRandomValues(new Uint8Array(16)));
    const params =
      `(${covered.map(([name]) => `"${name}"`).join(" ")});created=${created}` +
      `;expires=${created + 60};nonce="${nonce}";keyid="${this.thumbprint}";tag="fanlight-v1"`;
    const lines = [...covered.map(([name, value]) => `"${name}": ${value}`)];
    const base = [...lines, `"@signature-params": ${params}`].join("\n");
    const signature = await crypto.subtle.sign(ES256, this.key, utf8(base));
    for (const [name, value] of covered) if (!name.startsWith("@")) call.headers[name] = value;
    call.headers["signature-input"] = `fanlight=${params}`;
    call.headers.signature = `fanlight=:${base64(signature)}:`;
    return call;
  }

  request({ path, ...init }) {
    return new Request(this.origin + path, init);
  }
}
