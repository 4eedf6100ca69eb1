/**
 * The vault: the last 40 lines of the visitor's conversations, in the visitor's own browser, by the visitor's leave. The
 * page itself holds what was said in it, 1,000 lines at most.
 *
 * Decides: what is kept, and what a broken vault becomes (an empty one, said aloud). Refuses: to write before it is
 * opened for keeping, to keep more than 40 lines, to read what does not fit the schema. A browser that refuses storage
 * leaves everything working in this tab alone.
 */
import { isEntry, isRecord } from "./entry.ts";
import { CAPACITY, HELD, type Kept, merge, type Talk, trimmed, without } from "./talks.ts";

export const MEMORY_KEY = "fanlight.memory.v1";

/** How keeping went: `corrupt` was replaced by a fresh one, `refused` means this tab only. */
export type Keeping = "tab" | "kept" | "refused";
export type Reading =
  | { readonly state: "empty" | "corrupt" }
  | { readonly state: "read"; readonly kept: Kept };

function isTalk(value: unknown): value is Talk {
  return (
    isRecord(value) &&
    typeof value.conversation_id === "string" &&
    typeof value.subject === "string" &&
    typeof value.last_event_id === "string" &&
    ["undefined", "string"].includes(typeof value.title) &&
    (value.changed_at === undefined || Number.isFinite(value.changed_at)) &&
    Array.isArray(value.entries) &&
    value.entries.every(isEntry)
  );
}

/** A vault of one conversation, as older versions wrote it, is one as well. */
function isKept(value: unknown): value is Kept {
  if (!isRecord(value)) return false;
  const { v, cleared_at, earlier = [], gone = {} } = value;
  return (
    isTalk(value) &&
    v === 1 &&
    Number.isFinite(cleared_at) &&
    Array.isArray(earlier) &&
    earlier.every(isTalk) &&
    isRecord(gone) &&
    Object.values(gone).every(Number.isFinite)
  );
}

/** Reads a serialised vault. */
export function parseVault(text: string | null): Reading {
  if (text === null) return { state: "empty" };
  try {
    const value: unknown = JSON.parse(text);
    return isKept(value) ? { state: "read", kept: value } : { state: "corrupt" };
  } catch {
    return { state: "corrupt" };
  }
}

export interface VaultOptions {
  readonly site: string;
  /** Gives the storage, or throws where the browser refuses it. */
  readonly storage: () => Storage;
  /** Runs alone across tabs; the default runs at once where the browser has no locks. */
  readonly locked?: (name: string, work: () => void) => Promise<void>;
  /** Called whenever the conversation changed, here or in another tab. */
  readonly onChange: (kept: Kept, keeping: Keeping) => void;
}

export class Vault {
  readonly #name: string;
  #keeping: Keeping = "tab";

  constructor(
    private readonly options: VaultOptions,
    private current: Kept,
  ) {
    this.#name = `${MEMORY_KEY}:${options.site}`;
  }

  get kept(): Kept {
    return this.current;
  }

  get keeping(): Keeping {
    return this.#keeping;
  }

  /** The visitor agreed: reads what is there, and keeps from now on. */
  open(): { readonly keeping: Keeping; readonly corrupt: boolean } {
    const reading = this.#read();
    if (reading === "refused") {
      this.#keeping = "refused";
      return { keeping: "refused", corrupt: false };
    }
    this.#keeping = "kept";
    if (reading.state === "read") this.current = resumed(this.current, reading.kept);
    this.#write();
    this.options.onChange(this.current, this.#keeping);
    return { keeping: this.#keeping, corrupt: reading.state === "corrupt" };
  }

  /** Changes the conversation, then joins it with what other tabs wrote. */
  async update(change: (kept: Kept) => Kept): Promise<void> {
    this.current = trimmed(change(this.current), HELD);
    this.options.onChange(this.current, this.#keeping);
    if (this.#keeping !== "kept") return;
    const work = () => {
      // While this waited for its turn, the visitor may have had everything forgotten.
      if (this.#keeping !== "kept") return;
      const reading = this.#read();
      if (reading !== "refused" && reading.state === "read") {
        this.current = merge(this.current, reading.kept);
      }
      this.#write();
    };
    await (this.options.locked ?? runNow)(this.#name, work);
    this.options.onChange(this.current, this.#keeping);
  }

  /** Whether another tab has had everything forgotten. */
  forgotten(key: string | null, text: string | null): boolean {
    return this.#keeping === "kept" && key === this.#name && text === null;
  }

  /** Another tab wrote: takes over what it knows. */
  heard(key: string | null, text: string | null): void {
    if (this.#keeping !== "kept" || key !== this.#name) return;
    const reading = parseVault(text);
    if (reading.state !== "read") return;
    this.current = merge(this.current, reading.kept);
    this.options.onChange(this.current, this.#keeping);
  }

  /** Drops the open conversation and starts an empty one in its place. */
  async clear(conversationId: string, at: number): Promise<void> {
    await this.update((kept) => without(kept, kept.conversation_id, at, conversationId));
  }

  /** The visitor withdrew consent: nothing of ours stays in the browser. */
  forget(): void {
    this.#keeping = "tab";
    try {
      this.options.storage().removeItem(this.#name);
    } catch {
      // Storage that cannot be reached holds nothing of ours.
    }
  }

  #read(): Reading | "refused" {
    try {
      return parseVault(this.options.storage().getItem(this.#name));
    } catch {
      return "refused";
    }
  }

  #write(): void {
    try {
      this.options.storage().setItem(this.#name, JSON.stringify(trimmed(this.current, CAPACITY)));
    } catch {
      // Full or refused: the conversation goes on in this tab, and the panel says so.
      this.#keeping = "refused";
    }
  }
}

/** An earlier visit's conversations; one that was begun in this tab meanwhile stays open, beside them. */
function resumed(ours: Kept, stored: Kept): Kept {
  if (ours.entries.length === 0) return ours.earlier?.length ? merge(ours, stored) : stored;
  return merge({ ...ours, cleared_at: Math.max(ours.cleared_at, stored.cleared_at + 1) }, stored);
}

async function runNow(_name: string, work: () => void): Promise<void> {
  work();
}
