/**
 * The vault: the last 40 lines of a conversation, in the visitor's own browser, by the visitor's leave. The page itself
 * holds what was said in it, 1,000 lines at most.
 *
 * Decides: what is kept, how two tabs agree, and what a broken vault becomes (an empty one, said aloud).
 * Refuses: to write before it is opened for keeping, to keep more than 40 lines, to read what does not
 * fit the schema. A browser that refuses storage leaves everything working in this tab alone.
 */
import { type Entry, isEntry, isRecord } from "./entry.ts";

export const MEMORY_KEY = "fanlight.memory.v1";
/** Lines that are kept. */
export const CAPACITY = 40;
/** Lines that a page holds while it is open: what was said today does not vanish from the screen. */
export const HELD = 1000;

/** A conversation as it is kept. */
export interface Kept {
  readonly v: 1;
  readonly conversation_id: string;
  /** The key that this conversation belongs to: another key cannot read its replies. */
  readonly subject: string;
  /** When the visitor last cleared it: older lines from another tab do not come back. */
  readonly cleared_at: number;
  /** The last event seen, so that what was missed is read on the next visit. */
  readonly last_event_id: string;
  readonly entries: readonly Entry[];
}

/** How keeping went: `corrupt` was replaced by a fresh one, `refused` means this tab only. */
export type Keeping = "tab" | "kept" | "refused";
export type Reading =
  | { readonly state: "empty" | "corrupt" }
  | { readonly state: "read"; readonly kept: Kept };

function isKept(value: unknown): value is Kept {
  return (
    isRecord(value) &&
    value.v === 1 &&
    typeof value.conversation_id === "string" &&
    typeof value.subject === "string" &&
    typeof value.last_event_id === "string" &&
    Number.isFinite(value.cleared_at) &&
    Array.isArray(value.entries) &&
    value.entries.every(isEntry)
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

function newest(entries: readonly Entry[], count: number): readonly Entry[] {
  return [...entries].sort((a, b) => a.at - b.at || a.id.localeCompare(b.id)).slice(-count);
}

/** Event ids are whole numbers, of any length. */
function laterEvent(one: string, other: string): string {
  if (one.length !== other.length) return one.length > other.length ? one : other;
  return one > other ? one : other;
}

/** Joins two tabs' views: the union by id, the higher revision wins, a clearing is never undone. */
export function merge(ours: Kept, theirs: Kept): Kept {
  if (ours.conversation_id !== theirs.conversation_id) {
    const newer = theirs.cleared_at - ours.cleared_at;
    const later = newer === 0 ? theirs.conversation_id > ours.conversation_id : newer > 0;
    return later ? theirs : ours;
  }
  const byId = new Map<string, Entry>();
  for (const entry of [...theirs.entries, ...ours.entries]) {
    const known = byId.get(entry.id);
    if (!known || entry.rev > known.rev) byId.set(entry.id, entry);
  }
  return {
    ...ours,
    last_event_id: laterEvent(ours.last_event_id, theirs.last_event_id),
    entries: newest([...byId.values()], HELD),
  };
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
      const reading = this.#read();
      if (reading !== "refused" && reading.state === "read") {
        this.current = merge(this.current, reading.kept);
      }
      this.#write();
    };
    await (this.options.locked ?? runNow)(this.#name, work);
    this.options.onChange(this.current, this.#keeping);
  }

  /** Another tab wrote: takes over what it knows. */
  heard(key: string | null, text: string | null): void {
    if (this.#keeping !== "kept" || key !== this.#name) return;
    const reading = parseVault(text);
    if (reading.state !== "read") return;
    this.current = merge(this.current, reading.kept);
    this.options.onChange(this.current, this.#keeping);
  }

  /** Starts an empty conversation; what was kept is overwritten. */
  async clear(conversationId: string, at: number): Promise<void> {
    await this.update((kept) => ({
      ...kept,
      conversation_id: conversationId,
      cleared_at: at,
      last_event_id: "",
      entries: [],
    }));
  }

  /** The visitor withdrew consent: nothing of ours stays. */
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

/** An earlier visit's conversation; lines written in this tab meanwhile stay on this tab's own. */
function resumed(ours: Kept, stored: Kept): Kept {
  if (ours.entries.length === 0) return stored;
  return trimmed({ ...ours, entries: [...stored.entries, ...ours.entries] }, HELD);
}

function trimmed(kept: Kept, count: number): Kept {
  return { ...kept, entries: newest(kept.entries, count) };
}

async function runNow(_name: string, work: () => void): Promise<void> {
  work();
}
