/**
 * The list of escalations, as values: no signal, no call.
 *
 * Decides: order (newest first), what a filter and a search show, where a live change belongs,
 * and which escalation comes next.
 * Refuses: to place an escalation that lies beyond what is loaded; it would leave a silent gap.
 */

import type { Escalation, Filter, Page } from "./wire";

export interface Inbox {
  readonly items: readonly Escalation[];
  /** Where the next page begins; null when all is loaded. */
  readonly next: string | null;
}

export const EMPTY: Inbox = { items: [], next: null };

/** The inbox with an older page added at its end. */
export function extend(inbox: Inbox, page: Page): Inbox {
  return { items: sorted([...without(inbox.items, page.items), ...page.items]), next: page.next };
}

/**
 * The inbox after its newest page was read again. Pages further down stay, unless so much is new
 * that the two no longer meet.
 */
export function refresh(inbox: Inbox, page: Page): Inbox {
  const meets = page.items.some((item) => inbox.items.some((old) => old.id === item.id));
  if (page.next === null || !meets) return { items: sorted(page.items), next: page.next };
  const oldest = page.items.at(-1);
  const older = inbox.items.filter((item) => oldest !== undefined && newestFirst(oldest, item) < 0);
  return { items: sorted([...page.items, ...older]), next: inbox.next };
}

/** The inbox after one escalation came or changed. */
export function place(inbox: Inbox, item: Escalation): Inbox {
  const oldest = inbox.items.at(-1);
  const there = inbox.items.some((old) => old.id === item.id);
  const beyond = inbox.next !== null && oldest !== undefined && newestFirst(oldest, item) < 0;
  if (!there && beyond) return inbox;
  return { ...inbox, items: sorted([...without(inbox.items, [item]), item]) };
}

/** True when `item` is open and came after `newest`: it is news, not an old one that changed. */
export function isNews(item: Escalation, newest: Escalation | null): boolean {
  return item.status !== "resolved" && (newest === null || newestFirst(item, newest) < 0);
}

/** True when the visitor has asked once more since `before`. */
export function isAskedAgain(item: Escalation, before: Escalation | undefined): boolean {
  return before !== undefined && item.added.length > before.added.length;
}

/** True when a person has answered what the visitor asked last. */
export function isReplied({ replies, added }: Escalation): boolean {
  const asked = Date.parse(added.at(-1)?.createdAt ?? "");
  return replies.some((reply) => !(Date.parse(reply.createdAt) < asked));
}

/** What the visitor asked last. */
export function lastAsked({ question, added }: Escalation): string {
  return added.at(-1)?.question ?? question;
}

/** The later of the two. */
export function later(one: Escalation | null, other: Escalation | undefined): Escalation | null {
  if (one === null || other === undefined) return other ?? one;
  return newestFirst(one, other) < 0 ? one : other;
}

/** What the list shows. The open one stays in sight: it must not vanish from under its reader. */
export function visible(
  inbox: Inbox,
  view: { filter: Filter; search: string; open: string | null },
): readonly Escalation[] {
  const words = fold(view.search).split(/\s+/).filter(Boolean);
  return inbox.items.filter(
    (item) => contains(item, words) && (passes(item, view.filter) || item.id === view.open),
  );
}

/** The id `step` places below `id`; the first one when none is chosen, null at either end. */
export function neighbour(
  items: readonly Escalation[],
  id: string | null,
  step: 1 | -1,
): string | null {
  const at = items.findIndex((item) => item.id === id);
  if (at < 0) return items.at(0)?.id ?? null;
  return items[at + step]?.id ?? null;
}

function passes(item: Escalation, filter: Filter): boolean {
  return filter === "all" || (item.status === "resolved") === (filter === "resolved");
}

function contains(item: Escalation, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const replies = item.replies.map((reply) => reply.content);
  const tail = item.tail.map((message) => message.content);
  const added = item.added.map(({ question }) => question);
  const { question, contact, site, id } = item;
  const text = fold([question, contact ?? "", site, id, ...tail, ...added, ...replies].join(" "));
  return words.every((word) => text.includes(word));
}

/** Without case, accents and Hebrew points, so that "cafe" finds "Café". */
function fold(text: string): string {
  return text.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();
}

function without(
  items: readonly Escalation[],
  others: readonly Escalation[],
): readonly Escalation[] {
  const gone = new Set(others.map((item) => item.id));
  return items.filter((item) => !gone.has(item.id));
}

function sorted(items: readonly Escalation[]): readonly Escalation[] {
  return [...items].sort(newestFirst);
}

/** By time, then by id, which is time-ordered too (UUIDv7). */
function newestFirst(a: Escalation, b: Escalation): number {
  const byTime = Date.parse(b.createdAt) - Date.parse(a.createdAt);
  if (a.id === b.id) return 0;
  return byTime || (a.id < b.id ? 1 : -1);
}
