/**
 * What is written of personalities and not yet saved.
 *
 * Refuses: to lose a word. It outlives a change of what is open, of room and of session; only another operator ends it.
 */

import { signal } from "@preact/signals";
import { BLANK, type Form, same } from "./form";
import { NEW } from "./place";

export interface Draft {
  readonly form: Form;
  /** The number of what it was made of; null for a new one. */
  readonly basedOn: number | null;
}

export class Drafts {
  readonly #kept = signal<ReadonlyMap<string, Draft>>(new Map());

  of(site: string | null, name: string | null): Draft | null {
    return this.#kept.value.get(key(site, name)) ?? null;
  }

  keep(site: string, name: string, draft: Draft): void {
    this.#kept.value = new Map(this.#kept.value).set(key(site, name), draft);
  }

  drop(site: string, name: string): void {
    const kept = new Map(this.#kept.value);
    if (kept.delete(key(site, name))) this.#kept.value = kept;
  }

  /** True while leaving the page would lose anything. */
  any(): boolean {
    return [...this.#kept.value.values()].some(({ form }) => !same(form, BLANK));
  }

  begun(site: string | null): boolean {
    return this.of(site, NEW) !== null;
  }

  forget(): void {
    this.#kept.value = new Map();
  }
}

function key(site: string | null, name: string | null): string {
  return `${site} ${name}`;
}
