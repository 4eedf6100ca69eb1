/**
 * Several conversations in one vault: the one that is open, and the earlier ones beside it.
 *
 * Decides: which of them is open, how two tabs' views of them join, and what goes when there are too many lines. A
 * deleted one stays deleted in every tab, unless the visitor took it back since. Refuses: to bring back what was deleted
 * or cleared.
 */
import { type Entry, waitsForPerson } from "./entry.ts";

/** How many lines are kept, of all conversations together. */
export const CAPACITY = 40;
/** How many a page holds while it is open: what was said today does not vanish from the screen. */
export const HELD = 1000;
/** So many deleted ones are remembered, for tabs that have not heard. */
const MOST_GONE = 40;

/** One conversation, with what it takes to go on with it. */
export interface Talk {
  readonly conversation_id: string;
  /** The key that this conversation belongs to: another key cannot read its replies. */
  readonly subject: string;
  /** The last event seen, so that what was missed is read on the next visit. */
  readonly last_event_id: string;
  readonly entries: readonly Entry[];
  /** What the visitor named it, or its first question where that is kept no longer; empty for a name taken away. */
  readonly title?: string | undefined;
  /** When the visitor last named it or took it back: the newer word holds. */
  readonly changed_at?: number | undefined;
}

/** All of them as they are kept: the open one, and what is beside it. */
export interface Kept extends Talk {
  readonly v: 1;
  /** When the visitor last cleared, began or opened one: the newer choice holds in every tab. */
  readonly cleared_at: number;
  readonly earlier?: readonly Talk[] | undefined;
  /** What was deleted, and when. */
  readonly gone?: Readonly<Record<string, number>> | undefined;
}

function emptyTalk(conversationId: string, subject: string): Talk {
  return { conversation_id: conversationId, subject, last_event_id: "", entries: [] };
}

/** A vault in which nothing has been said. */
export function emptyKept(conversationId: string): Kept {
  return { v: 1, cleared_at: 0, ...emptyTalk(conversationId, "") };
}

function talkIn(kept: Kept): Talk {
  const { v: _, cleared_at: _at, earlier: _others, gone: _gone, ...talk } = kept;
  return talk;
}

/** Every conversation, the open one first. */
export function talksOf(kept: Kept): readonly Talk[] {
  return [talkIn(kept), ...(kept.earlier ?? [])];
}

/** Every line of every conversation. */
export function linesOf(kept: Kept): readonly Entry[] {
  return talksOf(kept).flatMap(({ entries }) => entries);
}

/** The conversation that a turn stands in. */
export function talkOf(kept: Kept, turnId: string): Talk | undefined {
  return talksOf(kept).find(({ entries }) => entries.some(({ turn_id }) => turn_id === turnId));
}

/** Changes one conversation; one that is gone stays gone. */
export function withTalk(
  kept: Kept,
  conversationId: string | undefined,
  change: (talk: Talk) => Talk,
): Kept {
  if (kept.conversation_id === conversationId) return { ...kept, ...change(talkIn(kept)) };
  if (!kept.earlier?.some(({ conversation_id }) => conversation_id === conversationId)) return kept;
  const earlier = kept.earlier.map((talk) =>
    talk.conversation_id === conversationId ? change(talk) : talk,
  );
  return { ...kept, earlier };
}

/** Opens `talk`; what was open before stands beside it, unless nothing was said there. */
export function opening(kept: Kept, talk: Talk, at: number, talks = talksOf(kept)): Kept {
  const { v, gone } = kept;
  const earlier = talks.filter(
    ({ conversation_id, entries }) =>
      conversation_id !== talk.conversation_id && entries.length > 0,
  );
  return { v, gone, earlier, cleared_at: Math.max(at, kept.cleared_at + 1), ...talk };
}

/** Begins a new conversation. */
export function begun(kept: Kept, at: number, fresh: string): Kept {
  return opening(kept, emptyTalk(fresh, kept.subject), at);
}

/** Opens an earlier conversation, to go on with it. */
export function opened(kept: Kept, conversationId: string, at: number): Kept {
  const talk = kept.earlier?.find(({ conversation_id }) => conversation_id === conversationId);
  return talk ? opening(kept, talk, at) : kept;
}

/** Deletes a conversation; where it was the open one, an empty one `fresh` takes its place. */
export function without(kept: Kept, conversationId: string, at: number, fresh: string): Kept {
  const gone = { ...kept.gone, [conversationId]: at };
  const earlier = kept.earlier?.filter(({ conversation_id }) => conversation_id !== conversationId);
  if (kept.conversation_id !== conversationId) return { ...kept, earlier, gone };
  return { ...opening(kept, emptyTalk(fresh, kept.subject), at, earlier ?? []), gone };
}

/** Gives all conversations to another key: each of another key's goes on under a name from `makeName`. */
export function owned(kept: Kept, subject: string, makeName: () => string, at: number): Kept {
  const gone = { ...kept.gone };
  const mine = (talk: Talk): Talk => {
    if (talk.subject === subject) return talk;
    if (talk.subject === "") return { ...talk, subject };
    gone[talk.conversation_id] = at;
    return { ...talk, subject, conversation_id: makeName(), last_event_id: "" };
  };
  const { earlier = [] } = kept;
  return { ...kept, ...mine(talkIn(kept)), earlier: earlier.map(mine), gone };
}

/** Marks the replies of a conversation as read. */
export function seen(kept: Kept, conversationId: string): Kept {
  const read = (entry: Entry): Entry =>
    entry.unseen ? { ...entry, unseen: undefined, rev: entry.rev + 1 } : entry;
  return withTalk(kept, conversationId, (talk) => ({ ...talk, entries: talk.entries.map(read) }));
}

/** How many of a conversation's replies nobody has read. */
export function unseenIn({ entries }: Talk): number {
  return entries.filter(({ unseen }) => unseen).length;
}

/** Whether a person is still to answer there. */
export function waits({ entries }: Talk): boolean {
  return entries.some(waitsForPerson);
}

/** When something was last said there. */
export function lastAt({ entries }: Talk): number {
  return Math.max(0, ...entries.map(({ at }) => at));
}

/** What was asked first. */
export function firstQuestion(entries: readonly Entry[]): string | undefined {
  return entries.find(({ role }) => role === "user")?.content;
}

function sorted(entries: readonly Entry[]): readonly Entry[] {
  return [...entries].sort((a, b) => a.at - b.at || a.id.localeCompare(b.id));
}

/** Whether the visitor has still something to expect there: an answer, or one to read. */
function isHeld(talk: Talk): boolean {
  return waits(talk) || unseenIn(talk) > 0;
}

/**
 * Keeps to the `capacity`. The oldest lines go first, of the conversation that was quiet for longest; then half of the open
 * one, before anything goes to which the visitor expects an answer. One that loses its first question keeps it as its
 * name.
 */
export function trimmed(kept: Kept, capacity = CAPACITY): Kept {
  let over = linesOf(kept).length - capacity;
  const cut = (talk: Talk, least = 0): Talk => {
    const entries = sorted(talk.entries);
    const drop = Math.max(0, Math.min(over, entries.length - least));
    over -= drop;
    const title = talk.title || (drop > 0 ? firstQuestion(entries) : undefined);
    return { ...talk, title, entries: entries.slice(drop) };
  };
  const earlier = [...(kept.earlier ?? [])].sort((a, b) => lastAt(a) - lastAt(b));
  const quiet = earlier.filter((talk) => !isHeld(talk)).map((talk) => cut(talk));
  const open = cut(talkIn(kept), capacity / 2);
  const held = earlier.filter(isHeld).map((talk) => cut(talk));
  return {
    ...kept,
    ...open,
    earlier: [...quiet, ...held].filter(({ entries }) => entries.length > 0),
  };
}

/** Event ids are whole numbers, of any length. */
export function laterEvent(one: string, other: string): string {
  if (one.length !== other.length) return one.length > other.length ? one : other;
  return one > other ? one : other;
}

/** Joins two views of one conversation: the union of its lines, of each the higher revision. */
function joined(one: Talk, other: Talk): Talk {
  const byId = new Map<string, Entry>();
  for (const entry of [...other.entries, ...one.entries]) {
    const known = byId.get(entry.id);
    if (!known || entry.rev > known.rev) byId.set(entry.id, entry);
  }
  const [older, newer] =
    (one.changed_at ?? 0) < (other.changed_at ?? 0) ? [one, other] : [other, one];
  return {
    ...newer,
    title: newer.title ?? older.title,
    last_event_id: laterEvent(one.last_event_id, other.last_event_id),
    entries: sorted([...byId.values()]),
  };
}

function joinedGone(one: Kept["gone"] = {}, other: Kept["gone"] = {}): Kept["gone"] {
  const gone = { ...one };
  for (const [id, at] of Object.entries(other)) gone[id] = Math.max(at, gone[id] ?? 0);
  const newest = Object.entries(gone).sort(([, a], [, b]) => b - a);
  return Object.fromEntries(newest.slice(0, MOST_GONE));
}

/**
 * Joins two tabs' views: of each conversation the union of its lines; the one that was opened last is open; what was
 * deleted is not brought back.
 */
export function merge(ours: Kept, theirs: Kept): Kept {
  const gone = joinedGone(ours.gone, theirs.gone);
  const talks = new Map<string, Talk>();
  for (const talk of [...talksOf(ours), ...talksOf(theirs)]) {
    const known = talks.get(talk.conversation_id);
    talks.set(talk.conversation_id, known ? joined(known, talk) : talk);
  }
  for (const [id, at] of Object.entries(gone ?? {})) {
    if (at >= (talks.get(id)?.changed_at ?? 0)) talks.delete(id);
  }
  const newer = theirs.cleared_at - ours.cleared_at;
  const later = newer === 0 ? theirs.conversation_id > ours.conversation_id : newer > 0;
  const [last, before] = later ? [theirs, ours] : [ours, theirs];
  const open =
    talks.get(last.conversation_id) ??
    talks.get(before.conversation_id) ??
    emptyTalk(last.conversation_id, last.subject);
  talks.delete(open.conversation_id);
  const kept: Kept = {
    v: 1,
    cleared_at: Math.max(ours.cleared_at, theirs.cleared_at),
    gone,
    earlier: [...talks.values()],
    ...open,
  };
  return trimmed(kept, HELD);
}
