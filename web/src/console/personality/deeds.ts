/**
 * What an operator does to personalities: save, take back, remove, choose.
 *
 * Decides: what is shown afterwards. Removing, taking back and choosing are not asked about: they are offered back.
 * Refuses: to send what lacks something, to drop what was typed while a save was under way, to write over what
 * somebody else made meanwhile unless that was asked for, and to take that back.
 */

import { batch, signal } from "@preact/signals";
import { Trouble } from "../api";
import { REMOVED } from "./api";
import { type Document, documentOf, type Form, same } from "./form";
import { NEW } from "./place";
import type { About, Note, PersonalityStore } from "./store";
import type { Item } from "./wire";

/** How the type of the problem ends where another edit stands than the text was made of. */
const CHANGED = "personality-changed";

export class PersonalityDeeds {
  readonly busy = signal(false);

  constructor(private readonly store: PersonalityStore) {}

  /** Saves what is written. Gives false where something is missing, or it did not work. */
  async save(): Promise<boolean> {
    const { store } = this;
    const { value: form } = store.form;
    const { value: name } = store.name;
    const site = store.site.value?.site;
    if (site === undefined || form === null || this.busy.value) return false;
    if (!store.isChanged.value) return true;
    store.saving.value = true;
    if (store.flaws.value.length > 0) return false;
    this.busy.value = true;
    store.saveTrouble.value = null;
    try {
      const basedOn = store.draft.value?.basedOn ?? null;
      const item =
        name === NEW
          ? await store.api.add(site, documentOf(form))
          : await store.api.save(site, name, documentOf(form), basedOn);
      await this.#saved(site, name, form, item);
      return true;
    } catch (trouble) {
      if (!(trouble instanceof Trouble)) throw trouble;
      store.onTrouble(trouble);
      const changed = isOvertaken(trouble);
      if (changed) await store.read();
      if (!changed || !store.isBehind.value) store.saveTrouble.value = trouble;
      return false;
    } finally {
      this.busy.value = false;
    }
  }

  /** Saves the text over what somebody else made meanwhile. */
  async overwrite(): Promise<boolean> {
    this.store.insist();
    return this.save();
  }

  /**
   * Takes back the newest edit of one, and offers what it said.
   *
   * @param basedOn the number of that edit, {@link REMOVED} for a removal: no other is taken back.
   */
  async undo(name: string, basedOn: number): Promise<void> {
    const { store } = this;
    const former = store.items.value?.find((one) => one.name === name)?.personality ?? null;
    await this.#doing(
      async (site) => {
        const item = await store.api.undo(site, name, basedOn);
        this.#rebase(site, name, item);
        await store.read();
        if (basedOn === REMOVED) {
          store.show(name);
          return this.#say("restored");
        }
        if (item === null && store.name.value === name) store.show(null);
        this.#say("undone", former && (() => void this.#redo(name, former, item)));
      },
      () => void this.undo(name, basedOn),
    );
  }

  /** Keeps what an edit said that was taken back, over what stood then; as a new one where nothing did. */
  async #redo(name: string, former: Document, below: Item | null): Promise<void> {
    const { store } = this;
    await this.#doing(
      async (site) => {
        const item =
          below === null
            ? await store.api.add(site, former)
            : await store.api.save(site, name, former, below.number);
        if (below !== null) this.#rebase(site, name, item);
        await store.read();
        store.show(item.name);
        this.#say("restored", item.undoable ? () => void this.undo(item.name, item.number) : null);
      },
      () => void this.#redo(name, former, below),
    );
  }

  async remove(): Promise<void> {
    const { value: item } = this.store.item;
    if (item === null) return;
    await this.#doing(
      async (site) => {
        await this.store.api.remove(site, item.name);
        this.store.drafts.drop(site, item.name);
        await this.store.read();
        this.store.show(null);
        this.#say("removed", () => void this.undo(item.name, REMOVED));
      },
      () => void this.remove(),
    );
  }

  /** @param name null: the chat speaks as its model does. */
  async use(name: string | null): Promise<void> {
    const before = this.store.site.value?.chosen ?? null;
    await this.#doing(
      async (site) => {
        await this.store.api.use(site, name);
        await this.store.read();
        const back = before === null ? () => this.reset() : () => this.use(before.name);
        this.#say(name === null ? "used_none" : "used", () => void back());
      },
      () => void this.use(name),
    );
  }

  /** Lets fanlight.toml choose again. */
  async reset(): Promise<void> {
    const before = this.store.site.value?.chosen ?? null;
    await this.#doing(
      async (site) => {
        await this.store.api.reset(site);
        await this.store.read();
        this.#say("reset", before && (() => void this.use(before.name)));
      },
      () => void this.reset(),
    );
  }

  async #saved(site: string, name: string, sent: Form, item: Item): Promise<void> {
    const { store } = this;
    const typed = store.drafts.of(site, name)?.form ?? null;
    batch(() => {
      store.drafts.drop(site, name);
      if (typed !== null && !same(typed, sent)) {
        store.drafts.keep(site, item.name, { form: typed, basedOn: item.number });
      }
      store.shown.amend((shown) => ({
        ...shown,
        items: [...shown.items.filter((one) => one.name !== item.name), item],
      }));
      store.saving.value = false;
    });
    if (name === NEW && store.name.value === NEW) store.show(item.name);
    await store.read();
    const inUse = store.site.value?.inUse === item.name;
    const offer = item.undoable ? () => void this.undo(item.name, item.number) : null;
    this.#say(inUse ? "saved_in_use" : "saved", offer);
  }

  /** What was typed meanwhile goes on from what is there now; where nothing is, as a new one. */
  #rebase(site: string, name: string, item: Item | null): void {
    const { drafts } = this.store;
    const typed = drafts.of(site, name);
    if (typed === null) return;
    if (item === null) drafts.drop(site, name);
    drafts.keep(site, item?.name ?? NEW, { form: typed.form, basedOn: item?.number ?? null });
  }

  async #doing(act: (site: string) => Promise<void>, again: () => void): Promise<void> {
    const site = this.store.site.value?.site;
    if (site === undefined || this.busy.value) return;
    this.busy.value = true;
    try {
      await act(site);
    } catch (trouble) {
      if (!(trouble instanceof Trouble)) throw trouble;
      await this.#failed(trouble, again);
    } finally {
      this.busy.value = false;
    }
  }

  async #failed(trouble: Trouble, again: () => void): Promise<void> {
    const { store } = this;
    const overtaken = isOvertaken(trouble);
    if (overtaken) store.say({ about: "overtaken", trouble, offer: null });
    else store.say({ about: "failed", trouble, offer: this.#offer("again", again) });
    store.onTrouble(trouble);
    if (overtaken) await store.read();
  }

  #say(about: About, undo: (() => void) | null = null): void {
    this.store.say({ about, trouble: null, offer: undo && this.#offer("undo", undo) });
  }

  /** What is offered is about the site that is shown now, wherever one is by then. */
  #offer(does: "undo" | "again", run: () => void): Note["offer"] {
    const { store } = this;
    const { site } = store.place.value;
    const back = (): void => {
      if (store.place.value.site !== site) store.visit({ room: "personality", site, name: null });
      run();
    };
    return { does, run: back };
  }
}

/** Another edit stands than the one that was seen. */
function isOvertaken(trouble: Trouble): boolean {
  return trouble.type.endsWith(CHANGED);
}
