import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { CorrectedClock, SteadyClock, systemClock } from "../../src/trust/clock.ts";
import { base64url } from "../../src/trust/encoding.ts";
import { makeId, makeIdempotencyKey, uuid7 } from "../../src/trust/ids.ts";
import { leadingZeroBits, solve } from "../../src/trust/pow.ts";
import { Problem, problemFrom, problemOf } from "../../src/trust/problem.ts";
import { traceOf } from "../../src/trust/trace.ts";

const clock = { now: () => 0x0123456789ab };

describe("ids", () => {
  it("are UUIDv7: time first, then version, variant and chance", () => {
    const ones = (length: number) => new Uint8Array(length).fill(0xff);
    expect(uuid7(clock, ones)).toBe("0123456789ab7fffbfffffffffffffff");
  });

  it("carry their prefix and never repeat", () => {
    const made = new Set(Array.from({ length: 100 }, () => makeId("t", clock)));
    expect(made.size).toBe(100);
    for (const id of made) expect(id).toMatch(/^t_0123456789ab7[\da-f]{3}[89ab][\da-f]{15}$/);
  });

  it("sort by the time they were made", () => {
    expect(makeId("c", { now: () => 1 }) < makeId("c", { now: () => 2 })).toBe(true);
  });

  it("make idempotency keys of allowed characters", () => {
    expect(makeIdempotencyKey()).toMatch(/^[\w-]{22}$/);
  });
});

describe("a trace", () => {
  it("is named by its turn's id", () => {
    const id = "01a0c4506c007bc7bf43060cccfcb62d";
    expect(traceOf(`t_${id}`)).toEqual({ traceparent: `00-${id}-bf43060cccfcb62d-01` });
  });

  it.each(["", "t_", "c_01a0c4506c007bc7bf43060cccfcb62d", "t_01a0\r\nx: y"])(
    "is not made of %j",
    (text) => {
      expect(traceOf(text)).toEqual({});
    },
  );
});

describe("base64url", () => {
  it("has no padding and no unsafe characters", () => {
    expect(base64url(new Uint8Array([0xfb, 0xff, 0xbf, 0xfe]))).toBe("-_-__g");
  });
});

describe("proof of work", () => {
  it.each([
    [[0xff], 0],
    [[0x01], 7],
    [[0x00, 0x80], 8],
    [[0x00, 0x0f], 12],
    [[0x00, 0x00], 16],
  ])("counts the zero bits of %j as %i", (bytes, bits) => {
    expect(leadingZeroBits(new Uint8Array(bytes))).toBe(bits);
  });

  it.each([0, 1, 8, 13])("finds a number for difficulty %i", async (difficulty) => {
    const solution = await solve("challenge", difficulty);
    expect(solution).toMatch(/^\d+$/);
    const hash = createHash("sha256").update(`challenge:${solution}`).digest();
    expect(leadingZeroBits(hash)).toBeGreaterThanOrEqual(difficulty);
  });

  it("refuses a difficulty that no visitor should be asked for", async () => {
    await expect(solve("challenge", 25)).rejects.toThrow("difficulty 25");
  });

  it("stops when it is told to", async () => {
    const stop = new AbortController();
    const work = solve("challenge", 24, stop.signal);
    stop.abort();
    await expect(work).rejects.toThrow();
  });
});

describe("the clock", () => {
  it("takes the gateway's time, and keeps going from there", () => {
    let now = 1000;
    const corrected = new CorrectedClock({ now: () => now });
    expect(corrected.correct("1970-01-01T00:01:00Z")).toBe(true);
    expect(corrected.now()).toBe(60_000);
    now += 5;
    expect(corrected.now()).toBe(60_005);
  });

  it("can be steady: never the same time twice, never back", () => {
    const times = [5, 5, 3, 9];
    const steady = new SteadyClock({ now: () => times.shift() ?? 0 });
    expect([steady.now(), steady.now(), steady.now(), steady.now()]).toEqual([5, 6, 7, 9]);
  });

  it("refuses a time that is none", () => {
    expect(new CorrectedClock(systemClock).correct("yesterday")).toBe(false);
  });
});

describe("problems", () => {
  it("keep what the gateway said", async () => {
    const body = { type: "t", title: "T", detail: "d", remedy: "r", server_time: "s" };
    const response = Response.json(body, { status: 429, headers: { "Retry-After": "7" } });
    const problem = await problemOf(response);
    const { status, type, detail, remedy, retryAfter, serverTime } = problem;
    expect({ status, type, detail, remedy, retryAfter, serverTime }).toEqual({
      status: 429,
      type: "t",
      detail: "d",
      remedy: "r",
      retryAfter: 7,
      serverTime: "s",
    });
  });

  it("survive a body that is not JSON", async () => {
    const problem = await problemOf(new Response("<html>", { status: 502 }));
    expect(problem.message).toBe("HTTP 502");
    expect(problem.passing).toBe(true);
  });

  it("take their status from an event, which has no other", () => {
    expect(problemFrom({ status: 503, title: "Stopping" }, 0)).toMatchObject({
      status: 503,
      detail: "Stopping",
    });
    expect(problemFrom(null, 0).status).toBe(0);
  });

  it.each([
    [400, false],
    [401, true],
    [409, true],
    [422, false],
    [429, true],
    [503, true],
  ])("say of %i whether another try may help: %s", (status, passing) => {
    expect(new Problem(status, "", "", "", undefined, undefined).passing).toBe(passing);
  });
});
