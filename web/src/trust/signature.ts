/**
 * The signature base of RFC 9421, for exactly the components that Fanlight covers.
 *
 * Decides: which lines are signed, in which order, and the `Signature-Input` that names them. Pure, and
 * checked against `tests/wire/signature.json`, which the gateway's tests read too.
 * Refuses nothing: a wrong part makes a signature that the gateway refuses.
 */

export interface SignatureParts {
  readonly method: string;
  /** The gateway's configured authority, never what the page's address says. */
  readonly authority: string;
  readonly path: string;
  /** With its question mark; an absent query is "?". */
  readonly query: string;
  readonly digest: string;
  /** Absent only when a session is being opened. */
  readonly authorization?: string | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly integrity?: string | undefined;
  /** Seconds since 1970. */
  readonly created: number;
  readonly expires: number;
  readonly nonce: string;
  readonly keyid: string;
}

export interface SignatureBase {
  readonly base: string;
  /** The value of `Signature-Input`, label included. */
  readonly input: string;
}

export const LABEL = "fanlight";
const TAG = "fanlight-v1";

function coveredLines(parts: SignatureParts): readonly (readonly [string, string | undefined])[] {
  return [
    ["@method", parts.method],
    ["@authority", parts.authority],
    ["@path", parts.path],
    ["@query", parts.query],
    ["content-digest", parts.digest],
    ["authorization", parts.authorization],
    ["idempotency-key", parts.idempotencyKey],
    ["x-integrity", parts.integrity],
  ];
}

/** RFC 9421, 2.5: one line for each covered component, then the parameters themselves. */
export function signatureBase(parts: SignatureParts): SignatureBase {
  const lines = coveredLines(parts).filter(([, value]) => value !== undefined);
  const names = lines.map(([name]) => `"${name}"`).join(" ");
  const params =
    `(${names});created=${parts.created};expires=${parts.expires};nonce="${parts.nonce}"` +
    `;keyid="${parts.keyid}";tag="${TAG}"`;
  const body = lines.map(([name, value]) => `"${name}": ${value}`);
  return {
    base: [...body, `"@signature-params": ${params}`].join("\n"),
    input: `${LABEL}=${params}`,
  };
}
