/**
 * The model on this device as the conversation sees it: whether it can be asked, and what it said.
 *
 * Decides: what it takes to run one is fetched when the visitor asks for it, or has one here. Refuses to answer in place of
 * anybody where it is not sure: then there is no answer, and whoever is next is asked.
 */
import type { Answer } from "./conversation.ts";
import type { Device } from "./device/device.ts";
import type { Meaning } from "./meaning/meaning.ts";
import type { Question } from "./question.ts";
import type { PanelState } from "./state.ts";

/** What a model on this device makes of a question; undefined: nothing to be shown. */
export type AnswerHere = (
  question: Question,
  onText: (text: string) => void,
) => Promise<Answer | undefined>;

export class Local {
  #device: Promise<Device> | undefined;
  #meaning: Promise<Meaning> | undefined;

  constructor(
    private readonly state: PanelState,
    private readonly open: () => Promise<Device>,
    private readonly openMeaning: () => Promise<Meaning>,
  ) {}

  /** All that there is to a model here; rejects where its code cannot be fetched. */
  device(): Promise<Device> {
    this.#device ??= this.open().catch((error: unknown) => {
      this.#device = undefined;
      throw error;
    });
    return this.#device;
  }

  /** The better search of this device; rejects where its code cannot be fetched. */
  meaning(): Promise<Meaning> {
    this.#meaning ??= this.openMeaning().catch((error: unknown) => {
      this.#meaning = undefined;
      throw error;
    });
    return this.#meaning;
  }

  readonly answer: AnswerHere = async (question, onText) => {
    if (!["kept", "ready"].includes(this.state.engine.value)) return undefined;
    const device = await this.device().catch(() => undefined);
    return device?.answer(question, onText);
  };
}
