/** How fast something comes, over the last seconds, and how long the rest will take. */

export interface Pace {
  /** Bytes a second; undefined until there is enough to tell. */
  readonly rate: number | undefined;
  /** Seconds that are left at that rate. */
  readonly left: number | undefined;
}

const WINDOW_MS = 5_000;
const LEAST_MS = 1_000;

export class PaceMeter {
  #seen: { readonly at: number; readonly done: number }[] = [];

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Takes in how much is done, and says how fast that was. */
  at(done: number, total: number): Pace {
    const at = this.now();
    const recent = this.#seen.filter((one) => at - one.at <= WINDOW_MS && one.done <= done);
    this.#seen = [...recent, { at, done }];
    const [first] = this.#seen;
    const ms = first ? at - first.at : 0;
    if (!first || ms < LEAST_MS || done === first.done) return { rate: undefined, left: undefined };
    const rate = ((done - first.done) / ms) * 1000;
    return { rate, left: (total - done) / rate };
  }
}
