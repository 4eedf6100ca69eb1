/**
 * The conversation as something to take away: as text to read, or as JSON for a machine.
 *
 * Decides: what is in it (all that is kept of the conversation, and nothing else, such as keys), and what a search
 * finds.
 */
import type { Say } from "../i18n/strings.ts";
import type { Entry } from "../vault/entry.ts";
import type { Kept } from "../vault/vault.ts";
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

/** The conversation as text: a line that says when and who, then what. */
export function asText(entries: readonly Entry[], say: Say, site: string, locale: string): string {
  const time = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
  const parts = entries
    .filter(({ content }) => content !== "")
    .map((entry) => `${time.format(entry.at)} · ${writerOf(entry, say, site)}\n${entry.content}`);
  return `${[site, ...parts].join("\n\n")}\n`;
}

/** The conversation as JSON; times are in ISO 8601. */
export function asJson(kept: Kept, site: string): string {
  const lines = kept.entries.map(({ at, rev: _, ...entry }) => ({
    ...entry,
    at: new Date(at).toISOString(),
  }));
  const document = { format: "fanlight-conversation 1", site, conversation: kept.conversation_id };
  return `${JSON.stringify({ ...document, lines }, undefined, 2)}\n`;
}
