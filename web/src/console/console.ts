/**
 * The console as a whole: its stores, its live line, its clock, its preferences.
 *
 * Decides: what happens at log-in, at log-out, when the network goes and when it returns. All that
 * touches the world comes in through {@link Ports}.
 */

import { computed, effect, signal, untracked } from "@preact/signals";
import { Api, type Fetch, Trouble } from "./api";
import { DeskStore } from "./desk_store";
import type { EmbedPlace } from "./embed/choices";
import { EmbedStore } from "./embed/store";
import type { Alert } from "./figures/budgets";
import { HowStore } from "./figures/how_store";
import { FiguresStore } from "./figures/store";
import { InboxStore } from "./inbox_store";
import { nameOf } from "./knowledge/form";
import { KnowledgeStore } from "./knowledge/store";
import type { Key } from "./knowledge/unsaved";
import { type EventLine, type LineState, Live } from "./live";
import { type FiguresPlace, type KnowledgePlace, type Place, sameEntry } from "./navigation";
import { PersonalityDeeds } from "./personality/deeds";
import type { PersonalityPlace } from "./personality/place";
import { PersonalityStore } from "./personality/store";
import { SessionStore } from "./session_store";

export interface Ports {
  readonly fetch: Fetch;
  readonly openLine: (url: string) => EventLine;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Calls `then` after `ms`; the answer cancels it. */
  readonly after: (ms: number, then: () => void) => () => void;
  readonly random: () => number;
  readonly randomId: () => string;
  readonly isOnline: () => boolean;
  /** Puts a text where the operator can paste it from; rejects where the browser refuses. */
  readonly copy: (text: string) => Promise<void>;
  /** Remembers one harmless choice; null where storage is refused. */
  readonly preferences: Pick<Storage, "getItem" | "setItem"> | null;
}

export interface Focus {
  readonly on: "row" | "question" | "entry_row" | "entry" | "room";
  readonly id: string;
}

/** How often "4m" is looked at again. */
const TICK_MS = 15_000;
const SHORTCUTS = "fanlight.console.shortcuts";

export class Console {
  readonly session: SessionStore;
  readonly inbox: InboxStore;
  readonly desk: DeskStore;
  readonly knowledge: KnowledgeStore;
  readonly embed: EmbedStore;
  readonly figures: FiguresStore;
  readonly how: HowStore;
  readonly personality: PersonalityStore;
  readonly manners: PersonalityDeeds;
  readonly room = signal<Place["room"]>("inbox");
  readonly line = signal<LineState>("connecting");
  readonly online = signal(true);
  readonly now = signal(0);
  readonly shortcuts = signal(true);
  readonly helpOpen = signal(false);
  /** Where the keyboard focus should go once it is drawn. */
  readonly focus = signal<Focus | null>(null);

  readonly connection = computed(() => (this.online.value ? this.line.value : "offline"));

  readonly #operator = computed(() => {
    const phase = this.session.phase.value;
    return phase.name === "in" ? phase.operator : null;
  });
  readonly #live: Live;
  #lastOperator: string | null = null;

  constructor(readonly ports: Ports) {
    const api = new Api(ports.fetch, ports.now);
    const onTrouble = (trouble: Trouble) => {
      if (trouble.kind === "signed_out") this.session.end();
    };
    this.session = new SessionStore(api, ports.now);
    this.inbox = new InboxStore(api, onTrouble);
    this.desk = new DeskStore(api, this.inbox, onTrouble, ports.randomId);
    this.knowledge = new KnowledgeStore(api, ports.after, onTrouble, (before, now) =>
      this.#focusEntry(before, now),
    );
    this.embed = new EmbedStore(api, ports.after, onTrouble);
    this.figures = new FiguresStore(api, ports, onTrouble);
    this.how = new HowStore(api, onTrouble);
    this.personality = new PersonalityStore(api, ports.after, onTrouble, (name) =>
      this.#focusPersonality(name),
    );
    this.manners = new PersonalityDeeds(this.personality);
    this.#live = new Live({
      open: ports.openLine,
      after: ports.after,
      random: ports.random,
      onState: (state) => {
        this.line.value = state;
      },
      onEscalation: (id) => {
        void this.inbox.hear(id);
        this.figures.hear();
      },
      onKnowledge: (site) => this.knowledge.hear(site),
      onPersonality: (site) => this.personality.hear(site),
      onBudget: (alert) => void this.#tellBudget(alert),
      onReturn: () => void this.catchUp(),
      onRefused: () => void this.session.check(),
    });
    this.now.value = ports.now();
    this.online.value = ports.isOnline();
    this.shortcuts.value = ports.preferences?.getItem(SHORTCUTS) !== "off";
  }

  /** Begins; the answer ends it. */
  start(): () => void {
    const stopTicking = this.#tick();
    const stopFollowing = effect(() => {
      const operator = this.#operator.value;
      untracked(() => this.#follow(operator));
    });
    void this.session.check();
    return () => {
      stopTicking();
      stopFollowing();
      this.#live.stop();
    };
  }

  /** The address changed: a link, a row that was clicked, or the browser's Back. */
  visit(place: Place): void {
    this.room.value = place.room;
    if (place.room !== "figures") this.figures.leave();
    if (place.room === "inbox") this.#visitInbox(place.id);
    else if (place.room === "embed") this.#visitEmbed(place);
    else if (place.room === "figures") this.#visitFigures(place);
    else if (place.room === "personality") this.#visitPersonality(place);
    else this.#visitKnowledge(place);
  }

  /** Where in a room one was last: the way back into it. */
  lastPlace(room: Place["room"]): Place {
    if (room === "knowledge") return this.knowledge.place.value;
    if (room === "embed") return this.embed.place.value;
    if (room === "figures") return this.figures.place.value;
    if (room === "personality") return this.personality.place.value;
    return { room, id: this.inbox.openId.value };
  }

  hasUnsaved(): boolean {
    const { unsaved } = this.knowledge.editor;
    return this.desk.hasUnsent() || unsaved.any() || this.personality.drafts.any();
  }

  /** The browser says that the network came or went. */
  networkChanged(): void {
    this.online.value = this.ports.isOnline();
    if (!this.online.value) return;
    this.#live.retry();
    if (this.session.phase.value.name === "unavailable") void this.session.check();
  }

  /** Reads again what may have changed while the line was down. */
  async catchUp(): Promise<void> {
    const id = this.inbox.openId.value;
    const open = id === null ? null : this.inbox.hear(id);
    await Promise.all([this.inbox.loadFirst(), open, this.knowledge.catchUp()]);
    if (this.personality.items.value !== null) await this.personality.read();
  }

  async logOut(): Promise<void> {
    try {
      await this.session.logOut();
      this.#forget();
    } catch (trouble) {
      if (!(trouble instanceof Trouble)) throw trouble;
      this.desk.note.value = { about: "log_out", trouble };
    }
  }

  useShortcuts(on: boolean): void {
    this.shortcuts.value = on;
    try {
      this.ports.preferences?.setItem(SHORTCUTS, on ? "on" : "off");
    } catch {
      // storage is full or refused: the choice holds until the page is closed
    }
  }

  /** Drafts outlive a session that ended, but are never shown to another operator. */
  #follow(operator: string | null): void {
    if (operator === null) {
      this.#live.stop();
      this.inbox.clear();
      this.knowledge.clear();
      this.embed.clear();
      this.figures.clear();
      this.how.clear();
      this.personality.clear();
      return;
    }
    if (this.#lastOperator !== null && operator !== this.#lastOperator) this.#forget();
    this.#lastOperator = operator;
    this.#live.start();
    void this.inbox.loadFirst();
    const { value: id } = this.inbox.openId;
    if (id !== null) void this.inbox.choose(id);
    if (this.room.value === "knowledge") this.knowledge.visit(this.knowledge.place.value);
    if (this.room.value === "embed") this.embed.visit(this.embed.place.value);
    if (this.room.value === "figures") this.figures.visit(this.figures.place.value);
    if (this.room.value === "personality") this.personality.visit(this.personality.place.value);
  }

  #visitInbox(id: string | null): void {
    const was = this.inbox.openId.value;
    if (id === was) return;
    void this.inbox.choose(id);
    if (id !== null) this.focus.value = { on: "question", id };
    else if (was !== null) this.focus.value = { on: "row", id: was };
  }

  #visitKnowledge(place: KnowledgePlace): void {
    const { entry: before } = this.knowledge.place.value;
    if (this.#operator.value === null) this.knowledge.place.value = place;
    else this.knowledge.visit(place);
    if (!sameEntry(before, place.entry)) this.#focusEntry(before, place.entry);
  }

  #visitEmbed(place: EmbedPlace): void {
    if (this.#operator.value === null) this.embed.place.value = place;
    else this.embed.come(place);
  }

  #visitFigures(place: FiguresPlace): void {
    if (this.#operator.value === null) this.figures.place.value = place;
    else this.figures.visit(place);
  }

  #visitPersonality(place: PersonalityPlace): void {
    const { name: before } = this.personality.place.value;
    if (this.#operator.value === null) this.personality.place.value = place;
    else this.personality.visit(place);
    if (place.name !== null && place.name !== before) {
      this.focus.value = { on: "entry", id: place.name };
    }
  }

  /** The site by its name, where that can be had. */
  async #tellBudget(alert: Alert): Promise<void> {
    const budgets = await this.figures.loadBudgets();
    const name = budgets?.find(({ site }) => site === alert.site)?.name ?? alert.site;
    if (this.#operator.value === null) return;
    this.figures.warn({ ...alert, name });
  }

  /** @param name null: the list, where one stands open all the same. */
  #focusPersonality(name: string | null): void {
    const { value: open } = this.personality.name;
    this.focus.value = name === null ? { on: "entry_row", id: open } : { on: "entry", id: name };
  }

  #focusEntry(before: Key | null, now: Key | null): void {
    if (now !== null) this.focus.value = { on: "entry", id: nameOf(now) };
    else if (before !== null) this.focus.value = { on: "entry_row", id: nameOf(before) };
  }

  #forget(): void {
    this.desk.clear();
    this.knowledge.forget();
    this.personality.forget();
  }

  #tick(): () => void {
    let cancel = (): void => {};
    const again = (): void => {
      this.now.value = this.ports.now();
      if (this.session.phase.peek().name === "unavailable") void this.session.check();
      cancel = this.ports.after(TICK_MS, again);
    };
    again();
    return () => cancel();
  }
}
