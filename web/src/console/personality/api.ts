/**
 * Calls about how a site's chat speaks.
 *
 * Decides: which address says what. What a failure means, and the CSRF token, are {@link Api}'s.
 */

import { type Api, decode, sending } from "../api";
import type { Document } from "./form";
import {
  type Choice,
  type Item,
  readChoice,
  readItem,
  readShown,
  readSites,
  readTold,
  readTried,
  type Shown,
  type SpeakingSite,
  type Told,
  type Tried,
} from "./wire";

const ROOT = "/v1/personalities";
/** The number of what is not there any more. */
export const REMOVED = 0;
/** A model may think for a while; the gateway itself gives up before this. */
const TRY_PATIENCE_MS = 130_000;

export class PersonalityApi {
  constructor(private readonly api: Api) {}

  sites(): Promise<readonly SpeakingSite[]> {
    return this.api.read(ROOT, readSites);
  }

  shown(site: string): Promise<Shown> {
    return this.api.read(path(site), readShown);
  }

  async add(site: string, personality: Document): Promise<Item> {
    return this.#sent(path(site, "items"), sending("POST", { personality }), readItem);
  }

  /** @param basedOn the number that it was made of; it is refused if another stands. */
  async save(
    site: string,
    name: string,
    personality: Document,
    basedOn: number | null,
  ): Promise<Item> {
    const body = basedOn === null ? { personality } : { personality, based_on: basedOn };
    return this.#sent(path(site, "items", name), sending("PUT", body), readItem);
  }

  async remove(site: string, name: string): Promise<void> {
    await this.api.change(path(site, "items", name), { method: "DELETE" });
  }

  /**
   * Takes back the newest edit. Gives null where that made it.
   *
   * @param basedOn the number of that edit, {@link REMOVED} for a removal; it is refused if another stands.
   */
  async undo(site: string, name: string, basedOn: number): Promise<Item | null> {
    const init = sending("POST", { based_on: basedOn });
    const response = await this.api.change(path(site, "items", name, "undo"), init);
    return response.status === 204 ? null : decode(response, readItem);
  }

  /** @param name null: the chat speaks as its model does. */
  async use(site: string, name: string | null): Promise<Choice> {
    return this.#sent(path(site, "choice"), sending("PUT", { name }), readChoice);
  }

  /** Lets fanlight.toml choose again. */
  async reset(site: string): Promise<Choice> {
    return this.#sent(path(site, "choice"), { method: "DELETE" }, readChoice);
  }

  async told(site: string, personality: Document): Promise<Told> {
    return this.#sent(path(site, "told"), sending("POST", { personality }), readTold);
  }

  async attempt(
    site: string,
    question: string,
    locale: string,
    personality: Document | null,
  ): Promise<Tried> {
    const init = sending("POST", { question, locale, personality });
    const signal = AbortSignal.timeout(TRY_PATIENCE_MS);
    return this.#sent(path(site, "try"), { ...init, signal }, readTried);
  }

  async #sent<T>(url: string, init: RequestInit, read: (value: unknown) => T): Promise<T> {
    return decode(await this.api.change(url, init), read);
  }
}

function path(...parts: readonly string[]): string {
  return [ROOT, ...parts.map(encodeURIComponent)].join("/");
}
