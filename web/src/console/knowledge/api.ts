/**
 * Calls about a site's knowledge.
 *
 * Decides: which address says what. What a failure means, and the CSRF token, are {@link Api}'s.
 */

import { type Api, decode, sending } from "../api";
import type { EntryKey } from "../navigation";
import {
  type Building,
  type Entry,
  type EntryPage,
  type Findings,
  type Import,
  type Mark,
  readEntry,
  readEntryPage,
  readFindings,
  readImport,
  readLeftOut,
  readMark,
  readMarks,
  readPublished,
  readSite,
  readSites,
  readStory,
  readTrial,
  readUnanswered,
  type Site,
  type Story,
  type Text,
  type Trial,
  type Unanswered,
} from "./wire";

export interface Search {
  readonly text: string;
  /** Null is every language. */
  readonly locale: string | null;
  readonly unpublished: boolean;
}

/** What is imported: an address to read, or a file that was read here. */
export type Source = { readonly url: string } | { readonly name: string; readonly content: string };

const PAGE_SIZE = 50;
/** The gateway itself gives up on a page after two minutes. */
const IMPORT_PATIENCE_MS = 130_000;
const ROOT = "/v1/knowledge";

export class KnowledgeApi {
  constructor(private readonly api: Api) {}

  sites(): Promise<readonly Site[]> {
    return this.api.read(ROOT, readSites);
  }

  entries(site: string, search: Search, after: string | null): Promise<EntryPage> {
    const query = new URLSearchParams({ limit: String(PAGE_SIZE) });
    if (search.text.trim() !== "") query.set("q", search.text.trim());
    if (search.locale !== null) query.set("locale", search.locale);
    if (search.unpublished) query.set("state", "unpublished");
    if (after !== null) query.set("after", after);
    return this.api.read(`${path(site, "entries")}?${query}`, readEntryPage);
  }

  story(site: string, key: EntryKey): Promise<Story> {
    return this.api.read(entryPath(site, key), readStory);
  }

  /** @param id an entry that exists in another language; null makes one from the question. */
  async add(site: string, locale: string, text: Text, id: string | null): Promise<Entry> {
    const body = id === null ? { locale, ...text } : { locale, ...text, id };
    return this.#sent(path(site, "entries"), sending("POST", body), readEntry);
  }

  /** @param basedOn the number of the entry that the text was made of; it is refused if another stands. */
  async save(site: string, key: EntryKey, text: Text, basedOn: number | null): Promise<Entry> {
    const body = basedOn === null ? text : { ...text, based_on: basedOn };
    return this.#sent(entryPath(site, key), sending("PUT", body), readEntry);
  }

  /** Gives null where the entry was new, and is gone. */
  async remove(site: string, key: EntryKey): Promise<Entry | null> {
    return entryOrNone(await this.api.change(entryPath(site, key), { method: "DELETE" }));
  }

  /** Takes back the newest edit. Gives null where that made the entry. */
  async undo(site: string, key: EntryKey): Promise<Entry | null> {
    const url = `${entryPath(site, key)}/undo`;
    return entryOrNone(await this.api.change(url, { method: "POST" }));
  }

  try(site: string, question: string, locale: string | null): Promise<Trial> {
    const body = { question, locale, draft: true };
    return this.#sent(path(site, "try"), sending("POST", body), readTrial);
  }

  publish(site: string): Promise<Building> {
    return this.#sent(path(site, "publish"), { method: "POST" }, readPublished);
  }

  findings(site: string): Promise<Findings> {
    return this.api.read(path(site, "findings"), readFindings);
  }

  async check(site: string): Promise<void> {
    await this.api.change(path(site, "findings"), { method: "POST" });
  }

  unanswered(site: string, days: number): Promise<readonly Unanswered[]> {
    return this.api.read(`${path(site, "unanswered")}?days=${days}`, readUnanswered);
  }

  /** @param entryId null says that the site has no answer to it, and needs none. */
  mark(site: string, question: string, entryId: string | null): Promise<Mark> {
    const body = { question, entry_id: entryId };
    return this.#sent(path(site, "marks"), sending("POST", body), readMark);
  }

  marks(site: string): Promise<readonly Mark[]> {
    return this.api.read(path(site, "marks"), readMarks);
  }

  async unmark(site: string, id: string): Promise<void> {
    await this.api.change(path(site, "marks", id), { method: "DELETE" });
  }

  prior(site: string, outOfScope: number): Promise<Site> {
    const body = { out_of_scope: outOfScope };
    return this.#sent(path(site, "prior"), sending("PUT", body), readSite);
  }

  look(site: string, source: Source): Promise<Import> {
    const signal = AbortSignal.timeout(IMPORT_PATIENCE_MS);
    const init = { ...sending("POST", source), signal };
    return this.#sent(path(site, "imports"), init, readImport);
  }

  /** Gives how many entries were left as they are, since somebody wrote them meanwhile. */
  accept(site: string, id: string): Promise<number> {
    return this.#sent(path(site, "imports", id), { method: "POST" }, readLeftOut);
  }

  async #sent<T>(url: string, init: RequestInit, read: (value: unknown) => T): Promise<T> {
    return decode(await this.api.change(url, init), read);
  }
}

function path(site: string, ...rest: readonly string[]): string {
  return [ROOT, ...[site, ...rest].map(encodeURIComponent)].join("/");
}

function entryPath(site: string, { id, locale }: EntryKey): string {
  return path(site, "entries", id, locale);
}

async function entryOrNone(response: Response): Promise<Entry | null> {
  return response.status === 204 ? null : decode(response, readEntry);
}
