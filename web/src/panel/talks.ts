/**
 * The visitor's conversations: a new one, an earlier one again.
 *
 * Decides: that an answer which is being made ends as the visitor turns away from it; what has been written of it stays
 * where it was asked. A person's reply is waited for in every conversation.
 */
import type { Clock } from "../trust/clock.ts";
import { makeId } from "../trust/ids.ts";
import { begun, type Kept, opened } from "../vault/talks.ts";
import type { Vault } from "../vault/vault.ts";
import type { Conversation } from "./conversation.ts";
import type { Replies } from "./replies.ts";
import type { PanelState } from "./state.ts";

export interface TalksOptions {
  readonly state: PanelState;
  readonly vault: Vault;
  readonly conversation: Conversation;
  readonly replies: Replies;
  readonly clock: Clock;
}

/** What is kept, changed at a time, with an id for a conversation that begins. */
type Change = (kept: Kept, at: number, fresh: string) => Kept;

export class Talks {
  constructor(private readonly options: TalksOptions) {}

  /** Begins a new conversation; where nothing has been said yet, this is one. */
  async begin(): Promise<void> {
    this.#turn();
    await this.change((kept, ...now) => (kept.entries.length > 0 ? begun(kept, ...now) : kept));
  }

  /** Opens an earlier one, to go on with it. */
  async open(conversationId: string): Promise<void> {
    this.#turn();
    await this.change((kept, at) => opened(kept, conversationId, at));
  }

  /** Changes what is kept of them; what can still be replied to is waited for. */
  async change(change: Change): Promise<void> {
    const { vault, clock, replies } = this.options;
    await vault.update((kept) => change(kept, clock.now(), makeId("c", clock)));
    replies.start();
  }

  #turn(): void {
    const { state, conversation } = this.options;
    conversation.stop();
    state.toPerson.value = false;
    state.composing.value += 1;
  }
}
