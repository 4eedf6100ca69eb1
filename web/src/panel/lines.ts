/**
 * Changes to the conversations, as pure functions on what is kept.
 *
 * Decides: how a reply finds its question, whichever conversation that stands in, and that a status only moves forward.
 */
import type { Entry, Escalation, EscalationStatus, Mark, Verdict } from "../vault/entry.ts";
import { type Kept, linesOf, talkOf, withTalk } from "../vault/talks.ts";

export function questionId(turnId: string): string {
  return `${turnId}:q`;
}

export function answerId(turnId: string): string {
  return `${turnId}:a`;
}

/** Where a line belongs: beside its turn; a question begins one in the open conversation. */
function placeOf(kept: Kept, { turn_id, role }: Omit<Entry, "rev">): string | undefined {
  const known = talkOf(kept, turn_id);
  return known || role === "assistant" ? known?.conversation_id : kept.conversation_id;
}

/** Adds a line, or replaces the one with the same id; an answer to what is gone is gone, too. */
export function withEntry(
  kept: Kept,
  entry: Omit<Entry, "rev">,
  place = placeOf(kept, entry),
): Kept {
  return withTalk(kept, place, (talk) => {
    const known = talk.entries.find(({ id }) => id === entry.id);
    const next: Entry = { ...entry, rev: (known?.rev ?? 0) + 1 };
    const others = talk.entries.filter(({ id }) => id !== entry.id);
    return { ...talk, entries: [...others, next] };
  });
}

function answerOf(kept: Kept, turnId: string): Entry | undefined {
  return linesOf(kept).find(({ id }) => id === answerId(turnId));
}

const ORDER: readonly EscalationStatus[] = [
  "unsent",
  "queued",
  "delivered",
  "answered",
  "resolved",
];

function later(one: EscalationStatus, other: EscalationStatus): EscalationStatus {
  return ORDER.indexOf(other) > ORDER.indexOf(one) ? other : one;
}

/** Marks the answer of a turn with how its escalation stands; a turn that is gone stays gone. */
export function withEscalation(
  kept: Kept,
  turnId: string,
  change: Partial<Escalation> & { readonly status: EscalationStatus },
): Kept {
  const answer = answerOf(kept, turnId);
  if (!answer) return kept;
  const before = answer.escalation;
  const status =
    before && change.status !== "refused" ? later(before.status, change.status) : change.status;
  const reason = before?.reason ?? change.reason ?? "requested";
  const escalation: Escalation = { ...before, ...change, reason, status };
  return withEntry(kept, { ...answer, escalation });
}

/** Marks the answer of a turn, or takes its mark away; a turn that is gone stays gone. */
export function withMark(kept: Kept, turnId: string, mark: Mark | undefined): Kept {
  const answer = answerOf(kept, turnId);
  return answer ? withEntry(kept, { ...answer, mark }) : kept;
}

/** Keeps what the visitor said of a person's answer; a turn that is gone stays gone. */
export function withVerdict(kept: Kept, turnId: string, verdict: Verdict): Kept {
  const answer = kept.entries.find(({ id }) => id === answerId(turnId));
  return answer ? withEntry(kept, { ...answer, verdict }) : kept;
}

/** The turn whose closed case the visitor may be asked about: the last that a person answered, once. */
export function toJudge(entries: readonly Entry[]): string | undefined {
  const turnId = entries.filter(({ role }) => role === "person").at(-1)?.turn_id;
  const answer = turnId && entries.find(({ id }) => id === answerId(turnId));
  return answer && answer.escalation?.status === "resolved" ? turnId : undefined;
}

/**
 * Marks a turn as answered by a person, and with it what was asked before: all of it stands open as one question, of
 * which a person answers the newest turn.
 */
export function withAnswered(kept: Kept, turnId: string): Kept {
  const waiting = (talkOf(kept, turnId)?.entries ?? []).filter(
    ({ turn_id, escalation }) =>
      turn_id < turnId && ["queued", "delivered"].includes(escalation?.status ?? ""),
  );
  return [...waiting.map(({ turn_id }) => turn_id), turnId].reduce(
    (before, id) => withEscalation(before, id, { status: "answered" }),
    kept,
  );
}

/** Whether a person's reply may still come: sent, and neither closed nor refused. */
export function awaitsReply(entries: readonly Entry[]): boolean {
  return entries.some(({ escalation }) =>
    ["queued", "delivered", "answered"].includes(escalation?.status ?? ""),
  );
}

/** One question with everything that answers it, in the order in which it is read. */
export interface Exchange {
  readonly turnId: string;
  readonly question: Entry | undefined;
  readonly answer: Entry | undefined;
  readonly replies: readonly Entry[];
}

/**
 * The conversation by turns: a person's reply stands under its question, however late it came. One whose lines are those
 * of `before` is that object again, so that it is not drawn anew.
 */
export function exchanges(
  entries: readonly Entry[],
  before: readonly Exchange[] = [],
): readonly Exchange[] {
  const known = new Map(before.map((one) => [one.turnId, one]));
  const byTurn = new Map<string, Entry[]>();
  for (const entry of entries) {
    const turn = byTurn.get(entry.turn_id);
    if (turn) turn.push(entry);
    else byTurn.set(entry.turn_id, [entry]);
  }
  return [...byTurn].map(([turnId, turn]) => {
    const made = {
      turnId,
      question: turn.find(({ role }) => role === "user"),
      answer: turn.find(({ role }) => role === "assistant"),
      replies: turn.filter(({ role }) => role === "person"),
    };
    const one = known.get(turnId);
    return one && same(one, made) ? one : made;
  });
}

function same(one: Exchange, other: Exchange): boolean {
  return (
    one.question === other.question &&
    one.answer === other.answer &&
    one.replies.length === other.replies.length &&
    one.replies.every((reply, at) => reply === other.replies[at])
  );
}
