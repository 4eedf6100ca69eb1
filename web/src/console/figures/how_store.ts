/**
 * How the turns of a case were answered.
 *
 * Decides: it is asked for once somebody wants to see it, and remembered while the page is open.
 */

import { signal } from "@preact/signals";
import { type Api, Trouble } from "../api";
import { type Answered, readAnswered } from "./wire";

/** Null while it is being read. */
export type How = readonly Answered[] | Trouble | null;

export class HowStore {
  readonly known = signal<ReadonlyMap<string, How>>(new Map());

  constructor(
    private readonly api: Api,
    private readonly onTrouble: (trouble: Trouble) => void,
  ) {}

  /** Reads it, or reads it again where that did not work. */
  async show(id: string): Promise<void> {
    const before = this.known.value.get(id);
    if (before === null || Array.isArray(before)) return;
    this.#put(id, null);
    try {
      const path = `/v1/escalations/${encodeURIComponent(id)}/answered`;
      this.#put(id, await this.api.read(path, readAnswered));
    } catch (trouble) {
      if (!(trouble instanceof Trouble)) throw trouble;
      this.#put(id, trouble);
      this.onTrouble(trouble);
    }
  }

  clear(): void {
    this.known.value = new Map();
  }

  #put(id: string, how: How): void {
    this.known.value = new Map(this.known.value).set(id, how);
  }
}
