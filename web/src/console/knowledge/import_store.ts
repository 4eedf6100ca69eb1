/**
 * Bringing entries in from a page or a file.
 *
 * Decides: that nothing is taken in before it was looked at.
 * Refuses: files that are not text the gateway can read, and such as are larger than it would take.
 */

import { signal } from "@preact/signals";
import type { Source } from "./api";
import { Loaded } from "./loaded";
import { doing, type Reach } from "./reach";
import type { Import } from "./wire";

export const FILES = [
  ".md",
  ".markdown",
  ".csv",
  ".tsv",
  ".jsonl",
  ".ndjson",
  ".html",
  ".htm",
  ".xhtml",
];
const LARGEST_BYTES = 4_000_000;

/** The part of a File that is used. */
export interface PickedFile {
  readonly name: string;
  readonly size: number;
  text(): Promise<string>;
}

export type Objection = "kind" | "size" | "unreadable" | "address";

export class ImportStore {
  readonly address = signal("");
  readonly found: Loaded<Import>;
  /** Why what was given was not even sent. */
  readonly objection = signal<Objection | null>(null);
  readonly accepting = signal(false);
  #last: Source | null = null;

  constructor(private readonly reach: Reach) {
    this.found = new Loaded(reach.onTrouble);
  }

  clear(): void {
    this.#last = null;
    this.address.value = "";
    this.objection.value = null;
    this.found.clear();
  }

  async lookAtAddress(): Promise<void> {
    const url = this.address.value.trim();
    this.objection.value = /^https?:\/\/[^/\s]+/i.test(url) ? null : "address";
    if (this.objection.value === null) await this.#look({ url });
  }

  async lookAtFile(file: PickedFile): Promise<void> {
    this.objection.value = objectionTo(file);
    if (this.objection.value !== null) return;
    const content = await file.text().catch(() => null);
    if (content === null) this.objection.value = "unreadable";
    else await this.#look({ name: file.name, content });
  }

  async again(): Promise<void> {
    if (this.#last !== null) await this.#look(this.#last);
  }

  async accept(): Promise<void> {
    const found = this.found.value.value;
    const { value: at } = this.reach.site;
    if (found === null || this.accepting.value) return;
    this.accepting.value = true;
    const left = await doing(
      this.reach,
      (key) => this.reach.api.accept(key, found.id),
      () => void this.accept(),
    );
    this.accepting.value = false;
    if (left === undefined) return;
    this.reach.draftChanged("all");
    if (this.reach.site.value !== at) return;
    this.clear();
    const about = left === 0 ? "imported" : "importedButLeft";
    this.reach.say({ about, trouble: null, offer: null });
  }

  async #look(source: Source): Promise<void> {
    const site = this.reach.site.value;
    if (site === null) return;
    this.#last = source;
    await this.found.load(() => this.reach.api.look(site, source));
  }
}

function objectionTo(file: PickedFile): Objection | null {
  const name = file.name.toLowerCase();
  if (!FILES.some((ending) => name.endsWith(ending))) return "kind";
  return file.size > LARGEST_BYTES ? "size" : null;
}
