/**
 * Consent, and everything that follows from it.
 *
 * Decides: where the key, the conversation and the unsent escalations live: in this tab, or in the browser.
 * Refuses: to store anything before the visitor agreed; to leave anything behind once consent is withdrawn.
 */
import type { Locale } from "../i18n/locale.ts";
import type { SignedCalls } from "../trust/calls.ts";
import type { Clock } from "../trust/clock.ts";
import { makeId } from "../trust/ids.ts";
import type { ConsentRecord } from "../vault/consent.ts";
import { type Database, memoryDatabase } from "../vault/store.ts";
import { emptyKept, owned, talksOf } from "../vault/talks.ts";
import type { Vault } from "../vault/vault.ts";
import type { Escalations } from "./escalations.ts";
import type { Feedback } from "./feedback.ts";
import type { Gateway } from "./gateway.ts";
import { parseTheme, type Theme } from "./look.ts";
import type { Replies } from "./replies.ts";
import type { KeyRing } from "./ring.ts";
import type { PanelState } from "./state.ts";

export interface MemoryOptions {
  readonly state: PanelState;
  readonly vault: Vault;
  readonly consent: ConsentRecord;
  readonly ring: KeyRing;
  readonly calls: SignedCalls;
  readonly gateway: Pick<Gateway, "erase" | "held">;
  readonly escalations: Escalations;
  readonly feedback: Feedback;
  readonly replies: Replies;
  readonly clock: Clock;
  readonly openDatabase: () => Promise<Database>;
  /** Removes the service worker and its caches. */
  readonly goOnlineOnly: () => Promise<unknown>;
}

export class Memory {
  #database: Database = memoryDatabase();

  constructor(private readonly options: MemoryOptions) {}

  /** Takes up an earlier visit's consent, if there was one. */
  async resume(): Promise<boolean> {
    const choice = this.options.consent.read();
    if (!choice) return false;
    if (choice.theme) this.options.state.theme.value = parseTheme(choice.theme);
    this.options.state.voice.value = choice.voice === true;
    this.options.state.model.value = choice.model;
    await this.accept(choice.training);
    return true;
  }

  /** The visitor agreed to memory: what this tab holds moves into the browser. */
  async accept(training: boolean): Promise<void> {
    const { state, vault, ring, escalations, feedback, calls, replies, openDatabase } =
      this.options;
    state.consent.value = { memory: true, training };
    this.#writeChoice();
    this.#database = await openDatabase().catch(memoryDatabase);
    await ring.keepIn(this.#database.keys);
    const { keeping, corrupt } = vault.open();
    await this.#ownConversations();
    await escalations.moveTo(this.#database.outbox);
    await feedback.moveTo(this.#database.feedback);
    calls.reset();
    state.keeping.value = keeping;
    if (keeping === "refused") state.notice.value = "notice.refused";
    else if (corrupt) state.notice.value = "notice.corrupt";
    void escalations.flush();
    void feedback.flush();
    replies.start();
  }

  /** The visitor declined: everything works, in this tab only. */
  async decline(): Promise<void> {
    this.options.state.consent.value = { memory: false, training: false };
    await this.#ownConversations();
  }

  /** Keeps the visitor's language, where keeping is allowed. */
  async chooseLocale(locale: Locale): Promise<void> {
    this.options.state.localeChosen.value = true;
    await this.options.state.speak(locale);
    if (this.options.state.consent.value?.memory) this.#writeChoice(locale);
  }

  /** Keeps how the visitor wants the panel to look, where keeping is allowed. */
  chooseTheme(theme: Theme): void {
    this.options.state.theme.value = theme;
    if (this.options.state.consent.value?.memory) this.#writeChoice();
  }

  /** Keeps that the browser may send sound to its maker, where keeping is allowed. */
  allowVoice(): void {
    this.options.state.voice.value = true;
    if (this.options.state.consent.value?.memory) this.#writeChoice();
  }

  /** Keeps which model the visitor wants on this device, where keeping is allowed; or that none is. */
  wantModel(id: string | undefined): void {
    this.options.state.model.value = id;
    if (this.options.state.consent.value?.memory) this.#writeChoice();
  }

  /** Empties the open conversation. */
  async clear(): Promise<void> {
    const { vault, replies, clock, state } = this.options;
    replies.stop();
    state.troubles.value = [];
    await vault.clear(makeId("c", clock), clock.now());
    replies.start();
    state.notice.value = "notice.cleared";
  }

  /** Withdraws consent: nothing of ours stays in the browser. */
  async forget(): Promise<void> {
    const { vault, consent, ring, calls, escalations, feedback } = this.options;
    const { goOnlineOnly, state, replies, clock } = this.options;
    replies.stop();
    const fresh = memoryDatabase();
    await escalations.moveTo(fresh.outbox);
    // Without memory the gateway holds no answer that a mark could be about.
    await feedback.drop();
    await feedback.moveTo(fresh.feedback);
    vault.forget();
    consent.forget();
    await this.#database.remove().catch(() => undefined);
    await goOnlineOnly().catch(() => undefined);
    ring.forget();
    calls.reset();
    state.consent.value = { memory: false, training: false };
    state.voice.value = false;
    state.model.value = undefined;
    state.keeping.value = "tab";
    await vault.update(() => emptyKept(makeId("c", clock)));
    await this.#ownConversations();
    state.notice.value = "notice.forgotten";
  }

  /** A page of what the server holds of this visitor; rejects where it cannot be had. */
  async held(cursor: string | null, stop: AbortSignal): Promise<unknown> {
    return this.options.gateway.held(cursor, stop);
  }

  /** Has all of it erased, on the server first: while that cannot be had, nothing is lost here. */
  async erase(): Promise<void> {
    const { state, gateway, escalations, feedback, replies } = this.options;
    state.notice.value = "notice.erasing";
    replies.stop();
    try {
      await gateway.erase();
    } catch {
      state.notice.value = "notice.unerased";
      replies.start();
      return;
    }
    await escalations.drop();
    await feedback.drop();
    await this.forget();
    state.notice.value = "notice.erased";
  }

  #writeChoice(locale?: Locale): void {
    const { consent, state } = this.options;
    const choice = state.consent.value ?? { memory: false, training: false };
    const here = state.localeChosen.value ? state.locale.value : undefined;
    const chosen = locale ?? here ?? consent.read()?.locale;
    const { theme, config } = state;
    const look = theme.value === config.theme ? undefined : theme.value;
    const voice = state.voice.value || undefined;
    consent.write({ ...choice, locale: chosen, theme: look, voice, model: state.model.value });
  }

  /** A conversation belongs to the key that began it: under another key each goes on as another one. */
  async #ownConversations(): Promise<void> {
    const { vault, ring, clock } = this.options;
    const subject = (await ring.key()).thumbprint;
    if (talksOf(vault.kept).every((talk) => talk.subject === subject)) return;
    await vault.update((kept) => owned(kept, subject, () => makeId("c", clock), clock.now()));
  }
}
