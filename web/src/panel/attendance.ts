/**
 * When people are there, in the visitor's words and on the visitor's clock.
 *
 * Decides: which day is named, and how. Refuses: to promise a time that is past, or one that nobody told.
 */
import type { Say } from "../i18n/strings.ts";

/** From when until when people are there, as RFC 3339 has it. */
export type Opening = readonly [string, string];

const DAY_MS = 86_400_000;

/** When people are back, in milliseconds since 1970; undefined where somebody is there, or nobody knows. */
export function nextOpening(
  hours: readonly Opening[] | null | undefined,
  now: number,
): number | undefined {
  const spans = (hours ?? []).map(
    ([from, until]) => [Date.parse(from), Date.parse(until)] as const,
  );
  if (spans.some(([from, until]) => from <= now && now < until)) return undefined;
  const ahead = spans.map(([from]) => from).filter((from) => from > now);
  return ahead.length > 0 ? Math.min(...ahead) : undefined;
}

/** Which day it is there, counted from any. */
function dayNumber(at: number, timeZone: string | undefined): number {
  // Of all locales' days this one's is written as ISO 8601 has it.
  const day = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short" }).format(at);
  return Date.parse(day) / DAY_MS;
}

/** Says when people are back; the time zone is the browser's own where none is given. */
export function sayBack(
  at: number,
  now: number,
  { say, locale, timeZone }: { say: Say; locale: string; timeZone?: string },
): string {
  const ahead = dayNumber(at, timeZone) - dayNumber(now, timeZone);
  const written = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale, { timeZone, ...options }).format(at);
  const time = written({ hour: "numeric", minute: "2-digit" });
  if (ahead === 0) return say("back.today", { time });
  if (ahead === 1) return say("back.tomorrow", { time });
  const date = ahead < 7 ? {} : ({ day: "numeric", month: "long" } as const);
  return say("back.day", { day: written({ weekday: "long", ...date }), time });
}
