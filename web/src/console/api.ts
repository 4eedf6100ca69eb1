/**
 * Calls to the gateway's console origin.
 *
 * Decides: what a failure means to the operator ({@link Trouble}), and that every change carries
 * the CSRF token, renewed once where the server no longer accepts it.
 * Refuses: to guess. A call that got no answer is said to have got none.
 */

import { list, object, text } from "./fields";
import {
  type Escalation,
  type Filter,
  type Page,
  type Replied,
  readEscalation,
  readPage,
  readReplied,
  readSession,
  type Session,
} from "./wire";

/**
 * - `unreachable`: no answer came; whether the gateway acted on the call is not known
 * - `signed_out`: there is no session, or it ended
 * - `limited`: too many tries; `retryAfter` says how many seconds to wait
 * - `refused`: the gateway understood and said no; `detail` and `remedy` say why
 * - `broken`: the gateway failed, or answered what cannot be read
 */
export type TroubleKind = "unreachable" | "signed_out" | "limited" | "refused" | "broken";

/** What is wrong with one field of what was sent. */
export interface FieldFlaw {
  readonly field: string;
  readonly detail: string;
}

/** A call that did not work, with what the gateway said about it. */
export class Trouble extends Error {
  readonly status: number | null;
  /** Which problem it is, where the gateway names it (RFC 9457, 3.1.1). */
  readonly type: string;
  readonly detail: string;
  readonly remedy: string;
  /** What of the call was refused, where the gateway names it. */
  readonly field: string;
  /** What is wrong with each field, where the gateway names more than one. */
  readonly flaws: readonly FieldFlaw[];
  readonly retryAfter: number | null;

  constructor(
    readonly kind: TroubleKind,
    evidence: {
      status?: number;
      type?: string;
      detail?: string;
      remedy?: string;
      field?: string;
      flaws?: readonly FieldFlaw[];
      retryAfter?: number | null;
    } = {},
  ) {
    super(evidence.detail || kind);
    this.name = "Trouble";
    this.status = evidence.status ?? null;
    this.type = evidence.type ?? "";
    this.detail = evidence.detail ?? "";
    this.remedy = evidence.remedy ?? "";
    this.field = evidence.field ?? "";
    this.flaws = evidence.flaws ?? [];
    this.retryAfter = evidence.retryAfter ?? null;
  }
}

/** A reply, and how many of the question's turns its writer had before them. */
export interface Outgoing {
  readonly content: string;
  readonly resolve: boolean;
  readonly seen: number;
}

/** The problem of a question that was to be resolved and has a turn that was not seen. */
export const ASKED_SINCE = "asked-since";

export type Fetch = (input: string, init?: RequestInit) => Promise<Response>;

/** How long a call may take before it counts as unanswered. */
const PATIENCE_MS = 20_000;
const PAGE_SIZE = 50;

export class Api {
  #csrf = "";

  /** @param now milliseconds since the epoch, to read a `Retry-After` that is a date. */
  constructor(
    private readonly fetch: Fetch,
    private readonly now: () => number = Date.now,
  ) {}

  /** Opens a session with the operator token. The token is sent once and kept nowhere. */
  async logIn(token: string): Promise<Session> {
    await this.#send("/v1/operator/session", sending("POST", { token }));
    return this.session();
  }

  /** Who is logged in. Throws `signed_out` where nobody is. */
  async session(): Promise<Session> {
    const session = await this.read("/v1/operator/session", readSession);
    this.#csrf = session.csrf;
    return session;
  }

  async logOut(): Promise<void> {
    await this.change("/v1/operator/session", { method: "DELETE" });
    this.#csrf = "";
  }

  /** Newest first; `before` is the `next` of the page before. */
  async page(filter: Filter, before: string | null = null): Promise<Page> {
    const query = new URLSearchParams({ status: filter, limit: String(PAGE_SIZE) });
    if (before !== null) query.set("before", before);
    return this.read(`/v1/escalations?${query}`, readPage);
  }

  async escalation(id: string): Promise<Escalation> {
    return this.read(path(id), readEscalation);
  }

  /** @param key one per text, so that sending the same text again cannot send it twice. */
  async reply(id: string, reply: Outgoing, key: string): Promise<Replied> {
    const init = sending("POST", reply);
    const headers = { ...init.headers, "Idempotency-Key": key };
    return decode(await this.change(`${path(id)}/replies`, { ...init, headers }), readReplied);
  }

  /** Refused where there are more turns than were `seen`. */
  async resolve(id: string, seen: number): Promise<void> {
    await this.change(`${path(id)}/resolve`, sending("POST", { seen }));
  }

  async resend(id: string): Promise<void> {
    await this.change(`${path(id)}/resend`, { method: "POST" });
  }

  /** Asks without changing anything. */
  async read<T>(url: string, read: (value: unknown) => T): Promise<T> {
    return decode(await this.#send(url, {}), read);
  }

  /**
   * Changes something. A CSRF token lives as long as its session: on a 403 it is read again, once.
   * A call that may take longer than others brings its own `signal`.
   */
  async change(url: string, init: RequestInit): Promise<Response> {
    try {
      return await this.#send(url, this.#withCsrf(init));
    } catch (trouble) {
      const stale = trouble instanceof Trouble && trouble.status === 403;
      const before = this.#csrf;
      if (!stale || (await this.session()).csrf === before) throw trouble;
      return this.#send(url, this.#withCsrf(init));
    }
  }

  #withCsrf(init: RequestInit): RequestInit {
    return {
      ...init,
      headers: { ...(init.headers as Record<string, string>), "X-CSRF-Token": this.#csrf },
    };
  }

  async #send(url: string, init: RequestInit): Promise<Response> {
    const headers = { Accept: "application/json", ...(init.headers as Record<string, string>) };
    const signal = init.signal ?? AbortSignal.timeout(PATIENCE_MS);
    let response: Response;
    try {
      response = await this.fetch(url, {
        ...init,
        headers,
        signal,
        credentials: "same-origin",
        cache: "no-store",
      });
    } catch (cause) {
      throw new Trouble("unreachable", { detail: String(cause) });
    }
    if (!response.ok) throw await explain(response, this.now());
    return response;
  }
}

function path(id: string): string {
  return `/v1/escalations/${encodeURIComponent(id)}`;
}

/** A request that carries `body` as JSON. */
export function sending(
  method: "POST" | "PUT",
  body: object,
): { method: string; headers: Record<string, string>; body: string } {
  return { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

export async function decode<T>(response: Response, read: (value: unknown) => T): Promise<T> {
  try {
    return read(await response.json());
  } catch (cause) {
    throw new Trouble("broken", { status: response.status, detail: String(cause) });
  }
}

/** Reads an RFC 9457 problem document, or what little there is without one. */
async function explain(response: Response, now: number): Promise<Trouble> {
  const problem = await response.json().catch(() => null);
  const say = (field: string): string =>
    typeof problem?.[field] === "string" ? problem[field] : "";
  return new Trouble(kindOf(response.status), {
    status: response.status,
    type: say("type"),
    detail: say("detail") || say("title"),
    remedy: say("remedy"),
    field: say("field"),
    flaws: list(problem?.flaws, readFlaw),
    retryAfter: retryAfter(response.headers.get("Retry-After"), now),
  });
}

export function readFlaw(value: unknown): FieldFlaw {
  const fields = object(value, "flaws");
  return { field: text(fields.field) ?? "", detail: text(fields.detail) ?? "" };
}

function kindOf(status: number): TroubleKind {
  if (status === 401) return "signed_out";
  if (status === 429) return "limited";
  return status < 500 ? "refused" : "broken";
}

/** Seconds from now, from either form that RFC 9110 (10.2.3) allows. */
function retryAfter(header: string | null, now: number): number | null {
  if (header === null) return null;
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : (Date.parse(header) - now) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : null;
}
