/**
 * What a conversation is called, and what becomes of it in the list of them.
 *
 * Decides: that its first question stands for one that the visitor did not name, on one short line. Apart from the
 * other changes, because only the list needs these, which is fetched when it is first opened.
 */
import { firstQuestion, type Kept, opening, type Talk, withTalk } from "./talks.ts";

export const LONGEST_TITLE = 60;

/** A text as one short line, cut at a word where it has words. */
function shortened(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  const letters = [...line];
  if (letters.length <= LONGEST_TITLE) return line;
  const cut = letters.slice(0, LONGEST_TITLE).join("");
  const end = cut.lastIndexOf(" ");
  return `${cut.slice(0, end > LONGEST_TITLE / 2 ? end : undefined)}…`;
}

/** What a conversation is called: what the visitor named it, else its first question, shortened. */
export function titleOf({ title, entries }: Talk): string | undefined {
  return shortened(title || firstQuestion(entries) || "") || undefined;
}

/** Names a conversation; by an empty name it is called by its first question again. */
export function named(kept: Kept, conversationId: string, at: number, title: string): Kept {
  const name = shortened(title);
  return withTalk(kept, conversationId, (talk) => ({ ...talk, title: name, changed_at: at }));
}

/** Takes a deleted conversation back; it is open again where nothing has been said since. */
export function restored(kept: Kept, talk: Talk, at: number): Kept {
  const back = { ...talk, changed_at: Math.max(at, (kept.gone?.[talk.conversation_id] ?? 0) + 1) };
  if (kept.entries.length === 0) return opening(kept, back, at);
  return { ...kept, earlier: [...(kept.earlier ?? []), back] };
}
