/** Pages of what the server holds become one document, whole or not at all. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { everythingHeld } from "../../src/panel/held.ts";
import { Problem } from "../../src/trust/problem.ts";

const busy = (status: number, wait?: number) => new Problem(status, "", "", "", wait, undefined);

/** Gives these pages, or throws them, one after the other; the first cursor is null. */
function pages(...given: readonly unknown[]) {
  const cursors: (string | null)[] = [];
  const page = async (cursor: string | null) => {
    cursors.push(cursor);
    const one = given[cursors.length - 1];
    if (one instanceof Error) throw one;
    return one;
  };
  return { page, cursors };
}

function held(page: (cursor: string | null) => Promise<unknown>, stop = new AbortController()) {
  const counts: number[] = [];
  const made = everythingHeld({ page, onCount: (n) => counts.push(n), stop: stop.signal });
  return { made, counts };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("what the server holds", () => {
  it("is one document of all pages, in their order", async () => {
    const { page, cursors } = pages(
      { exported_at: "1", subject: "anon:x", turns: ["a", "b"], events: [], next: "p2" },
      { exported_at: "2", subject: "anon:x", turns: ["c"], events: ["e"], next: null },
    );
    const { made, counts } = held(page);
    expect(JSON.parse(await made)).toEqual({
      exported_at: "1",
      subject: "anon:x",
      turns: ["a", "b", "c"],
      events: ["e"],
    });
    expect(cursors).toEqual([null, "p2"]);
    expect(counts).toEqual([2, 4]);
  });

  it("has the later one of a mark that came twice", async () => {
    const mark = (turn_id: string, signal: string) => ({ turn_id, signal });
    const { page } = pages(
      { feedback: [mark("t_1", "up"), mark("t_2", "up")], next: "p2" },
      { feedback: [mark("t_1", "down"), 7], next: null },
    );
    const { feedback } = JSON.parse(await held(page).made);
    expect(feedback).toEqual([mark("t_1", "down"), mark("t_2", "up"), 7]);
  });

  it("waits as long as the gateway says, and asks for the same page again", async () => {
    const { page, cursors } = pages({ next: "p2" }, busy(429, 30), busy(503), { next: null });
    const { made } = held(page);
    await vi.advanceTimersByTimeAsync(29_000);
    expect(cursors).toEqual([null, "p2"]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(cursors).toEqual([null, "p2", "p2"]);
    await vi.advanceTimersByTimeAsync(2_000);
    await made;
    expect(cursors).toEqual([null, "p2", "p2", "p2"]);
  });

  it.each([
    ["a refusal that stays", [busy(403)]],
    ["a gateway that stays away", [1, 2, 3, 4].map(() => busy(503, 1))],
    ["what is no document", ["<html>"]],
    ["a cursor that comes again", [{ next: "p2" }, { next: "p3" }, { next: "p2" }]],
    ["a network that is gone", [new TypeError("no network")]],
  ])("is not had with %s", async (_, given) => {
    const { made } = held(pages(...given).page);
    const failed = expect(made).rejects.toThrow();
    await vi.advanceTimersByTimeAsync(10_000);
    await failed;
  });

  it("is given up at once when the visitor stops, even between two tries", async () => {
    const { page, cursors } = pages(busy(429, 60));
    const stop = new AbortController();
    const { made } = held(page, stop);
    const failed = expect(made).rejects.toThrow();
    await vi.advanceTimersByTimeAsync(1_000);
    stop.abort();
    await failed;
    await vi.advanceTimersByTimeAsync(120_000);
    expect(cursors).toEqual([null]);
  });
});
