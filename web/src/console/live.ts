/**
 * The live line: the gateway says which escalation is new or changed, which site's knowledge, and
 * which site's budget runs low.
 *
 * Decides: when to try again. A browser's EventSource reconnects by itself after a lost
 * connection, but gives up for good after an HTTP error; then this opens another, waiting longer
 * each time.
 * Refuses: to call a line live before it opened.
 */

import { type Alert, readAlert } from "./figures/budgets";

export type LineState = "connecting" | "live" | "reconnecting";

/** The part of EventSource that is used. */
export interface EventLine {
  readonly readyState: number;
  addEventListener(type: string, listener: (event: Event) => void): void;
  close(): void;
}

export interface LiveOptions {
  readonly open: (url: string) => EventLine;
  readonly after: (ms: number, then: () => void) => () => void;
  /** In [0, 1); spreads the reconnections of many consoles. */
  readonly random: () => number;
  readonly onState: (state: LineState) => void;
  /** Something about this escalation is new. */
  readonly onEscalation: (id: string) => void;
  /** This site's knowledge is being built, or was. */
  readonly onKnowledge: (site: string) => void;
  /** This site speaks otherwise. */
  readonly onPersonality: (site: string) => void;
  /** A site's budget runs low, or is used up. */
  readonly onBudget: (alert: Alert) => void;
  /** The line is back after a break: events may have been missed. */
  readonly onReturn: () => void;
  /** The gateway refused the line: the session may have ended. */
  readonly onRefused: () => void;
}

const CLOSED = 2;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

export class Live {
  #line: EventLine | null = null;
  #cancel: () => void = () => {};
  #failures = 0;
  #broken = false;

  constructor(private readonly options: LiveOptions) {}

  start(): void {
    if (this.#line !== null) return;
    this.options.onState(this.#broken ? "reconnecting" : "connecting");
    const line = this.options.open("/v1/events");
    this.#line = line;
    line.addEventListener("open", () => this.#opened());
    line.addEventListener("error", () => this.#failed(line));
    line.addEventListener("escalation", (event) => heard(event, "id", this.options.onEscalation));
    line.addEventListener("knowledge", (event) => heard(event, "site", this.options.onKnowledge));
    line.addEventListener("personality", (event) =>
      heard(event, "site", this.options.onPersonality),
    );
    line.addEventListener("budget", (event) => {
      const alert = readAlert((event as MessageEvent).data);
      if (alert !== null) this.options.onBudget(alert);
    });
  }

  stop(): void {
    this.#hangUp();
    this.#failures = 0;
    this.#broken = false;
  }

  /** Tries at once: the network came back, or the operator asked. */
  retry(): void {
    if (!this.#broken) return;
    this.#hangUp();
    this.start();
  }

  #hangUp(): void {
    this.#cancel();
    this.#line?.close();
    this.#line = null;
  }

  #opened(): void {
    const returned = this.#broken;
    this.#failures = 0;
    this.#broken = false;
    this.options.onState("live");
    if (returned) this.options.onReturn();
  }

  #failed(line: EventLine): void {
    if (line !== this.#line) return;
    this.#broken = true;
    this.options.onState("reconnecting");
    if (line.readyState !== CLOSED) return;
    this.#hangUp();
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures);
    this.#failures += 1;
    this.#cancel = this.options.after(wait * (0.5 + this.options.random() / 2), () => this.start());
    this.options.onRefused();
  }
}

function heard(event: Event, field: string, tell: (value: string) => void): void {
  const value = said((event as MessageEvent).data, field);
  if (value !== null) tell(value);
}

function said(data: unknown, field: string): string | null {
  try {
    const value = JSON.parse(String(data))?.[field];
    return typeof value === "string" ? value : null;
  } catch {
    return null; // not ours: a line that one bad event can kill is worse
  }
}
