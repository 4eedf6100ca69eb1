/**
 * The visitors' questions that got no answer, and what is done about each.
 *
 * Decides: a question that was dealt with goes at once, and comes back when it is taken back or did
 * not work. It also comes back where a list that could know of the deed still has it.
 * Refuses: to bring back an entry that was removed by adding to it.
 */

import { computed, signal } from "@preact/signals";
import type { EntryKey } from "../navigation";
import { formOf, textOf, withoutVariant, withVariant } from "./form";
import { Loaded } from "./loaded";
import { doing, type Reach } from "./reach";
import type { Unsaved } from "./unsaved";
import type { Entry, Unanswered } from "./wire";

export const DAYS = [7, 30, 90] as const;

export interface UnansweredPorts {
  readonly unsaved: Unsaved;
  /** Told of an entry that was changed from here. */
  readonly onEntry: (entry: Entry) => void;
  readonly show: (key: EntryKey) => void;
}

/**
 * How a question was dealt with.
 *
 * - `doing`: it is under way
 * - `drafted`: visitors do not get it yet, so the gateway still lists the question
 * - `known`: the gateway's next list knows of it
 */
type Dealt = "doing" | "drafted" | "known";

/** `typedToo`: it was put into unsaved text about the entry as well. */
interface Added {
  readonly typedToo: boolean;
  readonly number: number | null;
}

export class UnansweredStore {
  readonly days = signal<number>(30);
  readonly all: Loaded<readonly Unanswered[]>;
  readonly #dealt = signal<ReadonlyMap<string, Dealt>>(new Map());

  readonly items = computed(() =>
    this.all.value.value?.filter((item) => !this.#dealt.value.has(item.question)),
  );

  constructor(
    private readonly reach: Reach,
    private readonly ports: UnansweredPorts,
  ) {
    this.all = new Loaded(reach.onTrouble);
  }

  clear(): void {
    this.all.clear();
    this.#dealt.value = new Map();
  }

  async show(days: number): Promise<void> {
    this.days.value = days;
    await this.load();
  }

  async load(): Promise<void> {
    const site = this.reach.site.value;
    if (site === null) return;
    const before = [...this.#dealt.value];
    const items = await this.all.load(() => this.reach.api.unanswered(site, this.days.value));
    if (items === null) return;
    for (const [question, dealt] of before) {
      if (dealt === "known") this.#deal(question, null);
    }
  }

  /** Reads the list again where it was read; what was drafted before is live now. */
  async catchUp(extent: "marks" | "published"): Promise<void> {
    if (this.all.value.value === null) return;
    for (const [question, dealt] of this.#dealt.value) {
      if (dealt === "drafted" && extent === "published") this.#deal(question, "known");
    }
    await this.load();
  }

  /** Marks which entry is right; null says that none is, nor need be. */
  async mark(question: string, entryId: string | null): Promise<void> {
    const { value: site } = this.reach.site;
    this.#deal(question, "doing");
    const mark = await doing(
      this.reach,
      (site) => this.reach.api.mark(site, question, entryId),
      () => void this.mark(question, entryId),
    );
    if (mark === undefined) return this.#deal(question, null);
    this.reach.draftChanged("entry");
    if (this.reach.site.value !== site) return;
    this.#deal(question, "known");
    this.reach.say({
      about: entryId === null ? "marked_none" : "marked_right",
      trouble: null,
      offer: { does: "undo", run: () => void this.#unmark(question, mark.id) },
    });
  }

  /** Makes the question another way to ask an entry that there is. */
  async addTo(question: string, key: EntryKey): Promise<void> {
    const { value: site } = this.reach.site;
    this.#deal(question, "doing");
    const added = await doing(
      this.reach,
      (site) => this.#add(site, question, key),
      () => void this.addTo(question, key),
    );
    if (added === undefined) return this.#deal(question, null);
    if (this.reach.site.value !== site) return;
    if (added === "removed") return this.#cannotAdd(question, key);
    this.#deal(question, "drafted");
    this.reach.say({
      about: "variant",
      trouble: null,
      offer: { does: "undo", run: () => void this.#takeBack(question, key, added) },
    });
  }

  /** The variant goes into the entry, and into what is being written of it. */
  async #add(site: string, question: string, key: EntryKey): Promise<Added | "removed"> {
    const { entry: before } = await this.reach.api.story(site, key);
    if (before.state === "removed") return "removed";
    const text = textOf(withVariant(formOf(before), question));
    const entry = await this.reach.api.save(site, key, text, before.number);
    const unsaved = this.ports.unsaved.at(site);
    const typed = unsaved.of(key);
    const written = typed && withVariant(typed, question);
    if (written !== null) unsaved.keep(key, written);
    unsaved.rebase(key, before.number, entry.number);
    this.#changed(site, entry);
    return { typedToo: written !== typed, number: entry.number };
  }

  /** Adding would bring the entry back, which nobody asked for. */
  #cannotAdd(question: string, key: EntryKey): void {
    this.#deal(question, null);
    this.reach.say({
      about: "entry_removed",
      trouble: null,
      offer: { does: "see", run: () => this.ports.show(key) },
    });
  }

  async #unmark(question: string, id: string): Promise<void> {
    await doing(
      this.reach,
      async (site) => {
        await this.reach.api.unmark(site, id);
        this.#deal(question, null);
        const listed = this.items.value?.some((item) => item.question === question);
        if (!listed) void this.load(); // the list came while the mark stood
        this.reach.draftChanged("entry");
      },
      () => void this.#unmark(question, id),
    );
  }

  async #takeBack(question: string, key: EntryKey, added: Added): Promise<void> {
    await doing(
      this.reach,
      async (site) => {
        const entry = await this.reach.api.undo(site, key);
        this.#deal(question, null);
        const unsaved = this.ports.unsaved.at(site);
        const typed = unsaved.of(key);
        if (typed !== null && added.typedToo) unsaved.keep(key, withoutVariant(typed, question));
        if (entry === null) return;
        unsaved.rebase(key, added.number, entry.number);
        this.#changed(site, entry);
      },
      () => void this.#takeBack(question, key, added),
    );
  }

  #changed(site: string, entry: Entry): void {
    if (this.reach.site.value === site) this.ports.onEntry(entry);
    this.reach.draftChanged("entry");
  }

  #deal(question: string, how: Dealt | null): void {
    const dealt = new Map(this.#dealt.value);
    if (how === null) dealt.delete(question);
    else dealt.set(question, how);
    this.#dealt.value = dealt;
  }
}
