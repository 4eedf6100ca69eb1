/**
 * The personalities: which site, which one is open, what of it is unsaved, what a model would be told.
 *
 * Decides: what is read when one comes here, what stands open where nobody chose (the one in use), and that what a
 * model would be told is asked a moment after the last change. What was told last stays until there is something newer,
 * but never beside another personality; what gave trouble is asked again at the next look.
 */

import { batch, computed, signal } from "@preact/signals";
import type { Api, FieldFlaw, Trouble } from "../api";
import { Loaded } from "../knowledge/loaded";
import { PersonalityApi } from "./api";
import { type Draft, Drafts } from "./drafts";
import {
  BLANK,
  type Document,
  documentOf,
  type Flaw,
  type Form,
  flaws,
  formOf,
  same,
} from "./form";
import { NEW, NONE, PERSONALITY, type PersonalityPlace } from "./place";
import type { Item, Shown, SpeakingSite, Told, Tried } from "./wire";

const PAUSE_MS = 250;

export type About =
  | "saved"
  | "saved_in_use"
  | "undone"
  | "removed"
  | "restored"
  | "put_aside"
  | "used"
  | "used_none"
  | "reset"
  | "overtaken"
  | "failed";

/** A word after a deed; `trouble` is null when it went well. */
export interface Note {
  readonly about: About;
  readonly trouble: Trouble | null;
  readonly offer: { readonly does: "undo" | "again"; readonly run: () => void } | null;
}

export class PersonalityStore {
  readonly api: PersonalityApi;
  readonly place = signal<PersonalityPlace>(PERSONALITY);
  readonly sites: Loaded<readonly SpeakingSite[]>;
  readonly shown: Loaded<Shown>;
  readonly told: Loaded<Told>;
  readonly tried: Loaded<Tried>;
  readonly question = signal("");
  readonly note = signal<Note | null>(null);
  readonly drafts = new Drafts();
  /** Saving was tried: what is missing is now said. */
  readonly saving = signal(false);
  readonly saveTrouble = signal<Trouble | null>(null);
  /** The language in which it is shown what a model is told; null is the site's own. */
  readonly locale = signal<string | null>(null);

  readonly site = computed<SpeakingSite | null>(() => {
    const { value: sites } = this.sites.value;
    const { site } = this.place.value;
    const found = sites?.find((one) => site === null || one.site === site) ?? null;
    const read = this.shown.value.value?.site;
    return read !== undefined && read.site === found?.site ? read : found;
  });
  readonly items = computed<readonly Item[] | null>(() => {
    const { value: shown } = this.shown.value;
    return shown !== null && shown.site.site === this.site.value?.site ? shown.items : null;
  });
  /** What stands open: what was chosen from the list, else the one in use. */
  readonly name = computed<string>(() => this.place.value.name ?? this.site.value?.inUse ?? NONE);
  readonly item = computed<Item | null>(
    () => this.items.value?.find((one) => one.name === this.name.value) ?? null,
  );
  readonly draft = computed(() => this.drafts.of(this.#key, this.name.value));
  readonly form = computed<Form | null>(() => {
    const { value: item } = this.item;
    const kept = item?.personality ? formOf(item.personality) : null;
    return this.draft.value?.form ?? kept;
  });
  readonly isChanged = computed(() => {
    const { value: draft } = this.draft;
    const { value: item } = this.item;
    if (draft === null) return false;
    return this.name.value === NEW || !same(draft.form, formOf(item?.personality ?? {}));
  });
  /** It was changed by somebody after the unsaved text was begun. */
  readonly isBehind = computed(() => {
    const { value: item } = this.item;
    const basedOn = this.draft.value?.basedOn ?? null;
    return this.isChanged.value && item !== null && basedOn !== null && basedOn !== item.number;
  });
  readonly flaws = computed<readonly Flaw[]>(() => {
    const { value: form } = this.form;
    const { value: shown } = this.shown.value;
    if (form === null || shown === null || !this.isChanged.value) return [];
    const own = flaws(form, shown.limits, shown.mostTexts);
    const said = this.saving.value ? own : own.filter(({ about }) => about !== "missing");
    const known = new Set(said.map(({ field }) => field));
    return [...said, ...this.#told().filter(({ field }) => !known.has(field))];
  });

  #asked = "";
  /** Of which one it was asked. */
  #whose = "";
  #cancel = (): void => {};

  /** @param onShow told that another one stands open, other than by a link. */
  constructor(
    api: Api,
    readonly after: (ms: number, then: () => void) => () => void,
    readonly onTrouble: (trouble: Trouble) => void,
    private readonly onShow: (name: string | null) => void,
  ) {
    this.api = new PersonalityApi(api);
    this.sites = new Loaded(onTrouble);
    this.shown = new Loaded(onTrouble);
    this.told = new Loaded(onTrouble);
    this.tried = new Loaded(onTrouble);
  }

  /** Goes to a place in this room. */
  visit(place: PersonalityPlace): void {
    batch(() => {
      const before = this.place.value;
      if (before.name !== place.name || before.site !== place.site) this.calm();
      this.place.value = place;
    });
    if (this.sites.value.value === null) void this.load();
    else this.#arrive();
  }

  /** Opens one, or the list. */
  show(name: string | null): void {
    this.visit({ ...this.place.value, name });
    this.onShow(name);
  }

  /** Reads the sites, and the one that is shown. */
  async load(): Promise<void> {
    if ((await this.sites.load(() => this.api.sites())) !== null) this.#arrive();
    else if (this.items.value !== null) await this.read();
  }

  /** Reads the site that is shown again. */
  async read(): Promise<void> {
    const site = this.#key;
    if (site === null) return;
    await this.shown.load(() => this.api.shown(site));
    this.#soon();
  }

  /** The gateway says that a site speaks otherwise. */
  hear(site: string): void {
    if (this.shown.value.value !== null && site === this.#key) void this.read();
  }

  write(form: Form): void {
    const site = this.#key;
    if (site === null) return;
    const basedOn = this.draft.value?.basedOn ?? this.item.value?.number ?? null;
    this.saveTrouble.value = null;
    this.drafts.keep(site, this.name.value, { form, basedOn });
    this.#soon(PAUSE_MS);
  }

  /** Begins one of the site's own, like another; one that was begun before is offered back. */
  begin(like: Document | null): void {
    const site = this.#key;
    if (site === null) return;
    const before = this.drafts.of(site, NEW);
    const form = like === null ? BLANK : formOf(like);
    this.drafts.keep(site, NEW, { form, basedOn: null });
    this.#whose = ""; // not the one that was begun before
    this.show(NEW);
    if (before !== null && !same(before.form, form)) this.#offerBack(site, NEW, before);
  }

  /** Throws the unsaved text away, and offers it back. */
  discard(): void {
    const site = this.#key;
    const { value: draft } = this.draft;
    const { value: name } = this.name;
    if (site === null || draft === null) return;
    this.calm();
    this.drafts.drop(site, name);
    if (name === NEW) this.show(null);
    this.#soon();
    this.#offerBack(site, name, draft);
  }

  /** The unsaved text is meant to stand instead of what is there now. */
  insist(): void {
    const site = this.#key;
    const { value: draft } = this.draft;
    const { value: item } = this.item;
    if (site === null || draft === null || item === null) return;
    this.drafts.keep(site, item.name, { ...draft, basedOn: item.number });
  }

  /** Asks the question, of what is written or open. */
  async attempt(): Promise<void> {
    const site = this.#key;
    const { value: form } = this.form;
    const question = this.question.value.trim();
    if (site === null || question === "" || this.tried.loading.value) return;
    const locale = this.localeShown();
    const document = form === null ? null : documentOf(form);
    await this.tried.load(() => this.api.attempt(site, question, locale, document));
  }

  /** The language that is looked at. */
  localeShown(): string {
    const { value: site } = this.site;
    const { value: locale } = this.locale;
    if (locale !== null && site?.locales.includes(locale)) return locale;
    return site?.defaultLocale ?? "en";
  }

  say(note: Note): void {
    this.note.value = note;
  }

  /** Nothing is wrong with it now. */
  calm(): void {
    this.saving.value = false;
    this.saveTrouble.value = null;
    this.tried.clear();
  }

  /** Forgets what was read, as at log-out. Unsaved text stays. */
  clear(): void {
    batch(() => {
      this.#cancel();
      this.#asked = "";
      this.#whose = "";
      this.note.value = null;
      this.calm();
      this.told.clear();
      this.shown.clear();
      this.sites.clear();
    });
  }

  /** Another operator comes. */
  forget(): void {
    this.drafts.forget();
    this.question.value = "";
  }

  get #key(): string | null {
    return this.site.value?.site ?? null;
  }

  #told(): readonly Flaw[] {
    const told: readonly FieldFlaw[] = this.saveTrouble.value?.flaws ?? [];
    return told.map(({ field, detail }) => ({
      field: plain(field),
      about: "told",
      most: 0,
      detail,
    }));
  }

  #offerBack(site: string, name: string, draft: Draft): void {
    const run = (): void => {
      this.drafts.keep(site, name, draft);
      this.visit({ room: "personality", site, name });
      this.onShow(name);
    };
    this.say({ about: "put_aside", trouble: null, offer: { does: "undo", run } });
  }

  /** Names the site, so that the address can be given to others, and reads it. */
  #arrive(): void {
    const site = this.#key;
    const { value: place } = this.place;
    if (site === null) return;
    if (place.site === null) this.place.value = { ...place, site };
    if (place.name === NEW && !this.drafts.begun(site)) {
      this.drafts.keep(site, NEW, { form: BLANK, basedOn: null });
    }
    if (this.items.value === null) void this.read();
    else this.#soon();
  }

  #soon(pause = 0): void {
    const site = this.#key;
    const { value: form } = this.form;
    if (site === null || form === null) return;
    const document = documentOf(form);
    const asked = JSON.stringify([site, document]);
    const whose = JSON.stringify([site, this.name.value]);
    const isAnother = whose !== this.#whose;
    this.#whose = whose;
    if (asked === this.#asked) return;
    this.#cancel();
    if (isAnother) this.told.clear();
    this.#asked = asked;
    this.#cancel = this.after(pause, () => void this.#ask(site, document));
  }

  async #ask(site: string, document: Document): Promise<void> {
    const asked = this.#asked;
    await this.told.load(() => this.api.told(site, document));
    if (asked === this.#asked && this.told.trouble.value !== null) this.#asked = "";
  }
}

/** A list's field, of what is wrong with one of its lines. */
function plain(field: string): string {
  return field.replace(/\[\d+\]$/, "");
}
