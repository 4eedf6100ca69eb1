/**
 * Every text about an entry that is written and not yet saved.
 *
 * Refuses: to lose a word. It outlives a change of entry, of page, of room and of session; only
 * another operator ends it.
 */

import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { EntryKey } from "../navigation";
import { type Form, isBlank, nameOf } from "./form";

export type Key = EntryKey | "new";

interface Kept {
  readonly form: Form;
  /** There is no such entry yet: saving makes it. */
  readonly fresh: boolean;
  /** The number of the entry that it was made of, where that is known. */
  readonly basedOn: number | null;
}

export class Unsaved {
  readonly #kept: Signal<ReadonlyMap<string, Kept>>;

  constructor(
    private readonly site: ReadonlySignal<string | null>,
    kept: Signal<ReadonlyMap<string, Kept>> = signal(new Map()),
  ) {
    this.#kept = kept;
  }

  /** The same texts, those of one site: for what ends after another site is shown. */
  at(site: string): Unsaved {
    return new Unsaved(signal(site), this.#kept);
  }

  of(key: Key): Form | null {
    return this.#kept.value.get(this.#name(key))?.form ?? null;
  }

  isFresh(key: Key): boolean {
    return key === "new" || this.#kept.value.get(this.#name(key))?.fresh === true;
  }

  /** The entry that is being written, where it is more than an empty page. */
  begun(): Form | null {
    const form = this.of("new");
    return form === null || isBlank(form) ? null : form;
  }

  basedOn(key: Key): number | null {
    return this.#kept.value.get(this.#name(key))?.basedOn ?? null;
  }

  /** What is not said of it stays as it was. */
  keep(key: Key, form: Form, about: Partial<Omit<Kept, "form">> = {}): void {
    const name = this.#name(key);
    const before = this.#kept.value.get(name) ?? { fresh: key === "new", basedOn: null };
    this.#kept.value = new Map(this.#kept.value).set(name, { ...before, ...about, form });
  }

  /** An edit of one's own is no reason to look again: what was made of `from` is now made of `to`. */
  rebase(key: Key, from: number | null, to: number | null): void {
    const form = this.of(key);
    if (form !== null && this.basedOn(key) === from) this.keep(key, form, { basedOn: to });
  }

  drop(key: Key): void {
    const kept = new Map(this.#kept.value);
    if (kept.delete(this.#name(key))) this.#kept.value = kept;
  }

  /** True while leaving the page would lose anything. */
  any(): boolean {
    return [...this.#kept.value.values()].some(({ form, fresh }) => !fresh || !isBlank(form));
  }

  forget(): void {
    this.#kept.value = new Map();
  }

  #name(key: Key): string {
    return `${this.site.value} ${nameOf(key)}`;
  }
}
