/**
 * What the panel says, in each language.
 *
 * Decides: the wording for a key, with the language's own plural rules (Intl.PluralRules). A language is
 * one JSON file, fetched when it is needed; English is built in, as the one to fall back on. The types and a
 * test hold every file to English's keys.
 */
import en from "./en.json";
import type { Locale } from "./locale.ts";

export type StringKey = keyof typeof en;
type Plural = Readonly<Partial<Record<Intl.LDMLPluralRule, string>>> & { readonly other: string };
export type Strings = Readonly<Record<StringKey, string | Plural>>;
export type Values = Readonly<Record<string, string | number>>;

export const ENGLISH: Strings = en;

const FILES: Readonly<Record<Locale, () => Promise<Strings>>> = {
  en: async () => ENGLISH,
  es: async () => (await import("./es.json")).default,
  he: async () => (await import("./he.json")).default,
};

/** The strings of `locale`; rejects when they cannot be fetched. */
export function loadStrings(locale: Locale): Promise<Strings> {
  return FILES[locale]();
}

/** Says `key` in `locale`, its `{names}` filled in; `n` chooses the plural form. */
export type Say = (key: StringKey, values?: Values) => string;

function fill(template: string, values: Values, format: Intl.NumberFormat): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? format.format(value) : value;
  });
}

export function speaker(locale: Locale, strings: Strings): Say {
  const plurals = new Intl.PluralRules(locale);
  const numbers = new Intl.NumberFormat(locale);
  return (key, values = {}) => {
    const entry = strings[key];
    if (typeof entry === "string") return fill(entry, values, numbers);
    const form = entry[plurals.select(Number(values.n ?? 0))] ?? entry.other;
    return fill(form, values, numbers);
  };
}
