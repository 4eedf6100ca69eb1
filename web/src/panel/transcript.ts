/**
 * The conversations as something to take away: as text to read, or as JSON for a machine.
 *
 * Decides: what is in it (all that is kept of each conversation, and nothing else, such as keys), and what a search
 * finds.
 */
import type { Say } from "../i18n/strings.ts";
import type { Entry } from "../vault/entry.ts";
import { type Kept, lastAt, type Talk, talksOf } from "../vault/talks.ts";
import { titleOf } from "../vault/titles.ts";
import { containing } from "./search.ts";

/** The lines that contain every word of `words`; all of them where there is none. */
export function matching(entries: readonly Entry[], words: string): readonly Entry[] {
  return entries.filter(containing(words, ({ content, author = "" }) => `${content} ${author}`));
}

/** Who wrote a line, in the visitor's words. */
export function writerOf({ role, author }: Entry, say: Say, site: string): string {
  if (role === "user") return say("you");
  return role === "person" ? author || say("reply.team") : site;
}

/** The conversations in which something was said, the one that was quiet for longest first. */
function oldestFirst(kept: Kept): readonly Talk[] {
  return talksOf(kept)
    .filter(({ entries }) => entries.length > 0)
    .sort((a, b) => lastAt(a) - lastAt(b));
}

/** The conversations as text, each under its title where there are several: a line that says when and who, then what. */
export function asText(kept: Kept, say: Say, site: string, locale: string): string {
  const time = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
  const talks = oldestFirst(kept);
  const parts = talks.flatMap((talk) => [
    ...(talks.length > 1 ? [`== ${titleOf(talk) ?? ""} ==`] : []),
    ...talk.entries
      .filter(({ content }) => content !== "")
      .map((entry) => `${time.format(entry.at)} · ${writerOf(entry, say, site)}\n${entry.content}`),
  ]);
  return `${[site, ...parts].join("\n\n")}\n`;
}

/** The conversations as JSON; times are in ISO 8601. */
export function asJson(kept: Kept, site: string): string {
  const conversations = oldestFirst(kept).map((talk) => ({
    conversation: talk.conversation_id,
    title: titleOf(talk),
    lines: talk.entries.map(({ at, rev: _, unseen: _seen, ...entry }) => ({
      ...entry,
      at: new Date(at).toISOString(),
    })),
  }));
  const document = { format: "fanlight-conversations 1", site, conversations };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
