/**
 * Questions that the host page hands in, asked in the visitor's place one after the other.
 *
 * Decides: when: once the visitor has chosen about memory, and while nothing else is being answered.
 * Refuses: what is longer than a visitor may write, and more than a few at once.
 */
import { effect } from "@preact/signals";
import { LONGEST_QUESTION } from "./conversation.ts";
import type { Tell } from "./happenings.ts";
import type { PanelState } from "./state.ts";

const MOST = 5;

export interface AskedOptions {
  readonly state: Pick<PanelState, "consent" | "live">;
  readonly ask: (text: string) => Promise<void>;
  readonly tell: Tell;
}

export class Asked {
  readonly #waiting: string[] = [];
  #running = true;

  constructor(private readonly options: AskedOptions) {}

  /** What came before waits for this: an earlier visit's consent and lines are read first. */
  begin(): void {
    this.#running = false;
    void this.#run();
  }

  put(text: string): void {
    if (text.length > LONGEST_QUESTION) this.options.tell({ type: "error", reason: "long" });
    else if (this.#waiting.length < MOST) this.#waiting.push(text);
    else this.options.tell({ type: "error", reason: "limited" });
    void this.#run();
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    const { state, ask } = this.options;
    while (this.#waiting.length > 0) {
      await until(() => state.consent.value !== undefined && !state.live.value);
      await ask(this.#waiting.shift() ?? "");
    }
    this.#running = false;
  }
}

/** Resolves when it holds; `holds` reads signals. */
function until(holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const stop = effect(() => {
      if (!holds()) return;
      queueMicrotask(() => {
        stop();
        resolve();
      });
    });
  });
}
