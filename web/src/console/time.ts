/**
 * Times as people say them.
 *
 * Decides: how precise a time must be at its age. A list needs "4m"; the exact time is one
 * hover away. A time that cannot be read is shown as it came.
 */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** For a list: "now", "4m", "3h", "Tue", "12 Mar", "12 Mar 2024". */
export function brief(at: string, now: number, locale: string): string {
  const then = Date.parse(at);
  if (Number.isNaN(then)) return at;
  const age = now - then;
  if (age < MINUTE) return relative(0, "second", locale, "narrow");
  if (age < HOUR) return unit(Math.floor(age / MINUTE), "minute", locale);
  if (age < DAY) return unit(Math.floor(age / HOUR), "hour", locale);
  if (age < 6 * DAY) return format(then, locale, { weekday: "short" });
  const sameYear = new Date(then).getFullYear() === new Date(now).getFullYear();
  const year = sameYear ? {} : ({ year: "numeric" } as const);
  return format(then, locale, { day: "numeric", month: "short", ...year });
}

/** For a sentence: "12 minutes ago", "in 4 minutes", "yesterday". */
export function ago(at: string, now: number, locale: string): string {
  const then = Date.parse(at);
  if (Number.isNaN(then)) return at;
  const ahead = then - now;
  const distance = Math.abs(ahead);
  if (distance < MINUTE) {
    return ahead > 0
      ? relative(Math.ceil(ahead / 1000), "second", locale, "long")
      : relative(0, "second", locale, "long");
  }
  if (distance < HOUR) return relative(Math.trunc(ahead / MINUTE), "minute", locale, "long");
  if (distance < DAY) return relative(Math.trunc(ahead / HOUR), "hour", locale, "long");
  return relative(Math.trunc(ahead / DAY), "day", locale, "long");
}

/** For a sentence about what is past, however late this page's clock is looked at. */
export function since(at: string, now: number, locale: string): string {
  return ago(at, Math.max(now, Date.parse(at) || now), locale);
}

/** To the second, with the zone: for a title, or a record. */
export function exact(at: string, locale: string): string {
  const then = Date.parse(at);
  return Number.isNaN(then) ? at : format(then, locale, { dateStyle: "full", timeStyle: "long" });
}

/** Time of day, with the date where it is not today's. */
export function clock(at: string, now: number, locale: string): string {
  const then = Date.parse(at);
  if (Number.isNaN(then)) return at;
  const today = new Date(then).toDateString() === new Date(now).toDateString();
  const date = today ? {} : ({ day: "numeric", month: "short" } as const);
  return format(then, locale, { hour: "2-digit", minute: "2-digit", ...date });
}

function format(then: number, locale: string, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(locale, options).format(then);
}

function unit(value: number, name: "minute" | "hour", locale: string): string {
  return new Intl.NumberFormat(locale, { style: "unit", unit: name, unitDisplay: "narrow" }).format(
    value,
  );
}

function relative(
  value: number,
  name: Intl.RelativeTimeFormatUnit,
  locale: string,
  style: "long" | "narrow",
): string {
  return new Intl.RelativeTimeFormat(locale, { numeric: "auto", style }).format(value, name);
}
