/**
 * The life of a question in the panel: knowledge base, then gateway, then a person.
 *
 * Decides: who is asked, what is shown, when the visitor is asked back, and when a person is brought in. The gateway repeats every judgement
 * made here. Refuses: a second question while one is being answered.
 */
import type { KbClarify, KbResponse } from "../engines/kb/protocol.ts";
import type { StringKey } from "../i18n/strings.ts";
import type { Clock } from "../trust/clock.ts";
import { makeId, makeIdempotencyKey } from "../trust/ids.ts";
import type { Problem } from "../trust/problem.ts";
import type { Entry, EscalationReason, ReplySource, Suggestion } from "../vault/entry.ts";
import type { Vault } from "../vault/vault.ts";
import type { Escalations } from "./escalations.ts";
import type { ChatOutcome, Gateway, Turn } from "./gateway.ts";
import type { Tell } from "./happenings.ts";
import { consult, type Knowledge } from "./knowledge.ts";
import { answerId, questionId, withEntry } from "./lines.ts";
import type { AnswerHere } from "./local.ts";
import type { Network } from "./network.ts";
import { chatBody, kbRequest, type Question } from "./question.ts";
import type { PanelState, Trouble } from "./state.ts";

export interface ConversationOptions {
  readonly state: PanelState;
  readonly vault: Vault;
  readonly gateway: Gateway;
  readonly escalations: Escalations;
  readonly network: Network;
  readonly clock: Clock;
  /** Absent while the visitor saves data and has not asked for it. */
  readonly knowledge: () => Knowledge | undefined;
  /** Asks the model on this device, where there is one. */
  readonly here: AnswerHere;
  readonly tell: Tell;
}

/** What stands in for an answer that is not sure enough. */
interface Fallback {
  readonly text: string;
  readonly suggestions: readonly Suggestion[];
  readonly locale?: string;
  readonly guarded?: boolean | undefined;
}

export type Answer = Pick<Entry, "content" | "source"> & Partial<Entry>;

/** In UTF-16 units. */
export const LONGEST_QUESTION = 4000;
const DEFAULT_WAIT_S = 30;
/** Of what a model tells of its way, so much is kept. */
const LONGEST_REASONING = 8000;

export class Conversation {
  #stop: AbortController | undefined;
  /** Who streams the answer that is being made. */
  #writes: ReplySource = "cloud";
  /** Turns that are not asked back: the visitor has chosen already, or meant none of the choices. */
  readonly #declined = new Set<string>();

  constructor(private readonly options: ConversationOptions) {}

  /** Asks; resolves when the answer, or what stands in for it, is shown. */
  async ask(text: string, mayClarify = true): Promise<void> {
    const content = text.trim();
    const { state, clock } = this.options;
    if (!content || state.live.value) return;
    const turnId = makeId("t", clock);
    const before = state.entries.value;
    this.#write({
      id: questionId(turnId),
      turn_id: turnId,
      role: "user",
      content,
      at: clock.now(),
    });
    if (!mayClarify) this.#declined.add(turnId);
    await this.#answer(turnId, content, before);
  }

  /** The visitor meant this choice: it is not asked back again, whatever else it may mean. */
  async choose(question: string): Promise<void> {
    await this.ask(question, false);
  }

  /** The visitor meant none of the choices: the question goes on to whoever may know. */
  async noneOf(turnId: string): Promise<void> {
    const entries = this.options.state.entries.value;
    const question = entries.find(({ id }) => id === questionId(turnId));
    if (question) await this.ask(question.content, false);
  }

  /** Asks a question again that was refused. */
  async retry(turnId: string): Promise<void> {
    const { state } = this.options;
    const entries = state.entries.value;
    const question = entries.find(({ id }) => id === questionId(turnId));
    if (!question || state.live.value) return;
    state.troubles.value = state.troubles.value.filter((trouble) => trouble.turnId !== turnId);
    const before = entries.filter(({ turn_id }) => turn_id < turnId);
    await this.#answer(turnId, question.content, before);
  }

  /** Stops the answer that is being made; what has been written of it stays. */
  stop(): void {
    this.#stop?.abort();
  }

  /** Writes to a person without asking for an answer first. */
  async tell(text: string): Promise<void> {
    const content = text.trim();
    const { clock, state } = this.options;
    if (!content || state.live.value) return;
    const turnId = makeId("t", clock);
    this.#write({
      id: questionId(turnId),
      turn_id: turnId,
      role: "user",
      content,
      at: clock.now(),
    });
    const fallback = this.#plain(
      state.connection.value === "offline" ? "fallback.offline" : "fallback.asked",
    );
    await this.#fallBack({ turnId, text: content }, fallback, "visitor_asked", 0);
  }

  /** Brings a person to a turn that has been answered. */
  async askPerson(turnId: string): Promise<void> {
    const entries = this.options.state.entries.value;
    const question = entries.find(({ id }) => id === questionId(turnId));
    const answer = entries.find(({ id }) => id === answerId(turnId));
    if (!question || !answer || answer.escalation) return;
    await this.options.escalations.raise({
      turnId,
      question: question.content,
      fallbackText: answer.content,
      reason: "visitor_asked",
      confidence: answer.confidence ?? 0,
    });
  }

  async #answer(turnId: string, text: string, before: readonly Entry[]): Promise<void> {
    const { state } = this.options;
    const mayClarify = !this.#declined.has(turnId);
    const stop = new AbortController();
    this.#stop = stop;
    state.live.value = { turnId, text: "" };
    try {
      await this.#route({ turnId, text, before, mayClarify, stop: stop.signal });
    } finally {
      if (state.live.value?.turnId === turnId) state.live.value = undefined;
    }
  }

  async #route(question: Question): Promise<void> {
    const online = this.options.network.usable;
    const verdict = await this.#consult(question, online);
    this.options.state.routed.value = verdict?.route_reasons ?? [];
    if (question.stop.aborted) return this.#halted(question);
    if (verdict?.route === "kb" && verdict.answer) return this.#known(question, verdict);
    if (verdict?.clarify) return this.#askBack(question, verdict.clarify);
    if (verdict?.route === "local" && (await this.#here(question))) return undefined;
    if (online && verdict?.route !== "escalate") return this.#remote(question, verdict);
    const fallback = this.#fallbackOf(verdict, "fallback.offline");
    return this.#fallBack(question, fallback, "low_confidence", verdict?.gate.confidence ?? 0);
  }

  async #consult(question: Question, online: boolean): Promise<KbResponse | undefined> {
    const { state, knowledge, clock } = this.options;
    const request = kbRequest(question, { state, online, at: clock.now() });
    return consult(knowledge(), request, question.stop);
  }

  async #known(question: Question, verdict: KbResponse): Promise<void> {
    const { answer, escalate } = verdict;
    if (!answer) return;
    const { text, confidence, citations, locale } = answer;
    const sentence = answer.sentence ?? undefined;
    this.#reply(question.turnId, {
      content: text,
      source: "kb",
      confidence,
      citations,
      locale,
      sentence,
      here: true,
    });
    if (escalate) await this.#raise(question, text, "always", confidence);
  }

  /** Asks the model on this device; false where whoever is next is to be asked. */
  async #here(question: Question): Promise<boolean> {
    this.#writes = "local";
    const answer = await this.options.here(question, (text) => this.#stream(text));
    if (question.stop.aborted) this.#halted(question);
    else if (answer) this.#reply(question.turnId, answer);
    else this.#unwrite();
    return question.stop.aborted || answer !== undefined;
  }

  #askBack({ turnId }: Question, asked: Omit<KbClarify, "locale"> & Partial<KbClarify>): void {
    const { text, locale, confidence, choices } = asked;
    this.#reply(turnId, {
      content: text,
      source: "clarify",
      confidence,
      locale,
      suggestions: choices,
    });
  }

  async #remote(question: Question, verdict: KbResponse | undefined): Promise<void> {
    const { gateway, network, state, vault } = this.options;
    this.#writes = "cloud";
    const outcome = await gateway.chat({
      body: chatBody(question, verdict, { state, vault }),
      idempotencyKey: makeIdempotencyKey(),
      stop: question.stop,
      onDelta: (text) => this.#stream(text),
    });
    if (outcome.kind === "turn" || outcome.kind === "problem") network.succeeded();
    return this.#conclude(question, verdict, outcome);
  }

  async #conclude(
    question: Question,
    verdict: KbResponse | undefined,
    outcome: ChatOutcome,
  ): Promise<void> {
    if (outcome.kind === "stopped") return this.#halted(question);
    if (outcome.kind === "problem") return this.#refused(question.turnId, outcome.problem);
    if (outcome.kind === "silent") {
      this.options.network.failed();
      this.#unwrite();
      if (verdict?.otherwise === "local" && (await this.#here(question))) return undefined;
      const fallback = this.#fallbackOf(verdict, "fallback");
      return this.#fallBack(question, fallback, "empty", verdict?.gate.confidence ?? 0);
    }
    const { turn, receipt } = outcome;
    if (turn.choices.length > 0) {
      // Its text ends with the choices, for clients that draw none.
      const end = turn.reply.lastIndexOf("\n\n");
      const text = end < 0 ? turn.reply : turn.reply.slice(0, end);
      return this.#askBack(question, { text, choices: turn.choices, confidence: turn.confidence });
    }
    const reason = this.#doubt(turn);
    if (!reason || reason === "always") {
      const { reply: content, source, confidence, citations, sentence } = turn;
      const { disclaimers, reasoning } = turn;
      this.#reply(question.turnId, {
        content,
        source: source === "human" ? "cloud" : source,
        confidence,
        citations,
        sentence,
        disclaimers,
        reasoning: reasoning?.slice(0, LONGEST_REASONING),
      });
      if (reason) await this.#raise(question, content, reason, confidence, receipt);
      return;
    }
    const guarded = turn.reasons.includes("unsafe_input") || undefined;
    const fallback = { ...this.#fallbackOf(verdict, "fallback", turn), guarded };
    await this.#fallBack(question, fallback, reason, turn.confidence, receipt);
  }

  /** Why a turn needs a person, if it does. "always" is a sure answer that a person follows up. */
  #doubt(turn: Turn): EscalationReason | undefined {
    if (turn.reply.trim() === "") return "empty";
    if (turn.confidence < this.options.state.config.confidence_threshold) return "low_confidence";
    if (!turn.escalate) return undefined;
    return turn.reasons.includes("always") ? "always" : "requested";
  }

  #stream(text: string): void {
    const { live } = this.options.state;
    if (live.value) live.value = { ...live.value, text: live.value.text + text };
  }

  /** What was streamed is not to be shown: somebody else writes. */
  #unwrite(): void {
    const { live } = this.options.state;
    if (live.value?.text) live.value = { ...live.value, text: "" };
  }

  #plain(key: StringKey): Fallback {
    const { say, locale } = this.options.state;
    return { text: say.value(key), suggestions: [], locale: locale.value };
  }

  #fallbackOf(verdict: KbResponse | undefined, key: StringKey, turn?: Turn): Fallback {
    // The gateway alone knows when somebody is there.
    if (turn?.fallbackText) {
      return { suggestions: [], ...verdict?.fallback, text: turn.fallbackText };
    }
    if (verdict) return verdict.fallback;
    // Without a knowledge base here, what the gateway's own one said is the better text.
    if (turn?.source === "kb" && turn.reply.trim()) return { text: turn.reply, suggestions: [] };
    return this.#plain(key);
  }

  async #fallBack(
    question: Pick<Question, "turnId" | "text">,
    fallback: Fallback,
    reason: EscalationReason,
    confidence: number,
    receipt?: string,
  ): Promise<void> {
    const { text, suggestions, locale, guarded } = fallback;
    this.#reply(question.turnId, {
      content: text,
      source: "fallback",
      confidence,
      suggestions,
      locale,
      guarded,
    });
    await this.#raise(question, text, reason, confidence, receipt);
  }

  async #raise(
    question: Pick<Question, "turnId" | "text">,
    fallbackText: string,
    reason: EscalationReason,
    confidence: number,
    receipt?: string,
  ): Promise<void> {
    const { turnId, text } = question;
    await this.options.escalations.raise({
      turnId,
      question: text,
      fallbackText,
      reason,
      confidence,
      receipt,
    });
  }

  #halted({ turnId }: Question): void {
    const content = this.options.state.live.value?.text ?? "";
    this.#reply(turnId, { content, source: content ? this.#writes : undefined, stopped: true });
  }

  #refused(turnId: string, problem: Problem): void {
    const { state, clock } = this.options;
    const wait = problem.status === 429 ? (problem.retryAfter ?? DEFAULT_WAIT_S) : 0;
    const kinds: Readonly<Record<number, "limited" | "long">> = { 429: "limited", 413: "long" };
    const trouble: Trouble = {
      turnId,
      kind: kinds[problem.status] ?? "refused",
      until: clock.now() + wait * 1000,
      detail: [problem.detail, problem.remedy].filter(Boolean).join(" "),
    };
    state.troubles.value = [...state.troubles.value, trouble];
    this.options.tell({ type: "error", reason: trouble.kind });
  }

  #reply(turnId: string, answer: Answer): void {
    const { clock, state } = this.options;
    const at = clock.now();
    this.#write({ id: answerId(turnId), turn_id: turnId, role: "assistant", at, ...answer });
    if (state.live.value?.turnId === turnId) state.live.value = undefined;
  }

  /** Shows at once; keeping it may wait for another tab. */
  #write(entry: Omit<Entry, "rev">): void {
    this.options.tell({ type: "message", from: entry.role === "user" ? "visitor" : "chat" });
    void this.options.vault.update((kept) => withEntry(kept, entry));
  }
}
