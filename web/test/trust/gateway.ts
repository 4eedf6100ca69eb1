/**
 * A gateway in memory that believes only what is signed, for tests: it verifies every call by WebCrypto over
 * a base of its own making, and answers as a script tells it to.
 */
import { type PublicJwk, thumbprintOf } from "../../src/trust/key.ts";

export interface Seen {
  readonly method: string;
  readonly path: string;
  /** With its question mark; empty where there is none. */
  readonly query: string;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

export type Answer = (seen: Seen) => Response | Promise<Response>;

const AUTHORITY = "chat.example";
export const GATEWAY = `https://${AUTHORITY}`;

export function problem(status: number, fields: object = {}, headers = {}): Response {
  const type = "https://fanlight.dev/problems/test";
  return Response.json({ type, title: "No", status, ...fields }, { status, headers });
}

/** A stream of server-sent events, each piece sent on its own; `end` closes it. */
export function sse(pieces: readonly string[], end = true): Response {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
      if (end) controller.close();
    },
  });
  return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
}

export function event(name: string, data: object, id?: number): string {
  const head = id === undefined ? "" : `id: ${id}\n`;
  return `${head}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

export class TestGateway {
  readonly seen: Seen[] = [];
  readonly keys = new Map<string, PublicJwk>();
  readonly nonces = new Set<string>();
  /** What to answer by path; a path ending in "*" matches what begins so. */
  readonly answers = new Map<string, Answer>();
  expiresIn = 600;
  difficulty = 4;
  sessions = 0;

  constructor() {
    this.answers.set("/v1/challenges", () =>
      Response.json({ challenge: "c", kind: "pow", difficulty: this.difficulty, expires_at: "" }),
    );
    this.answers.set("/v1/sessions", (seen) => this.#open(seen));
    this.answers.set("/v1/sessions/renew", () => this.#grant());
  }

  readonly fetch: typeof fetch = async (input, init) => {
    const url = new URL(String(input));
    const headers = new Headers(init?.headers);
    const text = typeof init?.body === "string" ? init.body : "";
    const body = text ? (JSON.parse(text) as Record<string, unknown>) : {};
    const { pathname: path, search: query } = url;
    const seen: Seen = { method: init?.method ?? "GET", path, query, headers, body };
    if (url.pathname === "/v1/sessions") {
      const jwk = body.jwk as PublicJwk;
      this.keys.set(await thumbprintOf(jwk), jwk);
    }
    if (url.pathname !== "/v1/challenges") await this.#verify(seen, text, url.search || "?");
    this.seen.push(seen);
    const answer = [...this.answers].find(([path]) =>
      path.endsWith("*") ? url.pathname.startsWith(path.slice(0, -1)) : path === url.pathname,
    )?.[1];
    return aborted(answer ? await answer(seen) : problem(404), init?.signal);
  };

  calls(path: string): readonly Seen[] {
    return this.seen.filter((seen) => seen.path === path);
  }

  #open({ body }: Seen): Response {
    if (body.challenge !== "c" || typeof body.solution !== "string") return problem(400);
    return this.#grant();
  }

  #grant(): Response {
    this.sessions += 1;
    const access_token = `token-${this.sessions}`;
    const sid = `sid-${this.sessions}`;
    return Response.json({
      access_token,
      expires_in: this.expiresIn,
      subject: "anon:x",
      sid,
      quota: {},
    });
  }

  /** Throws when anything but one fresh, whole, true signature is there. */
  async #verify({ method, path, headers }: Seen, text: string, query: string): Promise<void> {
    const input = headers.get("Signature-Input") ?? "";
    const [, names = "", rest = ""] = /^fanlight=\(([^)]*)\);(.*)$/.exec(input) ?? [];
    const params = new Map(rest.split(";").map((pair) => pair.split("=", 2) as [string, string]));
    const nonce = params.get("nonce") ?? "";
    if (this.nonces.has(nonce)) throw new Error("replayed nonce");
    this.nonces.add(nonce);
    const values: Record<string, string> = {
      "@method": method,
      "@authority": AUTHORITY,
      "@path": path,
      "@query": query,
    };
    const lines = names.split(" ").map((quoted) => {
      const name = quoted.slice(1, -1);
      return `${quoted}: ${values[name] ?? headers.get(name)}`;
    });
    for (const name of ["authorization", "idempotency-key", "x-integrity"]) {
      if (headers.has(name) && !names.includes(name)) throw new Error(`${name} is not covered`);
    }
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    const stated = `sha-256=:${btoa(String.fromCharCode(...new Uint8Array(digest)))}:`;
    if (headers.get("Content-Digest") !== stated) throw new Error("wrong digest");
    const base = [...lines, `"@signature-params": ${input.slice("fanlight=".length)}`].join("\n");
    const key = this.keys.get(params.get("keyid")?.slice(1, -1) ?? "");
    if (!key) throw new Error("unknown key");
    if (!(await verifies(key, headers.get("Signature") ?? "", base)))
      throw new Error("bad signature");
  }
}

export async function verifies(jwk: PublicJwk, signature: string, base: string): Promise<boolean> {
  const [, encoded = ""] = /^fanlight=:([^:]*):$/.exec(signature) ?? [];
  const raw = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const key = await crypto.subtle.importKey("jwk", { ...jwk }, algorithm, false, ["verify"]);
  const scheme = { name: "ECDSA", hash: "SHA-256" };
  return crypto.subtle.verify(scheme, key, raw, new TextEncoder().encode(base));
}

/** As the network does it: an aborted call rejects, and so does its body. */
function aborted(response: Response, signal: AbortSignal | null | undefined): Response {
  signal?.throwIfAborted();
  if (!signal || !response.body) return response;
  const cut = new TransformStream<Uint8Array, Uint8Array>({
    start(controller) {
      signal.addEventListener("abort", () => controller.error(signal.reason));
    },
  });
  response.body.pipeTo(cut.writable).catch(() => undefined);
  return new Response(cut.readable, { status: response.status, headers: response.headers });
}
