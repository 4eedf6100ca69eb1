/**
 * What of the conversation travels with a question, and what with an escalation.
 *
 * Decides: the last six lines, in the wire's words. A browser says what happened; the gateway takes it
 * as context, never as evidence.
 */
import type { Entry } from "./entry.ts";

export const WINDOW = 6;
const LONGEST = 4000;

export interface TrainingTurn {
  readonly role: "user" | "assistant";
  readonly content: string;
  readonly source?: "kb" | "local" | "cloud" | "human";
  readonly confidence?: number;
}

function sourceOf(entry: Entry): TrainingTurn["source"] {
  if (entry.role === "person") return "human";
  return entry.source === "fallback" || entry.source === "clarify" ? "kb" : entry.source;
}

function toTurn(entry: Entry): TrainingTurn {
  const content = entry.content.slice(0, LONGEST);
  if (entry.role === "user") return { role: "user", content };
  const source = sourceOf(entry);
  return {
    role: "assistant",
    content,
    ...(source === undefined ? {} : { source }),
    ...(entry.confidence === undefined ? {} : { confidence: entry.confidence }),
  };
}

/** The last six lines before the present question. */
export function trainingMemory(entries: readonly Entry[]): readonly TrainingTurn[] {
  return entries
    .filter((entry) => entry.content !== "")
    .slice(-WINDOW)
    .map(toTurn);
}

/**
 * What the visitor asked before, oldest first: a question may go on from the one before. Of the same lines that
 * travel to the gateway, which reads it alike.
 */
export function earlierQuestions(entries: readonly Entry[]): readonly string[] {
  return trainingMemory(entries)
    .filter(({ role }) => role === "user")
    .map(({ content }) => content);
}

/** The same lines for a person to read: who said what. */
export function conversationTail(
  entries: readonly Entry[],
): readonly Pick<TrainingTurn, "role" | "content">[] {
  return trainingMemory(entries).map(({ role, content }) => ({ role, content }));
}
