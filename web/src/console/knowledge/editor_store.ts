/**
 * The entry that is open.
 *
 * Decides: what it shows (unsaved text before the kept one), and how another is begun. What is
 * thrown away is offered back.
 */

import { batch, computed, signal } from "@preact/signals";
import type { Trouble } from "../api";
import { type EntryKey, sameEntry } from "../navigation";
import { blank, type Flaw, type Form, flaws, formOf, same } from "./form";
import { Loaded } from "./loaded";
import type { Reach } from "./reach";
import { type Key, Unsaved } from "./unsaved";
import type { Entry, Story } from "./wire";

export interface EditorPorts {
  /** The entry as the list has it, to be shown until it was read. */
  readonly known: (key: EntryKey) => Entry | null;
  readonly onEntry: (entry: Entry) => void;
  /** There was no such entry before. */
  readonly onMade: (entry: Entry) => void;
  readonly onGone: (key: EntryKey) => void;
  /** Opens it, or none, in the address bar too. */
  readonly show: (key: Key | null) => void;
  /** The open entry has another address now. */
  readonly onMove: (key: EntryKey) => void;
  /** The language of an entry that begins without one. */
  readonly locale: () => string;
}

export class EditorStore {
  readonly key = signal<Key | null>(null);
  /** Counts what was opened: an entry that is saved for the first time is not opened anew. */
  readonly turn = signal(0);
  readonly story: Loaded<Story>;
  /** The languages that the open entry is written in. */
  readonly languages: Loaded<readonly string[]>;
  readonly unsaved: Unsaved;
  /** Saving was tried: what is missing is now said. */
  readonly tried = signal(false);
  readonly saveTrouble = signal<Trouble | null>(null);

  readonly entry = computed(() => this.story.value.value?.entry ?? null);
  readonly form = computed<Form | null>(() => {
    const { value: key } = this.key;
    const { value: entry } = this.entry;
    return (key && this.unsaved.of(key)) ?? (entry && formOf(entry));
  });
  /** True where there is something to save. */
  readonly isChanged = computed(() => {
    const { value: form } = this.form;
    const { value: entry } = this.entry;
    return form !== null && !same(form, entry === null ? blank(form.locale) : formOf(entry));
  });
  /** The entry was changed by somebody after the unsaved text was begun. */
  readonly isBehind = computed(() => {
    const { value: key } = this.key;
    const basedOn = key && this.unsaved.basedOn(key);
    const number = this.entry.value?.number ?? null;
    return this.isChanged.value && basedOn !== null && number !== null && basedOn !== number;
  });
  readonly flaws = computed<readonly Flaw[]>(() =>
    this.tried.value && this.form.value ? flaws(this.form.value) : [],
  );

  constructor(
    private readonly reach: Reach,
    readonly ports: EditorPorts,
  ) {
    this.story = new Loaded(reach.onTrouble);
    this.languages = new Loaded(reach.onTrouble);
    this.unsaved = new Unsaved(reach.site);
  }

  /** Closes what is open; what it has of unsaved text stays. */
  clear(): void {
    const { value: key } = this.key;
    batch(() => {
      if (key !== null && this.entry.value !== null && !this.isChanged.value)
        this.unsaved.drop(key);
      this.key.value = null;
      this.story.clear();
      this.languages.clear();
      this.calm();
    });
  }

  async open(key: Key | null): Promise<void> {
    batch(() => {
      this.clear();
      this.key.value = key;
      this.turn.value += 1;
      if (key === "new" && this.unsaved.of("new") === null) {
        this.unsaved.keep("new", blank(this.ports.locale()));
      }
      const known = key === null || key === "new" ? null : this.ports.known(key);
      if (known !== null) this.story.put({ entry: known, history: [], file: null });
    });
    if (key === null || key === "new") return;
    await Promise.all([this.#readLanguages(key), this.read()]);
  }

  /** Reads the open entry again. */
  async read(): Promise<void> {
    const { value: key } = this.key;
    const { value: site } = this.reach.site;
    if (site === null || key === null || key === "new" || this.unsaved.isFresh(key)) return;
    const story = await this.story.load(() => this.reach.api.story(site, key));
    if (story !== null) this.ports.onEntry(story.entry);
  }

  /** The entry as it was read last, or as the list has it. */
  known(key: EntryKey): Entry | null {
    return sameEntry(this.key.value, key) ? this.entry.value : this.ports.known(key);
  }

  /** Takes in the newest word on an entry, where it is the open one. */
  take(entry: Entry): void {
    if (!sameEntry(this.key.value, entry)) return;
    this.story.amend((story) => ({ ...story, entry }));
    void this.read();
  }

  /** The entry that was begun exists now, under this name. */
  becomes(key: EntryKey): void {
    this.key.value = key;
    this.ports.onMove(key);
    void this.#readLanguages(key);
  }

  /** Goes on with the entry that was begun, or begins one. */
  goOn(): void {
    this.ports.show("new");
  }

  /** Begins an entry with this; one that was begun before is put aside, and offered back. */
  begin(form: Partial<Form>): void {
    const before = this.unsaved.begun();
    this.unsaved.keep("new", { ...blank(this.ports.locale()), ...form });
    this.calm();
    this.ports.show("new");
    if (before !== null) this.#offerBack("new", before, {});
  }

  /** Begins the open entry in another language, with what the languages share. */
  translate(locale: string): void {
    const { value: key } = this.key;
    const { value: form } = this.form;
    if (key === null || key === "new" || form === null) return;
    const other = { id: key.id, locale };
    const { links, tags, escalate, valid_from, valid_until } = form;
    const begun = { ...blank(locale), links, tags, escalate, valid_from, valid_until };
    if (this.unsaved.of(other) === null) this.unsaved.keep(other, begun, { fresh: true });
    this.ports.show(other);
  }

  write(change: Partial<Form>): void {
    const { value: key } = this.key;
    const { value: before } = this.form;
    if (key === null || before === null) return;
    const basedOn = this.unsaved.basedOn(key) ?? this.entry.value?.number ?? null;
    this.unsaved.keep(key, { ...before, ...change }, { basedOn });
    this.saveTrouble.value = null;
  }

  /** The unsaved text is meant to stand instead of the entry as it is now. */
  insist(): void {
    const { value: key } = this.key;
    const { value: entry } = this.entry;
    if (key !== null && entry !== null) {
      this.unsaved.rebase(key, this.unsaved.basedOn(key), entry.number);
    }
  }

  /** Throws the unsaved text away, and offers it back. */
  discard(): void {
    const { value: key } = this.key;
    const form = key && this.unsaved.of(key);
    if (key === null || form === null) return;
    const fresh = this.unsaved.isFresh(key);
    const basedOn = this.unsaved.basedOn(key);
    this.calm();
    this.unsaved.drop(key);
    if (fresh) this.ports.show(null);
    this.#offerBack(key, form, { fresh, basedOn });
  }

  /** Nothing is wrong with it now. */
  calm(): void {
    this.tried.value = false;
    this.saveTrouble.value = null;
  }

  #offerBack(key: Key, form: Form, about: { fresh?: boolean; basedOn?: number | null }): void {
    const run = (): void => {
      this.unsaved.keep(key, form, about);
      this.ports.show(key);
    };
    this.reach.say({ about: "put_aside", trouble: null, offer: { does: "undo", run } });
  }

  async #readLanguages(key: EntryKey): Promise<void> {
    const { value: site } = this.reach.site;
    if (site === null) return;
    const search = { text: key.id, locale: null, unpublished: false };
    await this.languages.load(async () => {
      const { items } = await this.reach.api.entries(site, search, null);
      return items.filter((item) => item.id === key.id).map((item) => item.locale);
    });
  }
}
