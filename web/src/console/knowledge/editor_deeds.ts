/**
 * What an operator does to the open entry: save, take back, remove.
 *
 * Decides: what is shown afterwards. Removing is not asked about: it is offered back.
 * Refuses: to send what lacks something, to drop what was typed while a save was under way, and to
 * show of one site what was done to another. What somebody else made of an entry meanwhile is
 * written over only when that was asked for.
 */

import { batch, signal } from "@preact/signals";
import { Trouble } from "../api";
import { type EntryKey, sameEntry } from "../navigation";
import type { EditorStore } from "./editor_store";
import { type Form, flaws, formOf, same, textOf, withVariant } from "./form";
import { type About, doing, type Reach } from "./reach";
import type { Key } from "./unsaved";
import type { Entry } from "./wire";

/** How the type of the problem ends where another edit stands than the text was made of. */
const CHANGED = "entry-changed";

export class EditorDeeds {
  readonly busy = signal(false);
  #saving: Promise<boolean> | null = null;

  constructor(
    private readonly reach: Reach,
    private readonly editor: EditorStore,
  ) {}

  /**
   * Saves into the draft, or waits for the save that is under way. Gives false where something is
   * missing, or it did not work.
   *
   * @param about what is said of it.
   */
  save(about: About = "saved"): Promise<boolean> {
    this.#saving ??= this.#save(about).finally(() => {
      this.#saving = null;
    });
    return this.#saving;
  }

  async #save(about: About): Promise<boolean> {
    const { editor } = this;
    const { value: key } = editor.key;
    const { value: form } = editor.form;
    const { value: site } = this.reach.site;
    if (site === null || key === null || form === null || this.busy.value) return false;
    if (!editor.isChanged.value) return true;
    editor.tried.value = true;
    if (flaws(form).length > 0) return false;
    this.busy.value = true;
    editor.saveTrouble.value = null;
    try {
      this.#saved(site, key, form, await this.#send(site, key, form), about);
      return true;
    } catch (trouble) {
      if (!(trouble instanceof Trouble)) throw trouble;
      await this.#notSaved(site, key, trouble);
      return false;
    } finally {
      this.busy.value = false;
    }
  }

  /** Saves the text over what somebody else made of the entry meanwhile. */
  async overwrite(): Promise<boolean> {
    this.editor.insist();
    return this.save();
  }

  async #notSaved(site: string, key: Key, trouble: Trouble): Promise<void> {
    const { editor } = this;
    this.reach.onTrouble(trouble);
    if (!this.#isOpen(site, key)) {
      this.reach.say({ about: "failed", trouble, offer: null });
      return;
    }
    const changed = trouble.type.endsWith(CHANGED);
    if (changed) await editor.read();
    if (!changed || !editor.isBehind.value) editor.saveTrouble.value = trouble;
  }

  /** Makes a question another way to ask this entry; saved at once where nothing else waits. */
  async addVariant(question: string): Promise<void> {
    const { value: form } = this.editor.form;
    if (form === null) return;
    const waits = this.editor.isChanged.value;
    this.editor.write(withVariant(form, question));
    if (waits) this.#say("variant_written");
    else await this.save("variant");
  }

  /** Takes back the newest edit of the open entry. */
  async undo(): Promise<void> {
    const { value: key } = this.editor.key;
    const { value: form } = this.editor.form;
    if (key === null || key === "new" || form === null) return;
    const removed = this.editor.entry.value?.state === "removed";
    const others = this.editor.languages.value.value?.filter((locale) => locale !== key.locale);
    const as = others?.length ? key : "new";
    await this.#takeBack(key, form, removed ? "restored" : "undone", as);
  }

  /**
   * @param text what the edit wrote: unsaved again where the entry is gone with the edit.
   * @param as how it is begun then: a translation stays one.
   */
  async #takeBack(key: EntryKey, text: Form, about: About, as: Key = "new"): Promise<void> {
    await this.#working(
      async (site) => {
        const entry = await this.reach.api.undo(site, key);
        const written = this.editor.unsaved.at(site).of(key) ?? text;
        this.#became(site, key, entry);
        if (this.#isAt(site)) this.#say(about);
        if (entry === null) this.#unmade(site, written, as);
      },
      () => void this.#takeBack(key, text, about, as),
    );
  }

  async remove(): Promise<void> {
    const { value: before } = this.editor.entry;
    const { value: written } = this.editor.form;
    if (before === null || written === null) return;
    await this.#working(
      async (site) => {
        const entry = await this.reach.api.remove(site, before);
        this.#became(site, before, entry);
        if (!this.#isAt(site)) return;
        if (entry === null) this.#say("dropped", () => void this.#revive(before, written));
        else this.#say("removed", () => void this.#takeBack(before, formOf(before), "restored"));
      },
      () => void this.remove(),
    );
  }

  /** What a save had made is unsaved again; what was begun meanwhile is offered back. */
  #unmade(site: string, form: Form, as: Key = "new"): void {
    const unsaved = this.editor.unsaved.at(site);
    if (as !== "new") {
      unsaved.keep(as, form, { fresh: true });
      if (this.#isAt(site)) this.editor.ports.show(as);
    } else if (this.#isAt(site)) this.editor.begin(form);
    else if (unsaved.begun() === null) unsaved.keep("new", form);
  }

  /** Takes back the removal of an entry that is gone with it, and its unsaved text. */
  async #revive(entry: Entry, written: Form): Promise<void> {
    await this.#working(
      async (site) => {
        const back = await this.reach.api.undo(site, entry);
        this.reach.draftChanged("entry");
        if (back === null) return this.#unmade(site, written);
        if (!same(written, formOf(back))) this.#keepOn(site, back, written);
        if (!this.#isAt(site)) return;
        this.editor.ports.onMade(back);
        this.editor.ports.show({ id: back.id, locale: back.locale });
      },
      () => void this.#revive(entry, written),
    );
  }

  async #working(act: (site: string) => Promise<void>, again: () => void): Promise<void> {
    if (this.busy.value) return;
    this.busy.value = true;
    await doing(this.reach, act, again);
    this.busy.value = false;
  }

  #send(site: string, key: Key, form: Form): Promise<Entry> {
    const { api } = this.reach;
    if (key === "new") return api.add(site, form.locale, textOf(form), null);
    if (this.editor.unsaved.isFresh(key)) return api.add(site, form.locale, textOf(form), key.id);
    return api.save(site, key, textOf(form), this.editor.unsaved.at(site).basedOn(key));
  }

  #saved(site: string, key: Key, sent: Form, entry: Entry, about: About): void {
    const made = this.editor.unsaved.at(site).isFresh(key);
    batch(() => {
      this.#settle(site, key, sent, entry);
      if (this.#isAt(site)) this.#showSaved(key, entry, made);
    });
    this.reach.draftChanged("entry");
    if (!this.#isAt(site)) return;
    void this.editor.read();
    const { id, locale } = entry;
    this.#say(about, () => void this.#takeBack({ id, locale }, sent, "undone", made ? key : "new"));
  }

  /** What was sent is not unsaved any more; what was typed meanwhile is. */
  #settle(site: string, key: Key, sent: Form, entry: Entry): void {
    const unsaved = this.editor.unsaved.at(site);
    const typed = unsaved.of(key);
    unsaved.drop(key);
    if (typed !== null && !same(typed, sent)) this.#keepOn(site, entry, typed);
  }

  /** Text that goes on from the entry as it is now. */
  #keepOn(site: string, entry: Entry, form: Form): void {
    const about = { fresh: false, basedOn: entry.number };
    this.editor.unsaved.at(site).keep(entry, form, about);
  }

  #showSaved(key: Key, entry: Entry, made: boolean): void {
    const { editor } = this;
    if (made) editor.ports.onMade(entry);
    else editor.ports.onEntry(entry);
    if (!sameEntry(editor.key.value, key)) return;
    editor.calm();
    const before = editor.story.value.value;
    editor.story.put({ entry, history: before?.history ?? [], file: before?.file ?? null });
    if (key === "new") editor.becomes({ id: entry.id, locale: entry.locale });
  }

  /** What an undo or a removal made of an entry; null where it is gone. */
  #became(site: string, key: EntryKey, entry: Entry | null): void {
    const unsaved = this.editor.unsaved.at(site);
    const before = this.#isAt(site) ? this.editor.known(key) : null;
    batch(() => {
      if (entry === null) unsaved.drop(key);
      else if (before !== null) unsaved.rebase(key, before.number, entry.number);
      if (this.#isAt(site)) this.#showChanged(key, entry);
    });
    this.reach.draftChanged("entry");
  }

  #showChanged(key: EntryKey, entry: Entry | null): void {
    const { editor } = this;
    if (entry === null) {
      editor.ports.onGone(key);
      if (sameEntry(editor.key.value, key)) editor.ports.show(null);
      return;
    }
    editor.ports.onEntry(entry);
    editor.take(entry);
  }

  #isAt(site: string): boolean {
    return this.reach.site.value === site;
  }

  #isOpen(site: string, key: Key): boolean {
    return this.#isAt(site) && sameEntry(this.editor.key.value, key);
  }

  #say(about: About, undo: (() => void) | null = null): void {
    this.reach.say({ about, trouble: null, offer: undo && { does: "undo", run: undo } });
  }
}
