/**
 * What the visitor sent and the gateway must hear: written down first, tried until it is answered.
 *
 * Decides: when it is tried again (from 2 s to 60 s apart, at once when the network returns), and which answers end
 * it. Refuses: to send one thing twice, or from two tabs at once.
 */
import { Problem } from "../trust/problem.ts";
import { Outbox, type Outcome, type Outgoing } from "../vault/outbox.ts";
import type { Store } from "../vault/store.ts";
import type { Network } from "./network.ts";

export interface CourierOptions<Answer> {
  readonly store: Store;
  /** A name that two tabs of one visitor share. */
  readonly name: string;
  readonly network: Network;
  readonly exclusively: (name: string, work: () => Promise<void>) => Promise<void>;
  /** Sends one; rejects with a `Problem` where the gateway had a word to say. */
  readonly post: (item: Outgoing) => Promise<Answer>;
  readonly sent: (item: Outgoing, answer: Answer) => Promise<void>;
  /** The gateway will not have it. */
  readonly refused: (item: Outgoing) => Promise<void>;
}

const SHORTEST_MS = 2000;
const LONGEST_MS = 60_000;

export class Courier<Answer> {
  readonly #outbox: Outbox;
  #wait = SHORTEST_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hint: number | undefined;

  constructor(private readonly options: CourierOptions<Answer>) {
    this.#outbox = new Outbox(options.store, {
      send: (item) => this.#send(item),
      locked: (work) => options.exclusively(options.name, work),
    });
  }

  /** Writes one down; resolves when what the panel says is waiting survives the tab. */
  async add(item: Outgoing): Promise<void> {
    await this.#outbox.add(item);
  }

  /** Sends what waits; what could not be sent is tried again later. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    if (!this.options.network.usable) return;
    this.#hint = undefined;
    const waiting = await this.#outbox.flush();
    if (!waiting) {
      this.#wait = SHORTEST_MS;
      return;
    }
    this.#timer = setTimeout(() => void this.flush(), this.#hint ?? this.#wait);
    this.#wait = Math.min(this.#wait * 2, LONGEST_MS);
  }

  /** Keeps what waits in another store from now on. */
  async moveTo(store: Store): Promise<void> {
    await this.#outbox.moveTo(store);
  }

  /** Gives up what waits. */
  async drop(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#outbox.drop();
  }

  async #send(item: Outgoing): Promise<Outcome> {
    const { network, post, sent, refused } = this.options;
    try {
      const answer = await post(item);
      network.succeeded();
      await sent(item, answer);
      return "sent";
    } catch (error) {
      if (!(error instanceof Problem)) {
        network.failed();
        return "later";
      }
      this.#hint = error.retryAfter === undefined ? undefined : error.retryAfter * 1000;
      if (error.passing) return "later";
      await refused(item);
      return "refused";
    }
  }
}
