/**
 * "Would this be answered?": one question, asked of the draft as a visitor would.
 *
 * Decides: when to ask (a moment after the last letter, and again while the gateway has not yet
 * looked at the newest draft). What was found last stays in sight until there is something newer.
 */

import { signal } from "@preact/signals";
import { Loaded } from "./loaded";
import type { Reach } from "./reach";
import type { Trial } from "./wire";

const PAUSE_MS = 350;
const AGAIN_MS = 1_000;

export class TrialStore {
  readonly question = signal("");
  readonly trial: Loaded<Trial | null>;
  /** The gateway has not yet looked at the newest draft. */
  readonly reading = signal(false);
  /** What was found last is not the word on what is asked now. */
  readonly waiting = signal(false);
  #cancel = (): void => {};

  /** @param locale the language of the page that the visitor would be on; null where none is meant. */
  constructor(
    private readonly reach: Reach,
    private readonly locale: () => string | null,
  ) {
    this.trial = new Loaded(reach.onTrouble);
  }

  clear(): void {
    this.#cancel();
    this.question.value = "";
    this.#settle();
    this.trial.clear();
  }

  ask(question: string): void {
    this.question.value = question;
    this.#cancel();
    this.waiting.value = true;
    if (question.trim() === "") this.clear();
    else this.#cancel = this.reach.after(PAUSE_MS, () => void this.again());
  }

  /** Asks now: the draft changed, or the last call failed. */
  async again(): Promise<void> {
    this.#cancel();
    const question = this.question.value.trim();
    const site = this.reach.site.value;
    if (site === null || question === "") return;
    this.waiting.value = true;
    await this.trial.load(async () => {
      const found = await this.reach.api.try(site, question, this.locale());
      this.reading.value = !found.built;
      return found.built ? found : this.trial.value.value;
    });
    if (question !== this.question.value.trim()) return;
    this.#cancel();
    if (!this.reading.value || this.trial.trouble.value !== null) this.#settle();
    else this.#cancel = this.reach.after(AGAIN_MS, () => void this.again());
  }

  #settle(): void {
    this.reading.value = false;
    this.waiting.value = false;
  }
}
