/**
 * Numbers as people read them: money, waits, counts, shares.
 *
 * Decides: how precise each must be at its size. What is not there is a dash.
 */

import type { Summary } from "./wire";

export const NOTHING = "–";

/** US dollars of millionths: cents where it is more than a few, otherwise to two figures. */
export function money(micros: number, locale: string): string {
  const dollars = micros / 1e6;
  const small = dollars > 0 && dollars < 0.1;
  const digits = small
    ? { minimumSignificantDigits: 1, maximumSignificantDigits: 2 }
    : { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  return new Intl.NumberFormat(locale, {
    style: "currency",
    currency: "USD",
    currencyDisplay: "narrowSymbol",
    ...digits,
  }).format(dollars);
}

/** "840 ms", "1.2 s", "38 s". Where the unit would read the other way round: seconds, in words. */
export function wait(ms: number | null, locale: string): string {
  if (ms === null) return NOTHING;
  const seconds = ms / 1000;
  const said = (value: number, digits: number): string =>
    new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value);
  if (locale.startsWith("he")) return `${said(seconds, seconds < 9.95 ? 2 : 0)}\u00a0שנ׳`;
  if (ms < 995) return `${said(Math.round(ms), 0)}\u00a0ms`;
  return `${said(seconds, seconds < 9.95 ? 1 : 0)}\u00a0s`;
}

/** A tick of an axis of money, as precise as the step between ticks needs. */
export function moneyTick(micros: number, step: number, locale: string): string {
  const digits = Math.max(0, Math.min(6, -Math.floor(Math.log10(step / 1e6) + 1e-9)));
  const exact = Number.isInteger((step / 1e6) * 10 ** digits + 1e-12) ? digits : digits + 1;
  const shown = step >= 1e6 && Number.isInteger(step / 1e6) ? 0 : Math.max(2, exact);
  return new Intl.NumberFormat(locale, {
    style: "currency",
    currency: "USD",
    currencyDisplay: "narrowSymbol",
    minimumFractionDigits: shown,
    maximumFractionDigits: shown,
  }).format(micros / 1e6);
}

export function number(value: number, locale: string): string {
  return new Intl.NumberFormat(locale).format(value);
}

/** Whole percent; what is not all or nothing never reads as such. */
export function portion(part: number, whole: number, locale: string): string {
  if (whole === 0) return NOTHING;
  const exact = (part / whole) * 100;
  const rounded = Math.round(exact);
  const shown = part > 0 && rounded === 0 ? 1 : part < whole && rounded === 100 ? 99 : rounded;
  return new Intl.NumberFormat(locale, { style: "percent" }).format(shown / 100);
}

/** The short name of an hour or a day, for an axis, and the long one, for a sentence. */
export function timeNames(
  from: string,
  by: "hour" | "day",
  locale: string,
): { readonly short: string; readonly long: string } {
  const at = new Date(from);
  const named = (options: Intl.DateTimeFormatOptions): string =>
    new Intl.DateTimeFormat(locale, options).format(at);
  if (by === "hour") {
    const hour = named({ hour: "2-digit", minute: "2-digit" });
    return { short: hour, long: hour };
  }
  return {
    short: named({ day: "numeric", month: "short" }),
    long: named({ weekday: "long", day: "numeric", month: "long" }),
  };
}

/** What was answered without a person. */
export function alone(summary: Summary): number {
  return summary.turns - summary.escalated;
}
