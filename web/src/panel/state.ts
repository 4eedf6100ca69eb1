/**
 * What the panel shows, as signals: the views read them, the services write them.
 *
 * Decides nothing; holds only what more than one of them needs.
 */
import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { KbDevice } from "../engines/kb/protocol.ts";
import { type Locale, offered } from "../i18n/locale.ts";
import { ENGLISH, loadStrings, type Say, type StringKey, speaker } from "../i18n/strings.ts";
import type { Consent } from "../trust/session.ts";
import type { Entry } from "../vault/entry.ts";
import { type Kept, talksOf, unseenIn } from "../vault/talks.ts";
import type { Keeping } from "../vault/vault.ts";
import type { PanelConfig } from "./config.ts";
import type { Theme } from "./look.ts";

/** An answer that is being made. */
export interface Live {
  readonly turnId: string;
  readonly text: string;
}

/** Why a question got no answer, and what the visitor can do. */
export interface Trouble {
  readonly turnId: string;
  readonly kind: "limited" | "long" | "refused";
  /** Until when to wait, in milliseconds since 1970. */
  readonly until: number;
  /** The gateway's own words, where it had some. */
  readonly detail: string;
}

/** What stands over the conversation: a list, or a question before something is lost. */
export type Opened = "talks" | "topics" | "kept" | "device" | "clear" | "forget" | "erase";

export type Connection = "online" | "offline" | "unreachable";

export class PanelState {
  /** The language that is spoken; `speak` changes it, once its words are there. */
  readonly locale = signal<Locale>("en");
  /** The visitor chose the language: the host page's no longer matters. */
  readonly localeChosen = signal(false);
  readonly theme: Signal<Theme>;
  readonly say: ReadonlySignal<Say>;
  readonly offered: readonly Locale[];
  readonly kept: Signal<Kept>;
  readonly entries: ReadonlySignal<readonly Entry[]>;
  /** Undefined until the visitor has chosen. */
  readonly consent = signal<Consent | undefined>(undefined);
  readonly keeping = signal<Keeping>("tab");
  readonly live = signal<Live | undefined>(undefined);
  readonly troubles = signal<readonly Trouble[]>([]);
  readonly connection = signal<Connection>("online");
  readonly opened = signal<Opened | undefined>(undefined);
  readonly notice = signal<StringKey | undefined>(undefined);
  /** Replies of people that nobody has read; what is open and seen counts as read. */
  readonly unread: ReadonlySignal<number>;
  /** The name of the greeting that the visitor has come in by, if one. */
  readonly greeted = signal("");
  readonly visible = signal(true);
  /** The knowledge base: not asked for (data saver), on its way, answering, or not to be had. */
  readonly pack = signal<"absent" | "loading" | "ready" | "failed">("absent");
  /** The model that the visitor wants on this device, and how far that is. */
  readonly model = signal<string | undefined>(undefined);
  readonly engine: Signal<NonNullable<KbDevice["engine"]>>;
  /** What else the route is told of this device, where a model is here. */
  readonly around = signal<KbDevice>({});
  /** Why the last question went the way that it did. */
  readonly routed = signal<readonly string[]>([]);
  /** What stands in the field that no person sees: told to the gateway as a signal, and decides nothing. */
  unseen = "";
  readonly #strings = signal(ENGLISH);
  #wanted: Locale = "en";
  /** Grows when the focus belongs where the visitor writes: what had it has gone. */
  readonly composing = signal(0);
  /** What is put into the field to be written on; each one is another object. */
  readonly draft = signal<{ readonly text: string } | undefined>(undefined);
  /** The next message goes straight to a person. */
  readonly toPerson = signal(false);
  /** The visitor knows that the browser may send sound to its maker, and has agreed. */
  readonly voice = signal(false);

  constructor(
    readonly config: PanelConfig,
    kept: Kept,
  ) {
    this.theme = signal(config.theme);
    this.engine = signal(config.local_models.length > 0 ? "absent" : "none");
    this.kept = signal(kept);
    this.offered = offered(config.locales);
    this.say = computed(() => speaker(this.locale.value, this.#strings.value));
    this.entries = computed(() => this.kept.value.entries);
    this.unread = computed(() => {
      const hidden = talksOf(this.kept.value).slice(Number(this.visible.value));
      return hidden.reduce((sum, talk) => sum + unseenIn(talk), 0);
    });
  }

  /** Changes the language; the latest wish wins, and words that cannot be fetched change nothing. */
  async speak(locale: Locale): Promise<void> {
    this.#wanted = locale;
    const strings = await loadStrings(locale).catch(() => undefined);
    if (!strings || this.#wanted !== locale) return;
    batch(() => {
      this.#strings.value = strings;
      this.locale.value = locale;
    });
  }
}
