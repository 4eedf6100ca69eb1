import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { describeKey, makeKey, type PublicJwk, thumbprintOf } from "../../src/trust/key.ts";
import { signatureBase } from "../../src/trust/signature.ts";
import { contentDigest, signedHeaders } from "../../src/trust/signer.ts";
import { verifies } from "./gateway.ts";

interface Golden {
  readonly [name: string]: unknown;
  readonly method: string;
  readonly authority: string;
  readonly path: string;
  readonly query: string;
  readonly body: string;
  readonly digest: string;
  readonly authorization: string;
  readonly idempotency_key?: string;
  readonly x_integrity?: string;
  readonly created: number;
  readonly expires: number;
  readonly nonce: string;
  readonly keyid: string;
  readonly jwk: PublicJwk;
  readonly base: string;
  readonly signature_input: string;
  readonly signature: string;
}

const GOLDEN = JSON.parse(
  readFileSync(new URL("../../../tests/wire/signature.json", import.meta.url), "utf8"),
) as Golden;

const CLOCK = { now: () => 1_767_366_000_000 };

describe("the signature base", () => {
  it("is the gateway's, letter by letter", () => {
    const { base, input } = signatureBase({
      method: GOLDEN.method,
      authority: GOLDEN.authority,
      path: GOLDEN.path,
      query: GOLDEN.query,
      digest: GOLDEN.digest,
      authorization: GOLDEN.authorization,
      idempotencyKey: GOLDEN.idempotency_key,
      integrity: GOLDEN.x_integrity,
      created: GOLDEN.created,
      expires: GOLDEN.expires,
      nonce: GOLDEN.nonce,
      keyid: GOLDEN.keyid,
    });
    expect(base).toBe(GOLDEN.base);
    expect(input).toBe(GOLDEN.signature_input);
  });

  it("leaves out what is absent", () => {
    const { base, input } = signatureBase({
      method: "POST",
      authority: "a",
      path: "/v1/sessions",
      query: "?",
      digest: "d",
      created: 1,
      expires: 61,
      nonce: "n",
      keyid: "k",
    });
    expect(input).toBe(
      'fanlight=("@method" "@authority" "@path" "@query" "content-digest");created=1;expires=61;nonce="n";keyid="k";tag="fanlight-v1"',
    );
    expect(base).not.toContain("authorization");
  });
});

describe("the golden call", () => {
  it("has the digest of its body", async () => {
    expect(await contentDigest(GOLDEN.body)).toBe(GOLDEN.digest);
  });

  it("names its key by the thumbprint", async () => {
    expect(await thumbprintOf(GOLDEN.jwk)).toBe(GOLDEN.keyid);
  });

  it("verifies over our base", async () => {
    expect(await verifies(GOLDEN.jwk, GOLDEN.signature, GOLDEN.base)).toBe(true);
  });
});

describe("a signed request", () => {
  const sign = async (call: Parameters<typeof signedHeaders>[0], integrity?: string) => {
    const key = await makeKey();
    const credentials = { key, authority: "localhost:8000", token: "tok", integrity };
    return { key, headers: await signedHeaders(call, credentials, CLOCK) };
  };

  it("lives a minute and is named by its key", async () => {
    const { key, headers } = await sign({ method: "GET", path: "/v1/x" });
    const input = headers.get("Signature-Input");
    expect(input).toContain("created=1767366000;expires=1767366060;");
    expect(input).toContain(`keyid="${key.thumbprint}"`);
    expect(input).toMatch(/nonce="[\w-]{22}"/);
  });

  it("digests nothing on a GET, and sets no content type", async () => {
    const { headers } = await sign({ method: "GET", path: "/v1/x" });
    const empty = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";
    expect(headers.get("Content-Digest")).toBe(empty);
    expect(headers.has("Content-Type")).toBe(false);
  });

  it("covers idempotency key, receipt and query when they are there", async () => {
    const call = { method: "POST", path: "/v1/x", query: "a=1", body: "{}", idempotencyKey: "k" };
    const { headers } = await sign(call as Parameters<typeof signedHeaders>[0], "receipt");
    expect(headers.get("Signature-Input")).toContain('"idempotency-key" "x-integrity")');
    expect(headers.get("Idempotency-Key")).toBe("k");
    expect(headers.get("X-Integrity")).toBe("receipt");
  });

  it("verifies with the public key", async () => {
    const { key, headers } = await sign({ method: "POST", path: "/v1/x", body: "{}" });
    const params = (headers.get("Signature-Input") ?? "").slice("fanlight=".length);
    const base = [
      '"@method": POST',
      '"@authority": localhost:8000',
      '"@path": /v1/x',
      '"@query": ?',
      `"content-digest": ${headers.get("Content-Digest")}`,
      '"authorization": Bearer tok',
      `"@signature-params": ${params}`,
    ].join("\n");
    expect(await verifies(key.jwk, headers.get("Signature") ?? "", base)).toBe(true);
    expect(await verifies(key.jwk, headers.get("Signature") ?? "", `${base} `)).toBe(false);
  });
});

describe("the browser's key", () => {
  it("cannot be taken out", async () => {
    const { pair } = await makeKey();
    await expect(crypto.subtle.exportKey("jwk", pair.privateKey)).rejects.toThrow();
  });

  it("is recognised again", async () => {
    const key = await makeKey();
    expect((await describeKey(key.pair)).thumbprint).toBe(key.thumbprint);
  });

  it("is refused when it is of another kind", async () => {
    const algorithm = { name: "ECDSA", namedCurve: "P-384" };
    const pair = await crypto.subtle.generateKey(algorithm, false, ["sign", "verify"]);
    await expect(describeKey(pair)).rejects.toThrow("P-256");
  });
});
