/**
 * The page of the builder's preview, with the chat on it as a website would have it.
 *
 * Decides: which choices hold, and that another choice loads the chat anew, by the gateway's own loader and the
 * tag's own attributes. Refuses: what is no choice (it counts as none), and words from anybody but the console.
 */
import type { Fanlight } from "../../packages/widget/src/types.ts";
import { directionOf, isLocale, type Locale } from "../i18n/locale.ts";
import { hexColor } from "../loader/options.ts";
import { parseTheme, type Theme } from "../panel/look.ts";

export interface StageConfig {
  readonly site_key: string;
  /** The origin that may say what to show. */
  readonly console: string;
  /** What is so where nothing is chosen. */
  readonly locale: Locale;
  readonly theme: Theme;
}

/** Empty is: as page and site say. */
export interface Shown {
  readonly locale: Locale | "";
  readonly position: "" | "left" | "right";
  readonly accent: string;
  readonly theme: Theme | "";
}

/** Reads what an address or a message says, one field at a time. */
export function readShown(said: (name: string) => unknown): Shown {
  const [position, theme] = [said("position"), said("theme")];
  const locale = String(said("locale") ?? "");
  return {
    locale: isLocale(locale) ? locale : "",
    position: position === "left" || position === "right" ? position : "",
    accent: hexColor(said("accent")),
    theme: theme ? parseTheme(theme) : "",
  };
}

export class Stage {
  #tag: HTMLScriptElement | undefined;
  /** Whether the chat stands open: it is so at first, and then as whoever looks left it. */
  #open = true;
  #shown = "";

  constructor(
    private readonly page: Window,
    private readonly config: StageConfig,
  ) {}

  /** Shows what the address says, and what the console says from then on. */
  start(): void {
    const asked = new URLSearchParams(this.page.location.hash.slice(1));
    this.show(readShown((name) => asked.get(name)));
    this.page.addEventListener("message", (event) => this.#hear(event));
    this.#say("here");
  }

  show(shown: Shown): void {
    const named = JSON.stringify(shown);
    if (named === this.#shown) return;
    this.#shown = named;
    const { document } = this.page;
    const locale = shown.locale || this.config.locale;
    document.documentElement.lang = locale;
    document.documentElement.dir = directionOf(locale);
    this.#takeAway();
    const tag = document.createElement("script");
    tag.src = `/preview/${shown.theme || this.config.theme}/loader.js`;
    tag.dataset.site = this.config.site_key;
    const { position, accent } = shown;
    for (const [name, value] of Object.entries({ locale: shown.locale, position, accent })) {
      if (value) tag.dataset[name] = value;
    }
    this.#tag = tag;
    document.head.append(tag);
    // The script's own load: calls that wait in the array would be those of the one before as well.
    tag.addEventListener("load", () => this.#follow(tag));
  }

  #follow(tag: HTMLScriptElement): void {
    const chat = this.page.fanlight;
    if (tag !== this.#tag || !chat || Array.isArray(chat)) return;
    const opened = (open: boolean) => () => {
      if (tag === this.#tag) this.#open = open;
    };
    chat.on("open", opened(true));
    chat.on("close", opened(false));
    chat.on("ready", () => this.#say("ready"));
    if (this.#open) this.#openFor(chat);
  }

  /**
   * Opens the chat as on a page that nobody has touched: what is pressed in the console counts here as well, and the
   * focus would be taken from who chooses.
   */
  #openFor(chat: Fanlight): void {
    const { navigator } = this.page;
    const untouched = { isActive: false, hasBeenActive: false };
    Object.defineProperty(navigator, "userActivation", { value: untouched, configurable: true });
    chat.open();
    Reflect.deleteProperty(navigator, "userActivation");
  }

  #takeAway(): void {
    this.#tag?.remove();
    this.#tag = undefined;
    const chat: Fanlight | readonly unknown[] | undefined = this.page.fanlight;
    if (chat && "destroy" in chat) chat.destroy();
  }

  #hear(event: MessageEvent): void {
    const { data, origin, source } = event;
    if (origin !== this.config.console || source !== this.page.parent) return;
    if (data?.fanlight_preview === 1) this.show(readShown((name) => data[name]));
  }

  #say(what: "here" | "ready"): void {
    this.page.parent.postMessage({ fanlight_preview: 1, what }, this.config.console);
  }
}
