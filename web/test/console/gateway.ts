/**
 * A gateway for the console's tests: it speaks the console origin's API over an injected `fetch`
 * and an injected live line, and can be made to fail.
 */

import type { Ports } from "../../src/console/console";
import type { EventLine } from "../../src/console/live";

import { Embedding } from "./embedding";
import { Figuring } from "./figuring";
import { Knowledge } from "./knowledge";
import { Speaking } from "./speaking";

type Json = Record<string, unknown>;

export const NOW = Date.parse("2026-03-12T12:00:00Z");
export const TOKEN = "op_right";

export function escalation(number: number, fields: Json = {}): Json {
  return {
    id: `e_${String(number).padStart(32, "0")}`,
    site: "site_demo",
    conversation_id: "c_1",
    turn_id: `t_${number}`,
    question: `Question ${number}`,
    fallback_text: "A person **will** answer here.",
    reason: "low_confidence",
    confidence: 0.31,
    provenance: "server",
    tail: [],
    locale: "en",
    contact: null,
    status: "delivered",
    created_at: new Date(NOW - (1000 - number) * 60_000).toISOString(),
    deliveries: [],
    replies: [],
    ...fields,
  };
}

/** A live line that the test speaks through. */
export class Line implements EventLine {
  readyState = 0;
  readonly #listeners = new Map<string, (event: Event) => void>();

  addEventListener(type: string, listener: (event: Event) => void): void {
    this.#listeners.set(type, listener);
  }

  close(): void {
    this.readyState = 2;
  }

  opens(): void {
    this.readyState = 1;
    this.#listeners.get("open")?.(new Event("open"));
  }

  /** @param forGood as after an HTTP error: the browser will not try again by itself. */
  breaks(forGood = false): void {
    this.readyState = forGood ? 2 : 0;
    this.#listeners.get("error")?.(new Event("error"));
  }

  says(data: string, type = "escalation"): void {
    this.#listeners.get(type)?.(new MessageEvent(type, { data }));
  }
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: Json;
}

export class Gateway {
  items: Json[] = [];
  knowledge = new Knowledge();
  embedding = new Embedding();
  figuring = new Figuring();
  speaking = new Speaking();
  loggedIn = true;
  csrf = "csrf_1";
  operator = "ada";
  reachable = true;
  pageSize = 50;
  readonly calls: Call[] = [];
  readonly lines: Line[] = [];
  /** Answers for "METHOD path-ending", instead of the usual ones. */
  readonly failures = new Map<string, () => Response>();
  /** Set to hold every answer back until {@link release}. */
  held: Array<() => void> | null = null;

  readonly #timers: Array<{ ms: number; then: () => void }> = [];
  #now = NOW;
  #ids = 0;

  ports(overrides: Partial<Ports> = {}): Ports {
    return {
      fetch: (input, init) => this.#answer(input, init),
      openLine: () => {
        const line = new Line();
        this.lines.push(line);
        return line;
      },
      now: () => this.#now,
      after: (ms, then) => {
        const timer = { ms, then };
        this.#timers.push(timer);
        return () => {
          const place = this.#timers.indexOf(timer);
          if (place >= 0) this.#timers.splice(place, 1);
        };
      },
      random: () => 0.5,
      randomId: () => `key_${++this.#ids}`,
      isOnline: () => this.reachable,
      copy: async () => {},
      preferences: null,
      ...overrides,
    };
  }

  /** Lets time pass; what was to be called by then is called. */
  pass(ms: number): void {
    this.#now += ms;
    for (const timer of this.#timers.splice(0)) {
      if (timer.ms <= ms) timer.then();
      else this.#timers.push({ ...timer, ms: timer.ms - ms });
    }
  }

  waits(): number[] {
    return this.#timers.map((timer) => timer.ms);
  }

  get line(): Line {
    const line = this.lines.at(-1);
    if (line === undefined) throw new Error("no line was opened");
    return line;
  }

  sent(method: string, ending: string): Call[] {
    return this.calls.filter((call) => call.method === method && call.path.endsWith(ending));
  }

  fail(
    call: string,
    status: number,
    problem: Json = {},
    headers: Record<string, string> = {},
  ): void {
    this.failures.set(call, () => answer(status, { title: "No", status, ...problem }, headers));
  }

  release(): void {
    const held = this.held ?? [];
    this.held = null;
    for (const go of held) go();
  }

  async #answer(input: string, init: RequestInit = {}): Promise<Response> {
    const url = new URL(input, "http://console.localhost");
    const call = {
      method: init.method ?? "GET",
      path: url.pathname,
      headers: new Headers(init.headers),
      body: init.body ? JSON.parse(String(init.body)) : {},
    };
    this.calls.push(call);
    if (this.held !== null) await new Promise<void>((go) => this.held?.push(go));
    if (!this.reachable) throw new TypeError("Failed to fetch");
    for (const [key, fail] of this.failures) {
      const [method, ending = ""] = key.split(" ");
      if (call.method === method && call.path.endsWith(ending)) return fail();
    }
    return this.#route(call, url.searchParams);
  }

  #route(call: Call, query: URLSearchParams): Response {
    if (call.path === "/v1/operator/session") return this.#session(call);
    if (!this.loggedIn) return answer(401, { title: "No session" });
    if (call.method !== "GET" && call.headers.get("X-CSRF-Token") !== this.csrf) {
      return answer(403, { detail: "The CSRF token is not this session's." });
    }
    if (call.path.startsWith("/v1/knowledge")) {
      return answer(...this.knowledge.answer(call.method, call.path, query, call.body));
    }
    if (call.path.startsWith("/v1/embed")) {
      return answer(...this.embedding.answer(call.path, query));
    }
    if (call.path.startsWith("/v1/personalities")) {
      return answer(...this.speaking.answer(call.method, call.path, call.body));
    }
    if (call.path === "/v1/operator/figures") return answer(...this.figuring.answer(query));
    if (call.path === "/v1/usage") return answer(200, { items: this.figuring.budgets });
    if (call.path === "/v1/escalations") return this.#page(query);
    const [, , , id, deed] = call.path.split("/");
    const item = this.items.find((one) => one.id === id);
    if (item === undefined) return answer(404, { title: "Not found" });
    if (deed === undefined) return answer(200, item);
    if (deed === "answered") return answer(200, { items: this.figuring.how });
    if (deed === "replies") return this.#reply(item, call.body);
    if (deed !== "resolve") return answer(202, null);
    if (turnsIn(item) > Number(call.body.seen)) {
      const type = "https://fanlight.dev/problems/asked-since";
      return answer(409, {
        type,
        title: "The visitor asked something more",
        detail: "Asked since.",
      });
    }
    item.status = "resolved";
    return answer(204, null);
  }

  #session(call: Call): Response {
    if (call.method === "POST") this.loggedIn = call.body.token === TOKEN;
    if (!this.loggedIn) return answer(401, { title: "Unknown token" });
    if (call.method === "GET") return answer(200, { operator: this.operator, csrf: this.csrf });
    if (call.method === "DELETE") this.loggedIn = false;
    return answer(204, null);
  }

  #page(query: URLSearchParams): Response {
    const status = query.get("status");
    const passing = this.items.filter(
      (item) => status === "all" || (item.status === "resolved") === (status === "resolved"),
    );
    const newest = passing.sort((a, b) => (String(a.id) < String(b.id) ? 1 : -1));
    const before = query.get("before");
    const from = before === null ? 0 : newest.findIndex((item) => item.id === before) + 1;
    const items = newest.slice(from, from + this.pageSize);
    const more = newest.length > from + this.pageSize;
    return answer(200, { items, next: more ? items.at(-1)?.id : null });
  }

  #reply(item: Json, body: Json): Response {
    const replies = item.replies as Json[];
    const reply = {
      id: `r_${replies.length}`,
      author: this.operator,
      content: body.content,
      created_at: new Date(this.#now).toISOString(),
    };
    item.replies = [...replies, reply];
    const resolved = body.resolve === true && turnsIn(item) <= Number(body.seen);
    if (resolved) item.status = "resolved";
    return answer(201, { ...reply, resolved });
  }
}

/** How many of the visitor's turns an escalation has. */
function turnsIn(item: Json): number {
  return 1 + ((item.added as Json[] | undefined)?.length ?? 0);
}

function answer(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  const text = body === null ? null : JSON.stringify(body);
  return new Response(text, { status, headers });
}
