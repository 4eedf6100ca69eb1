/**
 * What the check found in the draft.
 *
 * Decides: how often to look while it runs. What it found last time stays until it is through.
 */

import { Loaded } from "./loaded";
import { doing, type Reach } from "./reach";
import type { Findings } from "./wire";

const AGAIN_MS = 1_500;

export class CheckStore {
  readonly findings: Loaded<Findings>;
  #cancel = (): void => {};

  constructor(private readonly reach: Reach) {
    this.findings = new Loaded(reach.onTrouble);
  }

  clear(): void {
    this.#cancel();
    this.findings.clear();
  }

  async load(): Promise<void> {
    this.#cancel();
    const site = this.reach.site.value;
    if (site === null) return;
    const found = await this.findings.load(() => this.reach.api.findings(site));
    if (found?.running) this.#cancel = this.reach.after(AGAIN_MS, () => void this.load());
  }

  async run(): Promise<void> {
    const before = this.findings.value.value;
    const { value: site } = this.reach.site;
    if (before?.running) return;
    const known = before ?? { findings: [], checkedAt: null, running: false, failed: null };
    this.findings.put({ ...known, running: true, failed: null });
    const begun = await doing(
      this.reach,
      async (key) => {
        await this.reach.api.check(key);
        return true;
      },
      () => void this.run(),
    );
    if (this.reach.site.value !== site) return;
    if (begun) await this.load();
    else this.findings.put(known);
  }
}
