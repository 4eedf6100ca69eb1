/**
 * What the visitor allowed, remembered only when remembering was allowed.
 *
 * Decides: the record of consent, the chosen language and look, per site. Refuses: to write any of it before the
 * visitor agreed to memory.
 */
import { isRecord } from "./entry.ts";

export interface Choice {
  readonly memory: boolean;
  readonly training: boolean;
}

interface Preferences extends Choice {
  readonly locale?: string | undefined;
  readonly theme?: string | undefined;
  /** The browser may send sound to its maker. */
  readonly voice?: boolean | undefined;
  /** The model that is wanted on this device. */
  readonly model?: string | undefined;
}

/** Names of what is kept, each followed by whose it is. */
export const CONSENT_KEY = "fanlight.consent.v1:";
export const GREETINGS_KEY = "fanlight.greetings.v1:";

export class ConsentRecord {
  readonly #name: string;

  constructor(
    private readonly site: string,
    private readonly storage: () => Storage,
  ) {
    this.#name = CONSENT_KEY + site;
  }

  /** The choice made on an earlier visit, if memory was accepted then. */
  read(): Preferences | undefined {
    try {
      const value: unknown = JSON.parse(this.storage().getItem(this.#name) ?? "null");
      if (!isRecord(value) || value.memory !== true) return undefined;
      const locale = typeof value.locale === "string" ? value.locale : undefined;
      const theme = typeof value.theme === "string" ? value.theme : undefined;
      const voice = value.voice === true || undefined;
      const model = typeof value.model === "string" ? value.model : undefined;
      return { memory: true, training: value.training === true, locale, theme, voice, model };
    } catch {
      return undefined;
    }
  }

  /** Keeps the choice; false when the browser refuses to store anything. */
  write(preferences: Preferences): boolean {
    try {
      this.storage().setItem(this.#name, JSON.stringify(preferences));
      return true;
    } catch {
      return false;
    }
  }

  /** Forgets the choice, and which greetings were shown: that was kept by it. */
  forget(): void {
    try {
      this.storage().removeItem(this.#name);
      this.storage().removeItem(GREETINGS_KEY + this.site);
    } catch {
      // Storage that cannot be reached holds nothing of ours.
    }
  }
}
