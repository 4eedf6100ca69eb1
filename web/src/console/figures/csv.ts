/**
 * The figures as a table for a spreadsheet (RFC 4180), a row for each hour or day.
 *
 * Refuses: a cell that a spreadsheet would run as a formula; it is written as text.
 */

import type { Figures } from "./wire";

export function csv(figures: Figures): string {
  const tiers = figures.total.tiers.map(({ tier }) => tier);
  const sources = Object.keys(figures.total.answered);
  const head = [
    ...["from", "to", "turns", "escalated"],
    ...sources.map((source) => `answered_by_${source}`),
    ...tiers.flatMap((tier) => [`turns_${tier ?? "no_tier"}`, `usd_${tier ?? "no_tier"}`]),
    ...["usd", "median_ms", "p95_ms", "first_token_median_ms", "first_token_p95_ms"],
  ];
  const rows = figures.spans.map((span) => [
    ...[span.from, span.to, span.turns, span.escalated],
    ...sources.map((source) => span.answered[source] ?? 0),
    ...tiers.flatMap((tier) => {
      const sums = span.tiers.find((one) => one.tier === tier);
      return [sums?.turns ?? 0, (sums?.micros ?? 0) / 1e6];
    }),
    ...[span.micros / 1e6, span.total.median, span.total.p95],
    ...[span.firstToken.median, span.firstToken.p95],
  ]);
  return [head, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

function cell(value: string | number | null): string {
  if (value === null) return "";
  const text = String(value);
  const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
