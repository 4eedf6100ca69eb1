/**
 * The figures on screen.
 *
 * Decides: when they are read again: at another place, a moment after something happened, and each
 * minute while they are looked at. What was read stays until its successor is there, and a budget's warning until it is
 * dismissed or the same budget runs lower.
 */

import { type Signal, signal } from "@preact/signals";
import type { Api, Trouble } from "../api";
import { Loaded } from "../knowledge/loaded";
import { type Budget, readBudgets, type Warning } from "./budgets";
import { FIGURES, type FiguresPlace, question } from "./place";
import { type Figures, readFigures } from "./wire";
import { chosenLanguage, keepLanguage, type Language } from "./words";

const AGAIN_MS = 60_000;
/** Several things happen at once as a rule. */
const PAUSE_MS = 3_000;

export interface FiguresPorts {
  readonly after: (ms: number, then: () => void) => () => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly preferences: Pick<Storage, "getItem" | "setItem"> | null;
}

export class FiguresStore {
  readonly place = signal<FiguresPlace>(FIGURES);
  readonly figures: Loaded<Figures>;
  /** As they are now, whatever time the figures are of. */
  readonly budgets: Loaded<readonly Budget[]>;
  readonly language: Signal<Language>;
  /** Budgets that ran low, each once. */
  readonly warnings = signal<readonly Warning[]>([]);
  #open = false;
  #cancel = (): void => {};
  #shown: FiguresPlace | null = null;

  constructor(
    private readonly api: Api,
    private readonly ports: FiguresPorts,
    onTrouble: (trouble: Trouble) => void,
  ) {
    this.figures = new Loaded(onTrouble);
    this.budgets = new Loaded(onTrouble);
    this.language = signal(chosenLanguage(ports.preferences));
  }

  /** Comes to a place in this room. */
  visit(place: FiguresPlace): void {
    this.place.value = place;
    this.#open = true;
    void this.load();
  }

  /** Nobody looks any more. */
  leave(): void {
    this.#open = false;
    this.#cancel();
  }

  speak(language: Language): void {
    this.language.value = language;
    keepLanguage(this.ports.preferences, language);
  }

  async load(): Promise<void> {
    const { value: place } = this.place;
    if (this.#shown?.site !== place.site || this.#shown.range !== place.range) this.figures.clear();
    this.#shown = place;
    this.#next(AGAIN_MS);
    const path = question(place, this.ports.now());
    await Promise.all([
      this.figures.load(() => this.api.read(path, readFigures)),
      this.loadBudgets(),
    ]);
  }

  /** Gives what came; null where the call failed. */
  async loadBudgets(): Promise<readonly Budget[] | null> {
    return this.budgets.load(() => this.api.read("/v1/usage", readBudgets));
  }

  warn(warning: Warning): void {
    const { site, period } = warning;
    const others = this.warnings.value.filter((one) => one.site !== site || one.period !== period);
    this.warnings.value = [...others, warning];
  }

  dismiss(warning: Warning): void {
    this.warnings.value = this.warnings.value.filter((one) => one !== warning);
  }

  /** Something happened that counts. */
  hear(): void {
    if (this.#open) this.#next(PAUSE_MS);
  }

  /** Forgets what was read, as at log-out. */
  clear(): void {
    this.leave();
    this.#shown = null;
    this.figures.clear();
    this.budgets.clear();
    this.warnings.value = [];
  }

  #next(ms: number): void {
    this.#cancel();
    this.#cancel = this.ports.after(ms, () => {
      if (this.#open) void this.load();
    });
  }
}
