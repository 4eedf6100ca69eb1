/**
 * What sites may spend and have spent, and who is nearest a limit, read with suspicion.
 *
 * Refuses: a budget without its site or its periods ({@link WireError}); money that is missing is none.
 */

import { type Fields, list, object, oneOf, required, share, text } from "../fields";

export const PERIODS = ["day", "month"] as const;
export type Period = (typeof PERIODS)[number];

/** Whose a limit is that is no site's. */
export const WHOSE = ["visitor", "user", "api", "console"] as const;
export type Whose = (typeof WHOSE)[number];

export interface Near {
  readonly whose: Whose;
  /** Tells it from the others of its period; it names nobody. */
  readonly mark: string;
  readonly micros: number;
  readonly limit: number;
}

export interface Use {
  /** Millionths of a US dollar. */
  readonly micros: number;
  /** Null where there is no limit. */
  readonly limit: number | null;
  readonly resetsAt: string;
  readonly usedUp: boolean;
  readonly callers: readonly Near[];
}

export interface Budget {
  readonly site: string;
  readonly name: string;
  /** Shares of a budget that are told of, in their order. */
  readonly thresholds: readonly number[];
  readonly day: Use;
  readonly month: Use;
}

/** How much of a budget is used, as far as it matters here. */
export type Level = "well" | "low" | "up";

/** What the live line says of a budget. */
export interface Alert {
  readonly site: string;
  readonly period: Period;
  readonly reached: number;
  readonly usedUp: boolean;
}

/** The same, with the name of the site. */
export interface Warning extends Alert {
  readonly name: string;
}

export function readBudgets(value: unknown): readonly Budget[] {
  return list(object(value, "usage").items, (item) => {
    const fields = object(item, "usage");
    const site = required(fields, "site");
    const callers = object(fields.callers ?? {}, "callers");
    return {
      site,
      name: text(fields.name) ?? site,
      thresholds: list(fields.thresholds, share)
        .filter((one) => one !== null)
        .sort((a, b) => a - b),
      day: readUse(object(fields.day, "day"), callers.day),
      month: readUse(object(fields.month, "month"), callers.month),
    };
  });
}

/** Null where it is not one: a line that one bad event can kill is worse. */
export function readAlert(data: unknown): Alert | null {
  try {
    const fields = object(JSON.parse(String(data)), "budget");
    return {
      site: required(fields, "site"),
      period: oneOf(fields.period, PERIODS, "day"),
      reached: share(fields.reached) ?? 0,
      usedUp: fields.used_up === true,
    };
  } catch {
    return null;
  }
}

/** Low from the last threshold but one on, or from eight tenths where there are fewer than two. */
export function level(
  use: Pick<Use, "micros" | "limit" | "usedUp">,
  marks: readonly number[],
): Level {
  if (use.limit === null) return "well";
  const part = use.micros / use.limit;
  if (use.usedUp || part >= 1) return "up";
  return part >= (marks.at(-2) ?? 0.8) ? "low" : "well";
}

/** Budgets of which there is something to say. */
export function told(budgets: readonly Budget[], site: string | null): readonly Budget[] {
  return budgets.filter(
    (one) =>
      (site === null || one.site === site) &&
      PERIODS.some((period) => one[period].limit !== null || one[period].callers.length > 0),
  );
}

function readUse(fields: Fields, callers: unknown): Use {
  return {
    micros: micros(fields.spent_usd),
    limit: fields.limit_usd === null ? null : micros(fields.limit_usd) || null,
    resetsAt: required(fields, "resets_at"),
    usedUp: fields.used_up === true,
    callers: list(callers, (item) => {
      const near = object(item, "callers");
      return {
        whose: oneOf(near.whose, WHOSE, "visitor"),
        mark: text(near.mark) ?? "",
        micros: micros(near.spent_usd),
        limit: micros(near.limit_usd),
      };
    }),
  };
}

function micros(usd: unknown): number {
  return typeof usd === "number" && Number.isFinite(usd) ? Math.max(0, Math.round(usd * 1e6)) : 0;
}
