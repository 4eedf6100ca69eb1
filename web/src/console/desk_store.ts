/**
 * What an operator does to an escalation: reply, resolve, send again. Each goes with how much of it the
 * operator had before them, so that nothing is closed that nobody has read.
 *
 * Decides: what is shown before the gateway has answered, and how it is taken back. A reply shows
 * at once as "Sending…"; when it fails it goes back into its draft, whole, with the reason.
 * Refuses: to lose a word, to show as sent what was not, and to send one text twice: a text keeps
 * its idempotency key until the gateway takes it or the operator changes it.
 */

import { batch, signal } from "@preact/signals";
import { type Api, ASKED_SINCE, Trouble } from "./api";
import type { InboxStore } from "./inbox_store";
import { type Escalation, turnsOf } from "./wire";

export interface Draft {
  readonly text: string;
  readonly resolveAfter: boolean;
  /** Why the last try failed. */
  readonly trouble: Trouble | null;
}

/** A reply on its way. */
export interface Pending {
  readonly text: string;
  readonly resolve: boolean;
}

export type Work = "resolving" | "resending";

/** A word after the deed. `trouble` is null when it went well. */
export interface Note {
  readonly about:
    | "sent"
    | "sent_resolved"
    | "sent_open"
    | "resent"
    | "resolve"
    | "resend"
    | "log_out";
  readonly trouble: Trouble | null;
}

const BLANK: Draft = { text: "", resolveAfter: false, trouble: null };

export class DeskStore {
  readonly drafts = signal<ReadonlyMap<string, Draft>>(new Map());
  readonly pending = signal<ReadonlyMap<string, Pending>>(new Map());
  readonly working = signal<ReadonlyMap<string, Work>>(new Map());
  readonly note = signal<Note | null>(null);

  readonly #keys = new Map<string, { readonly for: string; readonly key: string }>();

  constructor(
    private readonly api: Api,
    private readonly inbox: InboxStore,
    private readonly onTrouble: (trouble: Trouble) => void,
    private readonly randomId: () => string,
  ) {}

  draft(id: string): Draft {
    return this.drafts.value.get(id) ?? BLANK;
  }

  write(id: string, change: Partial<Draft>): void {
    const draft = { ...this.draft(id), trouble: null, ...change };
    const empty = draft.text === "" && !draft.resolveAfter && draft.trouble === null;
    this.drafts.value = changed(this.drafts.value, id, empty ? null : draft);
  }

  /** True while any text would be lost by leaving the page. */
  hasUnsent(): boolean {
    const written = [...this.drafts.value.values()].some((draft) => draft.text.trim() !== "");
    return written || this.pending.value.size > 0;
  }

  /** Forgets what was written: another operator comes. */
  clear(): void {
    this.#keys.clear();
    this.drafts.value = new Map();
    this.note.value = null;
  }

  async send(id: string): Promise<void> {
    const { text, resolveAfter } = this.draft(id);
    if (text.trim() === "" || this.pending.value.has(id)) return;
    const pending = { text, resolve: resolveAfter };
    const seen = this.#seen(id);
    batch(() => {
      this.pending.value = changed(this.pending.value, id, pending);
      this.write(id, BLANK);
    });
    try {
      const outgoing = { content: text, resolve: resolveAfter, seen };
      const { reply, resolved } = await this.api.reply(id, outgoing, this.#key(id, pending));
      this.#keys.delete(id);
      const keptOpen = resolveAfter && !resolved;
      this.#sent(id, keptOpen ? "sent_open" : resolveAfter ? "sent_resolved" : "sent");
      this.#update(id, (item) => ({
        ...item,
        status: resolved ? "resolved" : item.status,
        replies: [...item.replies.filter((old) => old.id !== reply.id), reply],
      }));
      if (keptOpen) await this.inbox.hear(id);
    } catch (trouble) {
      this.#takeBack(id, pending, this.#caught(trouble));
    }
  }

  async resolve(id: string): Promise<void> {
    const before = this.inbox.open.value;
    if (before?.id !== id || before.status === "resolved" || this.working.value.has(id)) return;
    this.#begin(id, "resolving");
    this.#update(id, (item) => ({ ...item, status: "resolved" }));
    try {
      await this.api.resolve(id, turnsOf(before));
      this.#update(id, (item) => ({ ...item, status: "resolved" })); // a read may have come between
    } catch (trouble) {
      this.#update(id, (item) => ({ ...item, status: before.status }));
      const caught = this.#caught(trouble);
      this.note.value = { about: "resolve", trouble: caught };
      if (caught.type.endsWith(`/${ASKED_SINCE}`)) await this.inbox.hear(id);
    } finally {
      this.working.value = changed(this.working.value, id, null);
    }
  }

  async resend(id: string): Promise<void> {
    if (this.working.value.has(id)) return;
    this.#begin(id, "resending");
    try {
      await this.api.resend(id);
      this.note.value = { about: "resent", trouble: null };
      await this.inbox.hear(id);
    } catch (trouble) {
      this.note.value = { about: "resend", trouble: this.#caught(trouble) };
    } finally {
      this.working.value = changed(this.working.value, id, null);
    }
  }

  #begin(id: string, work: Work): void {
    this.note.value = null;
    this.working.value = changed(this.working.value, id, work);
  }

  #sent(id: string, about: "sent" | "sent_resolved" | "sent_open"): void {
    batch(() => {
      this.pending.value = changed(this.pending.value, id, null);
      this.note.value = { about, trouble: null };
    });
  }

  /** How many turns the operator has before them at this moment. */
  #seen(id: string): number {
    const item = this.#item(id);
    return item === undefined ? 1 : turnsOf(item);
  }

  /** Back into the draft, before whatever was typed in the meantime. */
  #takeBack(id: string, pending: Pending, trouble: Trouble): void {
    const typed = this.draft(id).text;
    const text = typed.trim() === "" ? pending.text : `${pending.text}\n\n${typed}`;
    batch(() => {
      this.pending.value = changed(this.pending.value, id, null);
      this.write(id, { text, resolveAfter: pending.resolve, trouble });
    });
  }

  #update(id: string, change: (item: Escalation) => Escalation): void {
    const item = this.#item(id);
    if (item !== undefined) this.inbox.put(change(item));
  }

  #item(id: string): Escalation | undefined {
    const open = this.inbox.open.value;
    return open?.id === id ? open : this.inbox.inbox.value.items.find((other) => other.id === id);
  }

  #key(id: string, pending: Pending): string {
    const text = JSON.stringify(pending);
    const old = this.#keys.get(id);
    if (old?.for === text) return old.key;
    const key = this.randomId();
    this.#keys.set(id, { for: text, key });
    return key;
  }

  #caught(trouble: unknown): Trouble {
    if (!(trouble instanceof Trouble)) throw trouble;
    this.onTrouble(trouble);
    return trouble;
  }
}

function changed<T>(
  map: ReadonlyMap<string, T>,
  id: string,
  value: T | null,
): ReadonlyMap<string, T> {
  const copy = new Map(map);
  if (value === null) copy.delete(id);
  else copy.set(id, value);
  return copy;
}
