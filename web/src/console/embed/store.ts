/**
 * The builder: which site, what was chosen, and what comes out.
 *
 * Decides: what is read when one comes here, and that what comes out is asked for a moment after the last
 * change. What came out last stays in sight until there is something newer.
 */

import { batch, computed, signal } from "@preact/signals";
import type { Api, Trouble } from "../api";
import { Loaded } from "../knowledge/loaded";
import { type Choices, chosen, EMBED, type EmbedPlace, fullColor } from "./choices";
import { type EmbedSite, readSites, readSnippets, type Snippets } from "./wire";

const PAUSE_MS = 250;

export class EmbedStore {
  readonly place = signal<EmbedPlace>(EMBED);
  readonly sites: Loaded<readonly EmbedSite[]>;
  readonly snippets: Loaded<Snippets>;
  /** The accent as it stands in the field, while that is no colour. */
  readonly draft = signal<string | null>(null);
  readonly site = computed<EmbedSite | null>(() => {
    const { value: sites } = this.sites.value;
    const { site } = this.place.value;
    return sites?.find((one) => site === null || one.site === site) ?? null;
  });

  /** The place that an address named last: what is not it was chosen here. */
  came: EmbedPlace = EMBED;

  #asked = "";
  #cancel = (): void => {};

  constructor(
    private readonly api: Api,
    private readonly after: (ms: number, then: () => void) => () => void,
    onTrouble: (trouble: Trouble) => void,
  ) {
    this.sites = new Loaded(onTrouble);
    this.snippets = new Loaded(onTrouble);
  }

  /** Goes to the place that an address names. */
  come(place: EmbedPlace): void {
    this.came = place;
    this.visit(place);
  }

  /** Goes to a place in this room. */
  visit(place: EmbedPlace): void {
    batch(() => {
      if (place.choices.accent !== this.place.value.choices.accent) this.draft.value = null;
      this.place.value = place;
    });
    if (this.sites.value.value === null) void this.load();
    else {
      this.#arrive();
      this.#soon();
    }
  }

  choose(change: Partial<Choices>): void {
    const { value: place } = this.place;
    const choices = { ...place.choices, ...change };
    this.visit({ ...place, choices: this.#withoutDefaults(choices) });
  }

  /** What is written into the colour's field: chosen as soon as it is a colour. */
  writeAccent(text: string): void {
    const accent = text.trim() === "" ? "" : fullColor(text);
    if (accent !== undefined) this.choose({ accent });
    this.draft.value = accent === undefined ? text : null;
  }

  chooseSite(site: string): void {
    const { value: place } = this.place;
    const locales = this.sites.value.value?.find((one) => one.site === site)?.locales ?? [];
    const { choices } = place;
    const locale = locales.includes(choices.locale) ? choices.locale : "";
    this.visit({ ...place, site, choices: { ...choices, locale } });
  }

  /** Reads the sites, and what comes out. */
  async load(): Promise<void> {
    const sites = await this.sites.load(() => this.api.read("/v1/embed", readSites));
    if (sites === null) return;
    this.#arrive();
    await this.read();
  }

  /** Asks what comes out of what is chosen. */
  async read(): Promise<void> {
    this.#cancel();
    const path = this.#path();
    if (path === null) return;
    this.#asked = path;
    await this.snippets.load(() => this.api.read(path, readSnippets));
  }

  /** Forgets what was read, as at log-out. */
  clear(): void {
    this.#cancel();
    this.#asked = "";
    this.sites.clear();
    this.snippets.clear();
  }

  /** Names the site, so that the address can be given to others. */
  #arrive(): void {
    const { value: site } = this.site;
    const { value: place } = this.place;
    if (site !== null && place.site === null) this.place.value = { ...place, site: site.site };
  }

  #soon(): void {
    if (this.#path() === this.#asked) return;
    this.#cancel();
    this.#cancel = this.after(PAUSE_MS, () => void this.read());
  }

  #path(): string | null {
    const { value: site } = this.site;
    if (site === null) return null;
    const query = new URLSearchParams(chosen(this.place.value.choices)).toString();
    const path = `/v1/embed/${encodeURIComponent(site.site)}`;
    return query === "" ? path : `${path}?${query}`;
  }

  /** What the site has anyway is no choice. */
  #withoutDefaults(choices: Choices): Choices {
    const { value: site } = this.site;
    if (site === null) return choices;
    const accent = choices.accent === site.accent ? "" : choices.accent;
    const theme = choices.theme === site.theme ? "" : choices.theme;
    return { ...choices, accent, theme };
  }
}
