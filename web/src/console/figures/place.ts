/**
 * Which figures are shown, and how an address says it: `#figures/site_demo?range=30d`.
 *
 * Decides: where a range begins and ends on the operator's own clocks. Refuses: a range that there is
 * not; it counts as seven days.
 */

export const RANGES = ["today", "7d", "30d", "90d"] as const;
export type Range = (typeof RANGES)[number];

export interface FiguresPlace {
  readonly room: "figures";
  /** Null is all of them. */
  readonly site: string | null;
  readonly range: Range;
}

export const FIGURES: FiguresPlace = { room: "figures", site: null, range: "7d" };

const DAYS: Record<Range, number> = { today: 1, "7d": 7, "30d": 30, "90d": 90 };

export function parseFigures(site: string, asked: string): FiguresPlace {
  const said = new URLSearchParams(asked).get("range");
  const range = RANGES.find((one) => one === said) ?? FIGURES.range;
  return { room: "figures", site: site || null, range };
}

export function figuresAddress({ site, range }: FiguresPlace): string {
  const path = site === null ? "#figures" : `#figures/${encodeURIComponent(site)}`;
  return range === FIGURES.range ? path : `${path}?range=${range}`;
}

/**
 * What the gateway is asked for: whole days up to the end of today, of the hours where it is one day.
 *
 * @param now milliseconds since the epoch.
 */
export function question({ site, range }: FiguresPlace, now: number): string {
  const from = new Date(now);
  from.setHours(0, 0, 0, 0);
  const to = new Date(from);
  to.setDate(to.getDate() + 1);
  from.setDate(from.getDate() - DAYS[range] + 1);
  const asked = new URLSearchParams({
    from: from.toISOString(),
    to: to.toISOString(),
    by: range === "today" ? "hour" : "day",
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC",
  });
  if (site !== null) asked.set("site", site);
  return `/v1/operator/figures?${asked}`;
}
