/**
 * Something that is read from the gateway, and read again.
 *
 * Decides: what was read stays until its successor is there, and a late answer never overwrites a
 * newer one. A change of a part is made to what is there, and to what is still being read as well.
 */

import { batch, signal } from "@preact/signals";
import { Trouble } from "../api";

export class Loaded<T> {
  readonly value = signal<T | null>(null);
  readonly loading = signal(false);
  readonly trouble = signal<Trouble | null>(null);
  #turn = 0;
  /** What came to be known of a part while the whole is being read. */
  #changes: Array<(value: T) => T> = [];

  /** @param onTrouble told of every failed call; it ends the session where that is the reason. */
  constructor(private readonly onTrouble: (trouble: Trouble) => void) {}

  /** Gives what came; null where the call failed, or another one was begun meanwhile. */
  async load(ask: () => Promise<T>): Promise<T | null> {
    this.#turn += 1;
    const turn = this.#turn;
    this.#changes = [];
    this.loading.value = true;
    try {
      let value: T = await ask();
      if (turn !== this.#turn) return null;
      for (const change of this.#changes) value = change(value);
      this.put(value);
      return value;
    } catch (trouble) {
      if (!(trouble instanceof Trouble)) throw trouble;
      if (turn === this.#turn) this.#settle(trouble);
      this.onTrouble(trouble);
      return null;
    }
  }

  /** What is known now from elsewhere: what is still being read no longer counts. */
  put(value: T): void {
    batch(() => {
      this.#turn += 1;
      this.value.value = value;
      this.#settle(null);
    });
  }

  /** What is known now of a part of it; the rest is still worth reading. */
  amend(change: (value: T) => T): void {
    const { value: before } = this.value;
    if (this.loading.value) this.#changes.push(change);
    if (before !== null) this.value.value = change(before);
  }

  clear(): void {
    batch(() => {
      this.#turn += 1;
      this.value.value = null;
      this.#settle(null);
    });
  }

  #settle(trouble: Trouble | null): void {
    this.loading.value = false;
    this.trouble.value = trouble;
  }
}
