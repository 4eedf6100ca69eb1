/**
 * The panel in the console's builder: all of it real, but for what it would leave or send.
 *
 * Decides: what stands in for the browser's storage and for the gateway. The knowledge base answers in this
 * browser as it does for visitors; what it does not know ends as it would for them, and wakes nobody.
 */
import { memoryDatabase } from "../vault/store.ts";
import type { Surroundings } from "./compose.ts";
import type { PanelConfig } from "./config.ts";
import { type Acknowledged, type ChatOutcome, Gateway, parseTurn } from "./gateway.ts";

/** A gateway that acknowledges everything, has no model and nobody behind it. */
class NobodyThere extends Gateway {
  override warm(): void {}

  override async chat(): Promise<ChatOutcome> {
    return { kind: "turn", turn: parseTurn({ escalate: true }), receipt: undefined };
  }

  override async escalate(): Promise<Acknowledged> {
    return { id: "", status: "queued", backAt: undefined };
  }

  override async feedback(): Promise<void> {}

  override async held(): Promise<unknown> {
    return {};
  }

  override async erase(): Promise<void> {}

  override async events(): Promise<undefined> {}
}

/** What a browser keeps, for as long as the page is there. */
export class PageStorage implements Storage {
  readonly #kept = new Map<string, string>();

  get length(): number {
    return this.#kept.size;
  }

  key(index: number): string | null {
    return [...this.#kept.keys()][index] ?? null;
  }

  getItem(name: string): string | null {
    return this.#kept.get(name) ?? null;
  }

  setItem(name: string, value: string): void {
    this.#kept.set(name, value);
  }

  removeItem(name: string): void {
    this.#kept.delete(name);
  }

  clear(): void {
    this.#kept.clear();
  }
}

/** A visitor who comes for the first time, each time. */
export function forPreview(config: PanelConfig): Partial<Surroundings> {
  const kept = new PageStorage();
  return {
    storage: () => kept,
    openDatabase: async () => memoryDatabase(),
    goOnlineOnly: async () => undefined,
    // Under a name of its own no other tab of this browser is in step with it.
    owner: { store: `${config.site_key}:preview`, jwt: async () => undefined },
    gateway: (calls) => new NobodyThere(calls, config.first_word_ms),
  };
}
