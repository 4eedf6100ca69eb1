/**
 * The knowledge room: which site, which page, what is being built.
 *
 * Decides: what is read when one comes to a site or a page, how a build is followed (the live line
 * says when to look; a clock looks all the same), and what is read again once the draft changed.
 */

import { batch, computed, signal } from "@preact/signals";
import type { Api, Trouble } from "../api";
import { KNOWLEDGE, type KnowledgePlace, sameEntry } from "../navigation";
import { KnowledgeApi } from "./api";
import { CheckStore } from "./check_store";
import { EditorDeeds } from "./editor_deeds";
import { EditorStore } from "./editor_store";
import { EntriesStore } from "./entries_store";
import { ImportStore } from "./import_store";
import { Loaded } from "./loaded";
import { doing, type Note, type Reach } from "./reach";
import { TrialStore } from "./trial_store";
import { UnansweredStore } from "./unanswered_store";
import type { Key } from "./unsaved";
import type { Mark, Site } from "./wire";

const WATCH_MS = 1_500;

export class KnowledgeStore {
  readonly place = signal<KnowledgePlace>(KNOWLEDGE);
  readonly note = signal<Note | null>(null);
  readonly sites: Loaded<readonly Site[]>;
  readonly marks: Loaded<readonly Mark[]>;
  readonly site = computed<Site | null>(() => {
    const { value: sites } = this.sites.value;
    const { site } = this.place.value;
    return sites?.find((one) => site === null || one.site === site) ?? null;
  });
  readonly entries: EntriesStore;
  /** The list in which an entry is looked for, beside the one on the page. */
  readonly finder: EntriesStore;
  readonly editor: EditorStore;
  readonly deeds: EditorDeeds;
  readonly trial: TrialStore;
  readonly unanswered: UnansweredStore;
  readonly check: CheckStore;
  readonly importer: ImportStore;

  readonly #reach: Reach;
  #at: string | null = null;
  #cancel = (): void => {};

  /** @param onShow told which entry was opened, or which closed, other than by a link. */
  constructor(
    api: Api,
    after: Reach["after"],
    onTrouble: (trouble: Trouble) => void,
    private readonly onShow: (before: Key | null, now: Key | null) => void,
  ) {
    const reach: Reach = {
      api: new KnowledgeApi(api),
      site: computed(() => this.site.value?.site ?? null),
      after,
      onTrouble,
      say: (note) => {
        this.note.value = note;
      },
      draftChanged: (extent) => this.#draftChanged(extent),
    };
    this.#reach = reach;
    this.sites = new Loaded(onTrouble);
    this.marks = new Loaded(onTrouble);
    this.entries = new EntriesStore(reach);
    this.finder = new EntriesStore(reach);
    this.editor = new EditorStore(reach, {
      known: (key) => this.entries.named(key),
      onEntry: (entry) => this.entries.put(entry),
      onMade: (entry) => this.entries.add(entry),
      onGone: (key) => this.entries.drop(key),
      show: (entry) => this.show(entry),
      onMove: (entry) => {
        this.place.value = { ...this.place.value, entry };
      },
      locale: () => this.site.value?.defaultLocale ?? "en",
    });
    this.deeds = new EditorDeeds(reach, this.editor);
    this.trial = new TrialStore(reach, () => this.editor.form.value?.locale ?? null);
    this.unanswered = new UnansweredStore(reach, {
      unsaved: this.editor.unsaved,
      onEntry: (entry) => {
        this.entries.put(entry);
        this.editor.take(entry);
      },
      show: (entry) => this.show(entry),
    });
    this.check = new CheckStore(reach);
    this.importer = new ImportStore(reach);
  }

  /** Goes to a place in this room. */
  visit(place: KnowledgePlace): void {
    this.place.value = place;
    if (this.sites.value.value === null) void this.load();
    else this.#arrive();
  }

  /** Opens an entry, or none. */
  show(entry: Key | null): void {
    const { entry: before } = this.place.value;
    this.visit({ ...this.place.value, page: "entries", entry });
    this.onShow(before, entry);
  }

  /** Reads the sites, and what the place needs. */
  async load(): Promise<void> {
    const before = this.site.value;
    const sites = await this.sites.load(() => this.#reach.api.sites());
    if (sites === null) return this.#watch();
    this.#arrive();
    this.#follow(before);
  }

  /** The gateway says that something about this site is new: its build, its check, its marks. */
  hear(site: string): void {
    if (this.#at !== site) return;
    void this.load();
    if (this.check.findings.value.value !== null) void this.check.load();
  }

  /** Reads again what may have changed while the line was down. */
  async catchUp(): Promise<void> {
    if (this.#at === null) return;
    await Promise.all([this.load(), this.entries.load()]);
  }

  async publish(): Promise<void> {
    const { value: site } = this.site;
    if (site === null || site.building !== null) return;
    this.#put({ ...site, building: { step: "reading", share: 0 }, failed: null });
    const building = await doing(
      this.#reach,
      (key) => this.#reach.api.publish(key),
      () => void this.publish(),
    );
    if (building === undefined) return this.#put(site);
    this.#put({ ...site, building, failed: null });
    this.#watch();
  }

  /** Declares how many of the questions the site has no answer to. */
  async declare(outOfScope: number): Promise<void> {
    const { value: before } = this.site;
    if (before === null || before.outOfScope === outOfScope) return;
    this.#put({ ...before, outOfScope });
    const site = await doing(
      this.#reach,
      (key) => this.#reach.api.prior(key, outOfScope),
      () => void this.declare(outOfScope),
    );
    this.#put(site ?? before);
    if (site !== undefined) void this.trial.again();
  }

  async readMarks(): Promise<void> {
    const { value: site } = this.#reach.site;
    if (site !== null) await this.marks.load(() => this.#reach.api.marks(site));
  }

  async unmark(mark: Mark): Promise<void> {
    const { value: before } = this.marks.value;
    const { value: at } = this.#reach.site;
    if (before === null) return;
    this.marks.put(before.filter((other) => other.id !== mark.id));
    const done = await doing(
      this.#reach,
      async (site) => {
        await this.#reach.api.unmark(site, mark.id);
        return true;
      },
      () => void this.unmark(mark),
    );
    if (!done) {
      if (this.#reach.site.value === at) this.marks.put(before);
      return;
    }
    void this.load();
    void this.unanswered.catchUp("marks");
  }

  /** Forgets what was read, as at log-out. Unsaved text stays. */
  clear(): void {
    batch(() => {
      this.#leave();
      this.sites.clear();
    });
  }

  /** Another operator comes. */
  forget(): void {
    this.editor.unsaved.forget();
    this.trial.clear();
    this.note.value = null;
  }

  #leave(): void {
    this.#cancel();
    this.#at = null;
    this.note.value = null;
    for (const store of [
      this.entries,
      this.finder,
      this.editor,
      this.trial,
      this.unanswered,
      this.check,
      this.importer,
      this.marks,
    ]) {
      store.clear();
    }
  }

  /** Reads what the place shows and was not read yet. */
  #arrive(): void {
    const { value: site } = this.#reach.site;
    if (site === null) return;
    if (site !== this.#at) {
      this.#leave();
      this.#at = site;
      void this.entries.load();
    }
    if (this.place.value.site === null) this.place.value = { ...this.place.value, site };
    const { page, entry } = this.place.value;
    const other = page === "entries" && !sameEntry(entry, this.editor.key.value);
    if (other) void this.editor.open(entry);
    if (page === "unanswered" && this.unanswered.all.value.value === null) {
      void this.unanswered.load();
    }
    if (page === "check" && this.check.findings.value.value === null) void this.check.load();
  }

  #follow(before: Site | null): void {
    const { value: now } = this.site;
    this.#watch();
    if (now === null || now.building !== null || now.failed !== null) return;
    if (before?.site !== now.site || before.building === null) return;
    this.note.value = { about: "published", trouble: null, offer: null };
    void this.entries.load();
    void this.editor.read();
    void this.unanswered.catchUp("published");
  }

  /** Looks again in a while, for as long as something is being built. */
  #watch(): void {
    this.#cancel();
    if (!this.site.value?.building) return;
    this.#cancel = this.#reach.after(WATCH_MS, () => void this.load());
  }

  #draftChanged(extent: "entry" | "all"): void {
    void this.load();
    void this.trial.again();
    if (extent === "entry") return;
    void this.entries.load();
    void this.editor.read();
  }

  #put(site: Site): void {
    const { value: sites } = this.sites.value;
    if (sites === null) return;
    this.sites.put(sites.map((one) => (one.site === site.site ? site : one)));
  }
}
