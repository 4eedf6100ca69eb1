/**
 * A question on its way, and what goes with it: to the knowledge base, and to the gateway.
 *
 * Decides: that what was said before is of the question's own conversation, and that both see the same lines of it.
 */
import type { KbRequest, KbResponse } from "../engines/kb/protocol.ts";
import type { Entry } from "../vault/entry.ts";
import { talkOf } from "../vault/talks.ts";
import { earlierQuestions, trainingMemory, WINDOW } from "../vault/training.ts";
import { MEMORY_KEY, type Vault } from "../vault/vault.ts";
import type { PanelState } from "./state.ts";

export interface Question {
  readonly turnId: string;
  readonly text: string;
  readonly before: readonly Entry[];
  readonly mayClarify: boolean;
  readonly stop: AbortSignal;
}

const MAX_TOKENS = 512;

/** The site's day, as 2026-12-24. */
export function dayIn(timeZone: string, at: number): string {
  try {
    // Of all locales' days this one's is written as ISO 8601 has it.
    return new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short" }).format(at);
  } catch {
    return new Date(at).toISOString().slice(0, 10);
  }
}

export function kbRequest(
  question: Question,
  { state, online, at }: { state: PanelState; online: boolean; at: number },
): KbRequest {
  return {
    question: question.text,
    locale: state.locale.value,
    question_locale: null,
    threshold: state.config.confidence_threshold,
    online,
    may_clarify: question.mayClarify,
    history: earlierQuestions(question.before),
    today: dayIn(state.config.time_zone, at),
    risk_topics: state.config.risk_topics,
    device: { ...state.around.value, engine: state.engine.value },
  };
}

/** The body of `POST /v1/chat`; the visitor may have opened another conversation since the question was written. */
export function chatBody(
  question: Question,
  verdict: KbResponse | undefined,
  { state, vault }: { state: PanelState; vault: Vault },
): object {
  const { conversation_id } = talkOf(vault.kept, question.turnId) ?? vault.kept;
  return {
    turn_id: question.turnId,
    conversation_id,
    message: { content: question.text, mode: "text" },
    context_id: null,
    locale: state.locale.value,
    question_locale: null,
    training_memory: trainingMemory(question.before),
    metadata: {
      memory_key: MEMORY_KEY,
      memory_window: WINDOW,
      confidence_threshold: state.config.confidence_threshold,
      ...(verdict ? { gate: verdict.gate } : {}),
      ...(state.unseen ? { website: state.unseen.slice(0, 200) } : {}),
    },
    options: {
      stream: true,
      clarify: question.mayClarify,
      max_tokens: MAX_TOKENS,
      workflow_id: null,
    },
  };
}
