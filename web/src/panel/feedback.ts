/**
 * What the visitor thinks of an answer: a mark on its line, and word of it to the gateway.
 *
 * Decides: which answers can be marked (those that the gateway holds: its own, of a visitor with memory), and that a
 * mark may wait for the network like all else that is sent. Refuses: to show a mark that the gateway would not have.
 */
import { makeIdempotencyKey } from "../trust/ids.ts";
import type { Consent } from "../trust/session.ts";
import type { Entry, Mark, Verdict } from "../vault/entry.ts";
import type { Store } from "../vault/store.ts";
import type { Vault } from "../vault/vault.ts";
import { Courier } from "./courier.ts";
import type { Gateway } from "./gateway.ts";
import { withMark, withVerdict } from "./lines.ts";
import type { Network } from "./network.ts";

export interface FeedbackOptions {
  readonly gateway: Pick<Gateway, "feedback">;
  readonly vault: Vault;
  readonly network: Network;
  readonly store: Store;
  readonly site: string;
  readonly exclusively: (name: string, work: () => Promise<void>) => Promise<void>;
}

/** Whether the gateway holds this answer, so that a mark on it finds its place. */
export function canMark(answer: Entry, consent: Consent | undefined): boolean {
  return answer.source === "cloud" && !answer.stopped && consent?.memory === true;
}

function isVerdict(body: string): boolean {
  return /"signal":"(?:worked|failed)"/.test(body);
}

export class Feedback {
  readonly #courier: Courier<void>;

  constructor(private readonly options: FeedbackOptions) {
    const { gateway, network, store, site, exclusively, vault } = options;
    this.#courier = new Courier<void>({
      ...{ network, store, exclusively },
      name: `fanlight.feedback:${site}`,
      post: ({ body, idempotency_key }) => gateway.feedback(body, idempotency_key),
      sent: async () => undefined,
      refused: ({ turn_id, body }) =>
        vault.update((kept) =>
          isVerdict(body)
            ? withVerdict(kept, turn_id, "unsaid")
            : withMark(kept, turn_id, undefined),
        ),
    });
  }

  /** Marks an answer; a later mark takes the place of an earlier one. */
  async mark(turnId: string, mark: Mark): Promise<void> {
    await this.#keep({ turn_id: turnId, signal: mark });
    await this.options.vault.update((kept) => withMark(kept, turnId, mark));
    void this.flush();
  }

  /** Says whether a person's answer helped, perhaps with a word; nothing is sent where the visitor would not say. */
  async judge(turnId: string, verdict: Verdict, text?: string): Promise<void> {
    const sent = { turn_id: turnId, signal: verdict, ...(text ? { text } : {}) };
    if (verdict !== "unsaid") await this.#keep(sent);
    await this.options.vault.update((kept) => withVerdict(kept, turnId, verdict));
    void this.flush();
  }

  /** Sends what waits; what could not be sent is tried again later. */
  async flush(): Promise<void> {
    await this.#courier.flush();
  }

  /** Keeps what waits in another store from now on. */
  async moveTo(store: Store): Promise<void> {
    await this.#courier.moveTo(store);
  }

  async #keep(said: { readonly turn_id: string; readonly signal: string }): Promise<void> {
    const { turn_id } = said;
    const body = JSON.stringify(said);
    await this.#courier.add({ idempotency_key: makeIdempotencyKey(), turn_id, body });
  }

  /** Gives up what waits. */
  async drop(): Promise<void> {
    await this.#courier.drop();
  }
}
