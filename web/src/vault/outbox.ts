/**
 * What is on its way to the gateway: written down first, signed when sent, sent once.
 *
 * Decides: the order (oldest first), what is tried again and what is given up. A body waits with its
 * idempotency key, so that a second try of the same one is harmless. Refuses: to send from two tabs at once.
 */
import { isRecord } from "./entry.ts";
import type { Store } from "./store.ts";

export interface Outgoing {
  readonly idempotency_key: string;
  readonly turn_id: string;
  readonly body: string;
  /** It is the escalation's once more, for the contact that the visitor left since. */
  readonly contact?: boolean;
}

/** What became of one try: `sent` and `refused` end it, `later` keeps it. */
export type Outcome = "sent" | "refused" | "later";

export interface OutboxOptions {
  /** Sends one body and reports what became of it; never rejects. */
  readonly send: (item: Outgoing) => Promise<Outcome>;
  /** Runs alone across tabs. */
  readonly locked: (work: () => Promise<void>) => Promise<void>;
}

function isOutgoing(value: unknown): value is Outgoing {
  return (
    isRecord(value) &&
    ["idempotency_key", "turn_id", "body"].every((key) => typeof value[key] === "string")
  );
}

function same(one: unknown, other: unknown): boolean {
  if (!isOutgoing(one) || !isOutgoing(other)) return true;
  return one.idempotency_key === other.idempotency_key;
}

export class Outbox {
  constructor(
    private store: Store,
    private readonly options: OutboxOptions,
  ) {}

  /**
   * Keeps `item` until it is sent, in place of an earlier one of its turn. Items sort by turn id, which sorts by time; a
   * contact follows its turn.
   */
  async add(item: Outgoing): Promise<void> {
    await this.store.put(item.contact ? `${item.turn_id}:contact` : item.turn_id, item);
  }

  /** Moves what waits to another store: the visitor has just allowed, or forbidden, keeping it. */
  async moveTo(store: Store): Promise<void> {
    const waiting = await this.#all();
    this.store = store;
    for (const [key, value] of waiting) await store.put(key, value);
  }

  /** Gives up what waits: the visitor has had everything erased. */
  async drop(): Promise<void> {
    for (const [key] of await this.#all()) await this.store.delete(key);
  }

  /** What waits; nothing in a database that another tab has removed. */
  async #all(): ReturnType<Store["all"]> {
    return this.store.all().catch(() => []);
  }

  async waiting(): Promise<number> {
    return (await this.store.all()).length;
  }

  /** Tries everything once, oldest first; resolves with whether something still waits. */
  async flush(): Promise<boolean> {
    await this.options.locked(async () => {
      for (const [key, item] of await this.store.all()) {
        const outcome = isOutgoing(item) ? await this.options.send(item) : "refused";
        if (outcome === "later") return;
        // What took its place meanwhile is still to be sent.
        if (same(item, await this.store.get(key))) await this.store.delete(key);
      }
    });
    return (await this.waiting()) > 0;
  }
}
