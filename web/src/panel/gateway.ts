/**
 * The gateway, as the panel needs it: ask, escalate, listen.
 *
 * Decides: how long to wait for a first word (as the gateway says; 5 s), and between words (25 s, past one heartbeat). Refuses:
 * by an outcome with a name, never by leaving the visitor waiting.
 */
import type { SignedCalls } from "../trust/calls.ts";
import { makeIdempotencyKey } from "../trust/ids.ts";
import { Problem, problemFrom } from "../trust/problem.ts";
import { traceOf } from "../trust/trace.ts";
import { type Citation, isRecord, isSpan, type Suggestion } from "../vault/entry.ts";
import { pause } from "./pause.ts";
import { dataOf, eventsOf, type ServerEvent } from "./sse.ts";

export const NEXT_WORD_MS = 25_000;

/** A wait longer than this is a visitor's no more than a silent gateway's. */
const LONGEST_QUEUE_S = 5;

/** How long an erase or a page of an export may take before it counts as failed. */
const RIGHTS_MS = 15_000;

/** A finished turn, as far as the panel uses it. */
export interface Turn {
  readonly reply: string;
  readonly confidence: number;
  readonly escalate: boolean;
  readonly source: "kb" | "local" | "cloud" | "human";
  readonly citations: readonly Citation[];
  readonly reasons: readonly string[];
  /** What the visitor is asked to choose from, if the turn asks back. */
  readonly choices: readonly Suggestion[];
  /** Where the sentence of the reply stands that speaks for the question. */
  readonly sentence: readonly [number, number] | undefined;
  /** What the site wants said beside such an answer. */
  readonly disclaimers: readonly string[];
  /** How the model came to it, where it tells. */
  readonly reasoning: string | undefined;
  /** What to show in the reply's place where nobody is there. */
  readonly fallbackText: string | undefined;
}

/** What the gateway says once an escalation is on its disk. */
export interface Acknowledged {
  readonly id: string;
  readonly status: string;
  /** When people are back; absent where somebody is there. */
  readonly backAt: string | undefined;
}

export type ChatOutcome =
  | { readonly kind: "turn"; readonly turn: Turn; readonly receipt: string | undefined }
  | { readonly kind: "silent" }
  | { readonly kind: "stopped" }
  | { readonly kind: "problem"; readonly problem: Problem };

export interface ChatCall {
  readonly body: object;
  readonly idempotencyKey: string;
  readonly stop: AbortSignal;
  readonly onDelta: (text: string) => void;
}

function citation(value: unknown): Citation | undefined {
  if (!isRecord(value) || typeof value.url !== "string") return undefined;
  return { title: typeof value.title === "string" ? value.title : value.url, url: value.url };
}

function suggestion(value: unknown): Suggestion | undefined {
  if (!isRecord(value)) return undefined;
  const { entry_id, question } = value;
  if (typeof entry_id !== "string" || typeof question !== "string") return undefined;
  return { entry_id, question };
}

/** Reads a turn without trusting its shape: a field of the wrong kind counts as absent. */
export function parseTurn(value: unknown): Turn {
  const turn = isRecord(value) ? value : {};
  const source = turn.source === "kb" || turn.source === "local" ? turn.source : "cloud";
  const citations = Array.isArray(turn.citations) ? turn.citations : [];
  const choices = Array.isArray(turn.choices) ? turn.choices : [];
  return {
    reply: typeof turn.reply === "string" ? turn.reply : "",
    confidence: typeof turn.confidence === "number" ? turn.confidence : 0,
    escalate: turn.escalate === true,
    source,
    citations: citations.flatMap((item) => citation(item) ?? []),
    reasons: Array.isArray(turn.reasons) ? turn.reasons.map(String) : [],
    choices: choices.flatMap((item) => suggestion(item) ?? []),
    sentence: isSpan(turn.sentence) ? turn.sentence : undefined,
    disclaimers: Array.isArray(turn.disclaimers) ? turn.disclaimers.map(String).slice(0, 5) : [],
    reasoning: typeof turn.reasoning === "string" && turn.reasoning ? turn.reasoning : undefined,
    fallbackText: typeof turn.fallback_text === "string" ? turn.fallback_text : undefined,
  };
}

/** Aborts when the visitor stops, or when nothing is heard for long enough. */
class Patience {
  readonly #controller = new AbortController();
  #timer: ReturnType<typeof setTimeout>;

  constructor(ms: number, stop: AbortSignal) {
    this.#timer = this.#after(ms);
    const abort = () => this.#controller.abort();
    if (stop.aborted) abort();
    stop.addEventListener("abort", abort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  renew(ms: number): void {
    this.end();
    this.#timer = this.#after(ms);
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #after(ms: number): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.#controller.abort(), ms);
  }
}

/** Whether the gateway refused a call because of all the others. */
function isBusy(error: unknown): error is Problem {
  return error instanceof Problem && error.status === 503 && error.type.endsWith("/busy");
}

/** The turn that a kept body is about: it may have waited offline since another version wrote it. */
function turnOf(body: string): string {
  try {
    const value: unknown = JSON.parse(body);
    return isRecord(value) ? String(value.turn_id) : "";
  } catch {
    return "";
  }
}

export class Gateway {
  constructor(
    private readonly calls: SignedCalls,
    private readonly firstWordMs: number,
  ) {}

  /** Gets ready for a question that may be coming. */
  warm(): void {
    this.calls.warm();
  }

  /**
   * Asks; resolves with what came of it, and never rejects. A gateway that has too much to do is asked once more
   * after the time that it names, rather than a person being woken for each of a crowd.
   */
  async chat(call: ChatCall): Promise<ChatOutcome> {
    try {
      return await this.#ask(call).catch((error: unknown) => this.#askAgain(error, call));
    } catch (error) {
      if (call.stop.aborted) return { kind: "stopped" };
      if (error instanceof Problem && error.status < 500)
        return { kind: "problem", problem: error };
      return { kind: "silent" };
    }
  }

  async #askAgain(error: unknown, call: ChatCall): Promise<ChatOutcome> {
    const wait = isBusy(error) ? error.retryAfter : undefined;
    if (wait === undefined || wait > LONGEST_QUEUE_S) throw error;
    // Not all of a crowd at the same moment.
    await pause(wait * (1 + Math.random() / 2) * 1000, call.stop);
    return this.#ask(call);
  }

  async #ask(call: ChatCall): Promise<ChatOutcome> {
    const patience = new Patience(this.firstWordMs, call.stop);
    try {
      return await this.#read(call, patience);
    } finally {
      patience.end();
    }
  }

  async #read(call: ChatCall, patience: Patience): Promise<ChatOutcome> {
    const body = JSON.stringify(call.body);
    const response = await this.calls.send(
      {
        method: "POST",
        path: "/v1/chat",
        body,
        idempotencyKey: call.idempotencyKey,
      },
      {
        signal: patience.signal,
        headers: { Accept: "text/event-stream", ...traceOf(turnOf(body)) },
      },
    );
    for await (const event of eventsOf(response)) {
      const outcome = this.#hear(event, call);
      if (outcome) return outcome;
      // Only a word counts: a provider that hangs behind heartbeats is a silent one.
      if (event.event === "delta") patience.renew(NEXT_WORD_MS);
    }
    return { kind: "silent" };
  }

  #hear(event: ServerEvent, call: ChatCall): ChatOutcome | undefined {
    const data = dataOf(event);
    if (event.event === "delta" && typeof data.text === "string") call.onDelta(data.text);
    if (event.event === "problem") throw problemFrom(data, 0);
    if (event.event !== "done") return undefined;
    const receipt = typeof data.receipt === "string" ? data.receipt : undefined;
    this.calls.keepReceipt(receipt);
    return { kind: "turn", turn: parseTurn(data.turn), receipt };
  }

  /** Escalates; resolves with the gateway's acknowledgement, rejects with its `Problem`. */
  async escalate(body: string, idempotencyKey: string): Promise<Acknowledged> {
    const response = await this.calls.send(
      { method: "POST", path: "/v1/escalations", body, idempotencyKey },
      { signal: AbortSignal.timeout(15_000), headers: traceOf(turnOf(body)) },
    );
    const answer: unknown = await response.json();
    const fields = isRecord(answer) ? answer : {};
    return {
      id: String(fields.escalation_id ?? ""),
      status: String(fields.status ?? "queued"),
      backAt: typeof fields.back_at === "string" ? fields.back_at : undefined,
    };
  }

  /** Says what the visitor thinks of an answer; rejects with the gateway's `Problem`. */
  async feedback(body: string, idempotencyKey: string): Promise<void> {
    await this.calls.send(
      { method: "POST", path: "/v1/feedback", body, idempotencyKey },
      { signal: AbortSignal.timeout(15_000), headers: traceOf(turnOf(body)) },
    );
  }

  /** A page of what the server holds of this visitor; rejects where it cannot be had. */
  async held(cursor: string | null, stop: AbortSignal): Promise<unknown> {
    const patience = new Patience(RIGHTS_MS, stop);
    try {
      const body = JSON.stringify({ cursor });
      const call = { method: "POST", path: "/v1/export", body } as const;
      const response = await this.calls.send(call, { signal: patience.signal });
      return await response.json();
    } finally {
      patience.end();
    }
  }

  /** Has everything erased that the server holds of this visitor; rejects where it is not. */
  async erase(): Promise<void> {
    await this.calls.send(
      { method: "POST", path: "/v1/erase", body: "{}", idempotencyKey: makeIdempotencyKey() },
      { signal: AbortSignal.timeout(RIGHTS_MS) },
    );
  }

  /** Opens the stream of replies to these conversations; undefined when nothing is open and nothing is new. */
  async events(
    [conversationId = "", ...others]: readonly string[],
    lastEventId: string,
    signal: AbortSignal,
  ): Promise<Response | undefined> {
    const response = await this.calls.send(
      {
        method: "GET",
        path: `/v1/conversations/${conversationId}/events`,
        query: others.length > 0 ? `also=${others.join()}` : "",
      },
      {
        signal,
        headers: {
          Accept: "text/event-stream",
          ...(lastEventId ? { "Last-Event-ID": lastEventId } : {}),
        },
      },
    );
    return response.status === 204 ? undefined : response;
  }
}
