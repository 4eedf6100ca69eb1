/**
 * Bringing a person in: written down before it is sent, tried until it is acknowledged.
 *
 * Decides: the body of an escalation, and what the visitor reads about it. Refuses: to send a second one for the
 * same turn, but for a contact that the visitor leaves: that goes with the same words once more, under what the visitor
 * agreed to.
 */
import { makeIdempotencyKey } from "../trust/ids.ts";
import type { Escalation, EscalationReason, EscalationStatus } from "../vault/entry.ts";
import type { Store } from "../vault/store.ts";
import { linesOf, talkOf } from "../vault/talks.ts";
import { conversationTail } from "../vault/training.ts";
import type { Vault } from "../vault/vault.ts";
import { Courier } from "./courier.ts";
import type { Gateway } from "./gateway.ts";
import { answerId, questionId, withEscalation } from "./lines.ts";
import type { Network } from "./network.ts";

export interface Raise {
  readonly turnId: string;
  readonly question: string;
  readonly fallbackText: string;
  readonly reason: EscalationReason;
  readonly confidence: number;
  readonly receipt?: string | undefined;
}

type Acknowledged = Awaited<ReturnType<Gateway["escalate"]>>;

export interface EscalationsOptions {
  readonly gateway: Gateway;
  readonly vault: Vault;
  readonly network: Network;
  readonly store: Store;
  readonly site: string;
  readonly locale: () => string;
  readonly now: () => number;
  /** Called when one was acknowledged: its reply may come. */
  readonly onSent: () => void;
  readonly exclusively: (name: string, work: () => Promise<void>) => Promise<void>;
}

/** What an acknowledgement may say beside `queued`; a target that failed is the team's to see. */
const SHOWN = ["delivered", "resolved"] as const;

export class Escalations {
  readonly #courier: Courier<Acknowledged>;

  constructor(private readonly options: EscalationsOptions) {
    const { gateway, network, store, site, exclusively } = options;
    this.#courier = new Courier<Acknowledged>({
      ...{ network, store, exclusively },
      name: `fanlight.outbox:${site}`,
      post: ({ body, idempotency_key }) => gateway.escalate(body, idempotency_key),
      sent: async (item, { id, status, backAt }) => {
        const shown: EscalationStatus = SHOWN.find((one) => one === status) ?? "queued";
        const told = { status: shown, id: id || undefined, back_at: backAt };
        await this.#mark(item.turn_id, item.contact ? { ...told, contact: "sent" } : told);
        options.onSent();
      },
      refused: (item) => {
        // A contact that is refused takes nothing from the question.
        const refused = { status: "unsent", contact: "refused" } as const;
        return this.#mark(item.turn_id, item.contact ? refused : { status: "refused" });
      },
    });
  }

  /** Escalates a turn that has an answer line; resolves when it is written down. */
  async raise(raise: Raise): Promise<void> {
    const { vault } = this.options;
    const body = JSON.stringify(this.#body(raise));
    // Written down first: what the panel says is waiting must survive the tab.
    await this.#courier.add({
      idempotency_key: makeIdempotencyKey(),
      turn_id: raise.turnId,
      body,
    });
    await vault.update((kept) =>
      withEscalation(kept, raise.turnId, { status: "unsent", reason: raise.reason }),
    );
    void this.flush();
  }

  /** Sends a contact after its escalation; it is kept no longer than it waits. */
  async leaveContact(turnId: string, contact: string, consent: string): Promise<void> {
    const raised = this.#raised(turnId);
    if (!raised) return;
    const body = { ...this.#body(raised), contact, contact_consent: consent };
    await this.#courier.add({
      idempotency_key: makeIdempotencyKey(),
      turn_id: turnId,
      body: JSON.stringify(body),
      contact: true,
    });
    await this.#mark(turnId, { status: "unsent", contact: "waiting" });
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

  /** Gives up what waits. */
  async drop(): Promise<void> {
    await this.#courier.drop();
  }

  #body(raise: Raise): object {
    const { vault, locale, now } = this.options;
    const { conversation_id, entries } = talkOf(vault.kept, raise.turnId) ?? vault.kept;
    const before = entries.filter(({ turn_id }) => turn_id < raise.turnId);
    return {
      turn_id: raise.turnId,
      conversation_id,
      question: raise.question,
      fallback_text: raise.fallbackText,
      reason: raise.reason,
      confidence: raise.confidence,
      conversation_tail: conversationTail(before),
      locale: locale(),
      ...(raise.receipt ? { receipt: raise.receipt } : {}),
      timestamp: new Date(now()).toISOString(),
    };
  }

  /** What was asked with this turn, from what is shown of it. */
  #raised(turnId: string): Raise | undefined {
    const entries = linesOf(this.options.vault.kept);
    const question = entries.find(({ id }) => id === questionId(turnId));
    const answer = entries.find(({ id }) => id === answerId(turnId));
    if (!question || !answer?.escalation) return undefined;
    return {
      turnId,
      question: question.content,
      fallbackText: answer.content,
      reason: answer.escalation.reason,
      confidence: answer.confidence ?? 0,
    };
  }

  async #mark(
    turnId: string,
    change: Partial<Escalation> & { readonly status: EscalationStatus },
  ): Promise<void> {
    await this.options.vault.update((kept) => withEscalation(kept, turnId, change));
  }
}
