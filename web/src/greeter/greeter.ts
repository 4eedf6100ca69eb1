/**
 * When a greeting is shown beside the launcher, and what becomes of it.
 *
 * Decides: one greeting a page at the most, on pages that it is for, once it is due and may be shown. It goes when the page
 * becomes another one. Refuses: to speak a language that the greeting has no text in.
 */
import { chooseLocale, type Locale } from "../i18n/locale.ts";
import { type Greeting, isDue, isFor, type Page } from "./greeting.ts";
import type { MarkStore } from "./marks.ts";

export interface GreeterConfig {
  readonly site_key: string;
  readonly host_origins: readonly string[];
  readonly accent: string;
  readonly theme: string;
  readonly locales: readonly string[];
  readonly default_locale: string;
  readonly greetings: readonly Greeting[];
}

export interface GreeterOptions {
  readonly config: Pick<GreeterConfig, "greetings" | "locales" | "default_locale">;
  readonly marks: MarkStore;
  readonly languages: readonly string[];
  readonly hidden: () => boolean;
  readonly show: (greeting: Greeting, locale: Locale, page: Page) => void;
  readonly hide: () => void;
}

export class Greeter {
  #path = "";
  #seconds = 0;
  #seen = 0;
  #shown: Greeting | undefined;
  #over = false;

  constructor(private readonly options: GreeterOptions) {}

  /** A second has passed on this page. */
  tick(page: Page): void {
    if (this.#over) return;
    if (this.#shown) this.#follow(this.#shown, page);
    else this.#look(page);
  }

  /** The visitor has closed it. */
  close(): void {
    if (this.#shown) this.options.marks.closed(this.#shown);
    this.#leave();
  }

  #look(page: Page): void {
    if (page.path !== this.#path) {
      this.#path = page.path;
      this.#seconds = this.#seen = 0;
    }
    if (this.options.hidden()) return;
    this.#seconds += 1;
    this.#seen = Math.max(this.#seen, page.depth);
    const locale = this.#locale(page);
    const found = this.options.config.greetings.find((one) => this.#fits(one, page, locale));
    if (!found) return;
    this.#shown = found;
    this.options.marks.shown(found);
    this.options.show(found, locale, page);
  }

  #fits(greeting: Greeting, page: Page, locale: Locale): boolean {
    if (!greeting.text[locale] || !isFor(greeting, page)) return false;
    const due = isDue(greeting, this.#seconds, this.#seen);
    return due && this.options.marks.allows(greeting, page.fresh);
  }

  #follow(greeting: Greeting, page: Page): void {
    if (page.path !== this.#path && !isFor(greeting, page)) this.#leave();
  }

  #leave(): void {
    this.#over = true;
    this.options.hide();
  }

  #locale(page: Page): Locale {
    const { config, languages, marks } = this.options;
    return chooseLocale({
      chosen: marks.locale,
      host: page.locale,
      browser: languages,
      site: config.locales,
      siteDefault: config.default_locale,
    });
  }
}
