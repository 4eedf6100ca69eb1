/**
 * The list of a site's entries.
 *
 * Decides: when the gateway is asked (a moment after the last letter), where a saved entry stands
 * (where it stood; a new one first), and which entry comes next.
 */

import { batch, signal } from "@preact/signals";
import { type EntryKey, sameEntry } from "../navigation";
import type { Search } from "./api";
import { Loaded } from "./loaded";
import type { Reach } from "./reach";
import type { Entry, EntryPage } from "./wire";

const PAUSE_MS = 250;
const ALL: Search = { text: "", locale: null, unpublished: false };

export class EntriesStore {
  readonly search = signal<Search>(ALL);
  readonly page: Loaded<EntryPage>;
  readonly loadingMore = signal(false);
  #cancel = (): void => {};

  constructor(private readonly reach: Reach) {
    this.page = new Loaded(reach.onTrouble);
  }

  clear(): void {
    this.#cancel();
    batch(() => {
      this.page.clear();
      this.search.value = ALL;
    });
  }

  /** Looks for something else: at once, or once the typing pauses. */
  find(change: Partial<Search>): void {
    this.search.value = { ...this.search.value, ...change };
    this.#cancel();
    if (change.text === undefined) void this.load();
    else this.#cancel = this.reach.after(PAUSE_MS, () => void this.load());
  }

  isSearching(): boolean {
    const { text, locale, unpublished } = this.search.value;
    return text.trim() !== "" || locale !== null || unpublished;
  }

  async load(): Promise<void> {
    const site = this.reach.site.value;
    if (site === null) return;
    await this.page.load(() => this.reach.api.entries(site, this.search.value, null));
  }

  async loadMore(): Promise<void> {
    const site = this.reach.site.value;
    const before = this.page.value.value;
    if (site === null || before === null || before.next === null || this.loadingMore.value) return;
    const { next } = before;
    this.loadingMore.value = true;
    await this.page.load(async () => {
      const more = await this.reach.api.entries(site, this.search.value, next);
      return { ...more, items: [...before.items, ...more.items] };
    });
    this.loadingMore.value = false;
  }

  /** Takes in the newest word on an entry, where it is listed. */
  put(entry: Entry): void {
    this.page.amend((page) => ({
      ...page,
      items: page.items.map((item) => (sameEntry(item, entry) ? entry : item)),
    }));
  }

  /** Takes in an entry that was made just now. */
  add(entry: Entry): void {
    this.drop(entry);
    this.page.amend((page) => ({
      ...page,
      items: [entry, ...page.items],
      total: page.total + 1,
    }));
  }

  drop(key: EntryKey): void {
    this.page.amend((page) => {
      const items = page.items.filter((item) => !sameEntry(item, key));
      return { ...page, items, total: page.total - (page.items.length - items.length) };
    });
  }

  /** The entry as it is listed; null where it is not. */
  named(key: EntryKey): Entry | null {
    return this.page.value.value?.items.find((item) => sameEntry(item, key)) ?? null;
  }

  /** The entry below (1) or above (-1); the first one when none is open, null at either end. */
  beside(key: EntryKey | null, step: 1 | -1): Entry | null {
    const items = this.page.value.value?.items ?? [];
    const at = items.findIndex((item) => sameEntry(item, key));
    return (at < 0 ? items[0] : items[at + step]) ?? null;
  }
}
