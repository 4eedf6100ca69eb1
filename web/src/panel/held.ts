/**
 * Everything that the server holds of the visitor, followed from page to page.
 *
 * Decides: how pages become one document (lists one after the other, of a mark that came twice the later one), and
 * how often a page is asked for again, after the wait that the gateway names. Refuses: by rejecting, never by
 * half a document.
 */
import { Problem } from "../trust/problem.ts";
import { isRecord } from "../vault/entry.ts";
import { pause } from "./pause.ts";

/** A page is asked for so often in a row before the whole counts as failed. */
const TRIES = 4;
const WAIT_S = 2;
/** What a quota may ask for: its minute. */
const LONGEST_WAIT_S = 60;

export interface Pages {
  /** A page by its cursor; `null` is the first one's. */
  readonly page: (cursor: string | null, stop: AbortSignal) => Promise<unknown>;
  /** Told after each page how many entries there are by now. */
  readonly onCount: (count: number) => void;
  readonly stop: AbortSignal;
}

/** All pages as one JSON document to read; rejects where it cannot be had whole, or was stopped. */
export async function everythingHeld({ page, onCount, stop }: Pages): Promise<string> {
  const whole: Record<string, unknown> = {};
  const cursors = new Set<string>();
  let cursor: string | null = null;
  do {
    const { next, ...got } = await patiently(() => page(cursor, stop), stop);
    merge(whole, got);
    onCount(count(whole));
    cursor = typeof next === "string" ? next : null;
    if (cursor !== null && cursors.has(cursor)) throw new Error("the pages do not end");
    if (cursor !== null) cursors.add(cursor);
  } while (cursor !== null);
  if (Array.isArray(whole.feedback)) whole.feedback = lastOfEach(whole.feedback);
  return `${JSON.stringify(whole, undefined, 2)}\n`;
}

function merge(whole: Record<string, unknown>, got: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(got)) {
    const known = whole[name];
    if (Array.isArray(known) && Array.isArray(value)) for (const one of value) known.push(one);
    else if (known === undefined) whole[name] = value;
  }
}

function count(whole: Readonly<Record<string, unknown>>): number {
  const lists = Object.values(whole).filter((value) => Array.isArray(value));
  return lists.reduce((sum, list) => sum + list.length, 0);
}

/** A mark that was made anew meanwhile stands in two pages: the later one counts. */
function lastOfEach(marks: readonly unknown[]): readonly unknown[] {
  const named = (mark: unknown) => (isRecord(mark) ? mark.turn_id : mark);
  return [...new Map(marks.map((mark) => [named(mark), mark])).values()];
}

async function patiently(
  page: () => Promise<unknown>,
  stop: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  for (let left = TRIES; ; ) {
    try {
      const got = await page();
      if (!isRecord(got)) throw new Error("the page is no document");
      return got;
    } catch (error) {
      left -= 1;
      if (stop.aborted || left === 0 || !(error instanceof Problem) || !error.passing) throw error;
      await pause(Math.min(error.retryAfter ?? WAIT_S, LONGEST_WAIT_S) * 1000, stop);
    }
  }
}
