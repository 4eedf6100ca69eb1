/**
 * The list on screen and the escalation that is open.
 *
 * Decides: when to load, what is unread, and that a late answer never overwrites a newer choice.
 * Unread marks live as long as the page: nothing about an escalation is stored in the browser.
 */

import { batch, computed, signal } from "@preact/signals";
import { type Api, Trouble } from "./api";
import {
  EMPTY,
  extend,
  type Inbox,
  isAskedAgain,
  isNews,
  later,
  neighbour,
  place,
  refresh,
  visible,
} from "./inbox";
import type { Escalation, Filter } from "./wire";

export type Loading = "idle" | "first" | "more";

export class InboxStore {
  readonly inbox = signal<Inbox>(EMPTY);
  readonly filter = signal<Filter>("open");
  readonly search = signal("");
  readonly loading = signal<Loading>("first");
  readonly trouble = signal<Trouble | null>(null);
  readonly unread = signal<ReadonlySet<string>>(new Set());
  readonly news = signal<Escalation | null>(null);

  readonly openId = signal<string | null>(null);
  readonly open = signal<Escalation | null>(null);
  readonly openTrouble = signal<Trouble | null>(null);

  readonly shown = computed(() =>
    visible(this.inbox.value, {
      filter: this.filter.value,
      search: this.search.value,
      open: this.openId.value,
    }),
  );

  #newest: Escalation | null = null;
  #load = 0;
  readonly #asked = new Map<string, number>();

  /** @param onTrouble told of every failed call; it ends the session where that is the reason. */
  constructor(
    private readonly api: Api,
    private readonly onTrouble: (trouble: Trouble) => void,
  ) {}

  /** Forgets everything, as at log-out. */
  clear(): void {
    this.#load += 1;
    this.#newest = null;
    this.#asked.clear();
    batch(() => {
      this.inbox.value = EMPTY;
      this.unread.value = new Set();
      this.news.value = null;
      this.open.value = null;
      this.search.value = "";
      this.loading.value = "first";
    });
  }

  async show(filter: Filter): Promise<void> {
    if (filter !== this.filter.value) this.inbox.value = EMPTY;
    this.filter.value = filter;
    await this.loadFirst();
  }

  /** Reads the newest page; keeps what is on screen until it is there. */
  async loadFirst(): Promise<void> {
    const load = this.#begin("first");
    try {
      const page = await this.api.page(this.filter.value);
      if (load !== this.#load) return;
      this.#newest = later(this.#newest, page.items.at(0));
      this.inbox.value = refresh(this.inbox.value, page);
      this.#settle(null);
    } catch (trouble) {
      this.#fail(load, trouble);
    }
  }

  async loadMore(): Promise<void> {
    const { next } = this.inbox.value;
    if (next === null || this.loading.value !== "idle") return;
    const load = this.#begin("more");
    try {
      const page = await this.api.page(this.filter.value, next);
      if (load !== this.#load) return;
      this.inbox.value = extend(this.inbox.value, page);
      this.#settle(null);
    } catch (trouble) {
      this.#fail(load, trouble);
    }
  }

  /** The gateway said that this escalation is new or changed. */
  async hear(id: string): Promise<void> {
    try {
      await this.#fetch(id);
    } catch (trouble) {
      if (!(trouble instanceof Trouble)) throw trouble;
      this.onTrouble(trouble); // the next event or reconnection reads it again
    }
  }

  /** Opens an escalation, or none. */
  async choose(id: string | null): Promise<void> {
    batch(() => {
      this.openId.value = id;
      this.openTrouble.value = null;
      this.open.value = this.inbox.value.items.find((item) => item.id === id) ?? null;
      if (id !== null) this.#read(id);
    });
    if (id === null) return;
    try {
      await this.#fetch(id);
    } catch (trouble) {
      if (!(trouble instanceof Trouble)) throw trouble;
      if (this.openId.value === id && this.open.value === null) this.openTrouble.value = trouble;
      this.onTrouble(trouble);
    }
  }

  /** The escalation below (1) or above (-1) the open one; null where there is none. */
  beside(step: 1 | -1): string | null {
    return neighbour(this.shown.value, this.openId.value, step);
  }

  /** Takes in the newest word on an escalation. */
  put(item: Escalation): void {
    batch(() => {
      const before = this.inbox.value.items.find(({ id }) => id === item.id);
      const news = isNews(item, this.#newest) || isAskedAgain(item, before);
      if (news && item.id !== this.openId.value) this.#arrive(item);
      this.#newest = later(this.#newest, item);
      this.inbox.value = place(this.inbox.value, item);
      if (item.status === "resolved") this.#read(item.id);
      if (item.id === this.openId.value) {
        this.open.value = item;
        this.openTrouble.value = null;
      }
    });
  }

  /** Of several answers about one escalation, only the one asked for last counts. */
  async #fetch(id: string): Promise<void> {
    const turn = (this.#asked.get(id) ?? 0) + 1;
    this.#asked.set(id, turn);
    const item = await this.api.escalation(id);
    if (this.#asked.get(id) === turn) this.put(item);
  }

  #arrive(item: Escalation): void {
    this.unread.value = new Set([...this.unread.value, item.id]);
    this.news.value = item;
  }

  #read(id: string): void {
    if (!this.unread.value.has(id)) return;
    this.unread.value = new Set([...this.unread.value].filter((other) => other !== id));
  }

  #begin(kind: Loading): number {
    this.loading.value = kind;
    this.#load += 1;
    return this.#load;
  }

  #settle(trouble: Trouble | null): void {
    this.loading.value = "idle";
    this.trouble.value = trouble;
  }

  #fail(load: number, trouble: unknown): void {
    if (!(trouble instanceof Trouble)) throw trouble;
    if (load !== this.#load) return;
    this.#settle(trouble);
    this.onTrouble(trouble);
  }
}
