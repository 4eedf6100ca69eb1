/**
 * Which language the panel speaks.
 *
 * Decides: the visitor's choice, else the host page's `lang`, else the browser's, else the site's first;
 * always one that both the site and this build have. The language of a question is found apart, by the
 * gate, and decides its answer's.
 */

export const LOCALES = ["en", "es", "he"] as const;
export type Locale = (typeof LOCALES)[number];

export const LOCALE_NAMES: Readonly<Record<Locale, string>> = {
  en: "English",
  es: "Español",
  he: "עברית",
};

export interface LocaleHints {
  readonly chosen?: string | undefined;
  readonly host?: string | undefined;
  readonly browser: readonly string[];
  readonly site: readonly string[];
  readonly siteDefault: string;
}

export function isLocale(value: string | undefined): value is Locale {
  return (LOCALES as readonly (string | undefined)[]).includes(value);
}

/** "iw" is what old systems call Hebrew (ISO 639 before 1989). */
function primary(tag: string | undefined): string | undefined {
  const language = tag?.trim().toLowerCase().split(/[-_]/)[0];
  return language === "iw" ? "he" : language;
}

/** The languages that both the site and this build have, in the site's order. */
export function offered(site: readonly string[]): readonly Locale[] {
  const known = site.map(primary).filter(isLocale);
  return known.length > 0 ? [...new Set(known)] : ["en"];
}

export function chooseLocale(hints: LocaleHints): Locale {
  const available = offered(hints.site);
  const wishes = [hints.chosen, hints.host, ...hints.browser, hints.siteDefault].map(primary);
  const found = wishes.find((wish): wish is Locale => isLocale(wish) && available.includes(wish));
  return found ?? available[0] ?? "en";
}

export function directionOf(locale: Locale): "ltr" | "rtl" {
  return locale === "he" ? "rtl" : "ltr";
}
