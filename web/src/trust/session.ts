/**
 * One session with the gateway, opened when it is first needed and kept fresh.
 *
 * Decides: when to open, when to renew, and when to start over. The token lives in memory only: one
 * session a tab. Refuses: to open two at once.
 */
import type { CorrectedClock } from "./clock.ts";
import type { BrowserKey } from "./key.ts";
import { Problem, problemOf } from "./problem.ts";
import { type Call, type Credentials, signedHeaders } from "./signer.ts";
import type { Widget } from "./turnstile.ts";

export interface Consent {
  readonly memory: boolean;
  readonly training: boolean;
}

export interface SessionOptions {
  readonly fetch: typeof fetch;
  readonly clock: CorrectedClock;
  readonly gateway: string;
  readonly authority: string;
  readonly siteKey: string;
  readonly key: () => Promise<BrowserKey>;
  readonly locale: () => string;
  readonly consent: () => Consent;
  /** Shows a Turnstile widget, and gives its token. */
  readonly turnstile?: ((widget: Widget) => Promise<string>) | undefined;
  /** The site's word for a signed-in visitor, for the key of this thumbprint. */
  readonly identity?: ((thumbprint: string) => Promise<string | undefined>) | undefined;
}

export interface Token {
  readonly value: string;
  /** Milliseconds since 1970, by the corrected clock. */
  readonly expires: number;
}

interface Challenge {
  readonly challenge: string;
  readonly kind: string;
  readonly difficulty: number;
  readonly turnstile?: Widget;
}

interface Solved {
  readonly challenge: string;
  readonly solution: string;
}

interface Grant {
  readonly access_token: string;
  readonly expires_in: number;
}

/** Renewed when less than this is left, so that no call starts with a token about to die. */
const MARGIN_MS = 60_000;
/** A session that is not open by then is not coming: challenge, proof of work and grant together. */
const PATIENCE_MS = 30_000;

export class Session {
  #token: Token | undefined;
  #pending: Promise<Token> | undefined;
  /** Counts the times a session was dropped, so that a late answer cannot bring it back. */
  #generation = 0;

  constructor(private readonly options: SessionOptions) {}

  /** A token that is good for at least a minute. Callers that cannot wait stop waiting by themselves. */
  async token(): Promise<string> {
    const held = this.#token;
    if (held && held.expires - this.options.clock.now() > MARGIN_MS) return held.value;
    this.#pending ??= this.#obtain(held, this.#generation);
    return (await this.#pending).value;
  }

  /** Forgets the token: the next call opens a new session (another key, another consent, a refusal). */
  drop(): void {
    this.#generation += 1;
    this.#token = undefined;
    this.#pending = undefined;
  }

  async #obtain(held: Token | undefined, generation: number): Promise<Token> {
    try {
      const token = await this.#renewOrOpen(held, AbortSignal.timeout(PATIENCE_MS));
      if (generation === this.#generation) this.#token = token;
      return token;
    } finally {
      if (generation === this.#generation) this.#pending = undefined;
    }
  }

  async #renewOrOpen(held: Token | undefined, signal: AbortSignal): Promise<Token> {
    if (!held) return this.#open(signal);
    try {
      return await this.#post("/v1/sessions/renew", {}, held.value, signal);
    } catch (error) {
      if (error instanceof Problem && error.status < 500) return this.#open(signal);
      throw error;
    }
  }

  async #open(signal: AbortSignal): Promise<Token> {
    const { siteKey, locale, consent, identity } = this.options;
    const key = await this.options.key();
    const jwt = await identity?.(key.thumbprint);
    const send = async () => {
      const { challenge, solution } = await this.#solved(key, signal);
      const body = {
        site_key: siteKey,
        jwk: key.jwk,
        challenge,
        solution,
        locale: locale(),
        consent: consent(),
        ...(jwt ? { identity_jwt: jwt } : {}),
      };
      return this.#post("/v1/sessions", body, undefined, signal);
    };
    try {
      return await send();
    } catch (error) {
      // Turnstile out of reach: the next challenge is another. A JWT is used only once all else holds.
      if (error instanceof Problem && error.type.endsWith("/bad-challenge")) return send();
      throw error;
    }
  }

  /** A challenge and what solves it; where Turnstile gives no token, a proof of work in its place. */
  async #solved(key: BrowserKey, signal: AbortSignal): Promise<Solved> {
    const asked = await this.#challenge(key, signal);
    const { turnstile } = this.options;
    if (asked.kind !== "turnstile") return proved(asked, signal);
    try {
      if (!asked.turnstile || !turnstile) throw new TypeError("no widget");
      return { challenge: asked.challenge, solution: await turnstile(asked.turnstile) };
    } catch {
      return proved(await this.#challenge(key, signal, { without: "turnstile" }), signal);
    }
  }

  async #challenge(
    key: BrowserKey,
    signal: AbortSignal,
    fields: { readonly without?: "turnstile" } = {},
  ): Promise<Challenge> {
    const response = await this.options.fetch(`${this.options.gateway}/v1/challenges`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        site_key: this.options.siteKey,
        thumbprint: key.thumbprint,
        ...fields,
      }),
      credentials: "omit",
      signal,
    });
    if (!response.ok) throw await problemOf(response);
    return (await response.json()) as Challenge;
  }

  async #post(
    path: string,
    body: object,
    token: string | undefined,
    signal: AbortSignal,
  ): Promise<Token> {
    const { authority, gateway, clock } = this.options;
    const call: Call = { method: "POST", path, body: JSON.stringify(body) };
    const credentials: Credentials = { key: await this.options.key(), authority, token };
    const send = async () =>
      this.options.fetch(gateway + path, {
        method: "POST",
        headers: await signedHeaders(call, credentials, clock),
        body: call.body ?? null,
        credentials: "omit",
        signal,
      });
    const response = await retryIfStale(send, clock);
    const grant = (await response.json()) as Grant;
    return { value: grant.access_token, expires: clock.now() + grant.expires_in * 1000 };
  }
}

async function proved(asked: Challenge, signal: AbortSignal): Promise<Solved> {
  if (asked.kind !== "pow") throw new TypeError(`unknown challenge kind ${asked.kind}`);
  // No session is begun before a question goes out, so the first screen does without its hash.
  const { solve } = await import("./pow.ts");
  const solution = await solve(asked.challenge, asked.difficulty, signal);
  return { challenge: asked.challenge, solution };
}

/** Sends; when the gateway says the clock is wrong, corrects it and sends once more. */
export async function retryIfStale(
  send: () => Promise<Response>,
  clock: CorrectedClock,
): Promise<Response> {
  const first = await send();
  if (first.ok) return first;
  const problem = await problemOf(first);
  if (!problem.serverTime || !clock.correct(problem.serverTime)) throw problem;
  const second = await send();
  if (!second.ok) throw await problemOf(second);
  return second;
}
