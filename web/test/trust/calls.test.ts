import { beforeEach, describe, expect, it } from "vitest";
import { SignedCalls } from "../../src/trust/calls.ts";
import { CorrectedClock } from "../../src/trust/clock.ts";
import { makeKey } from "../../src/trust/key.ts";
import { GATEWAY, problem, TestGateway } from "./gateway.ts";

const PING = { method: "POST", path: "/v1/ping", body: "{}" } as const;

let gateway: TestGateway;
let now: number;
let clock: CorrectedClock;
let calls: SignedCalls;

beforeEach(() => {
  gateway = new TestGateway();
  gateway.answers.set("/v1/ping", () => Response.json({ ok: true }));
  now = 1_767_366_000_000;
  clock = new CorrectedClock({ now: () => now });
  const key = makeKey();
  calls = new SignedCalls({
    fetch: gateway.fetch,
    clock,
    gateway: GATEWAY,
    authority: "chat.example",
    siteKey: "site_demo",
    key: () => key,
    locale: () => "es",
    consent: () => ({ memory: true, training: false }),
  });
});

describe("a session", () => {
  it("is opened for the first call, with the visitor's consent, and used for the next", async () => {
    await calls.send(PING);
    await calls.send(PING);
    expect(gateway.calls("/v1/sessions")).toHaveLength(1);
    expect(gateway.calls("/v1/sessions")[0]?.body).toMatchObject({
      site_key: "site_demo",
      locale: "es",
      consent: { memory: true, training: false },
    });
    expect(gateway.calls("/v1/ping")[1]?.headers.get("Authorization")).toBe("Bearer token-1");
  });

  it("is opened once for calls that start together", async () => {
    await Promise.all([calls.send(PING), calls.send(PING), calls.warm()]);
    expect(gateway.sessions).toBe(1);
  });

  it("is renewed before it runs out", async () => {
    await calls.send(PING);
    now += 545_000;
    await calls.send(PING);
    expect(gateway.calls("/v1/sessions/renew")[0]?.headers.get("Authorization")).toBe(
      "Bearer token-1",
    );
    expect(gateway.calls("/v1/ping")[1]?.headers.get("Authorization")).toBe("Bearer token-2");
  });

  it("is opened anew when it can be renewed no more", async () => {
    await calls.send(PING);
    gateway.answers.set("/v1/sessions/renew", () => problem(401));
    now += 600_000;
    await calls.send(PING);
    expect(gateway.calls("/v1/sessions")).toHaveLength(2);
  });

  it("stays closed while the gateway is down", async () => {
    await calls.send(PING);
    gateway.answers.set("/v1/sessions/renew", () => problem(503));
    now += 600_000;
    await expect(calls.send(PING)).rejects.toMatchObject({ status: 503 });
  });

  it("is opened anew, once, when its token is refused", async () => {
    let refusals = 1;
    gateway.answers.set("/v1/ping", () => (refusals-- > 0 ? problem(401) : Response.json({})));
    await calls.send(PING);
    expect(gateway.sessions).toBe(2);
    gateway.answers.set("/v1/ping", () => problem(401));
    await expect(calls.send(PING)).rejects.toMatchObject({ status: 401 });
    expect(gateway.sessions).toBe(3);
  });

  it("that was dropped while it was being opened does not come back", async () => {
    const warming = calls.warm();
    calls.reset();
    await warming;
    await calls.send(PING);
    expect(gateway.calls("/v1/sessions")).toHaveLength(2);
  });

  it("refuses a kind of challenge that it does not know", async () => {
    gateway.answers.set("/v1/challenges", () => Response.json({ kind: "turnstile" }));
    await expect(calls.send(PING)).rejects.toThrow("turnstile");
    gateway.answers.set("/v1/challenges", () => problem(429));
    await expect(calls.send(PING)).rejects.toMatchObject({ status: 429 });
    await expect(calls.warm()).resolves.toBeUndefined();
  });
});

describe("a wrong clock", () => {
  const stale = () => problem(401, { server_time: "2027-01-01T00:00:00Z" });

  it("is corrected once, by the gateway's time", async () => {
    let refusals = 1;
    gateway.answers.set("/v1/ping", () => (refusals-- > 0 ? stale() : Response.json({})));
    await calls.send(PING);
    expect(clock.now()).toBe(Date.parse("2027-01-01T00:00:00Z"));
    const created = Date.parse("2027-01-01T00:00:00Z") / 1000;
    const input = gateway.calls("/v1/ping")[1]?.headers.get("Signature-Input");
    expect(input).toContain(`created=${created}`);
  });

  it("is corrected while a session is opened, too", async () => {
    let refusals = 1;
    const open = gateway.answers.get("/v1/sessions");
    gateway.answers.set("/v1/sessions", (seen) =>
      refusals-- > 0 ? stale() : (open?.(seen) ?? problem(500)),
    );
    await calls.send(PING);
    expect(gateway.calls("/v1/sessions")).toHaveLength(2);
  });

  it("is given up when it is refused again", async () => {
    gateway.answers.set("/v1/ping", stale);
    await expect(calls.send(PING)).rejects.toMatchObject({ status: 401 });
    expect(gateway.calls("/v1/ping")).toHaveLength(4);
  });
});

describe("receipts", () => {
  it("make a chain: the last one goes with the next call", async () => {
    gateway.answers.set("/v1/ping", () => Response.json({}, { headers: { "X-Integrity": "r1" } }));
    await calls.send(PING);
    await calls.send(PING);
    expect(gateway.calls("/v1/ping").map(({ headers }) => headers.get("X-Integrity"))).toEqual([
      null,
      "r1",
    ]);
    calls.keepReceipt("r2");
    calls.keepReceipt(undefined);
    await calls.send(PING);
    expect(gateway.calls("/v1/ping")[2]?.headers.get("X-Integrity")).toBe("r2");
  });

  it("start again with a new session", async () => {
    calls.keepReceipt("r1");
    calls.reset();
    await calls.send(PING);
    expect(gateway.calls("/v1/ping")[0]?.headers.has("X-Integrity")).toBe(false);
  });
});

describe("a call", () => {
  it("sends unsigned headers beside the signed ones, and its query", async () => {
    gateway.answers.set("/v1/list", () => Response.json({}));
    const call = { method: "GET", path: "/v1/list", query: "a=1" } as const;
    await calls.send(call, { headers: { "Last-Event-ID": "4" } });
    expect(gateway.calls("/v1/list")[0]?.headers.get("Last-Event-ID")).toBe("4");
  });

  it("does not wait for a session once it is stopped", async () => {
    gateway.answers.set("/v1/challenges", () => new Promise(() => undefined));
    const stop = new AbortController();
    const call = calls.send(PING, { signal: stop.signal });
    stop.abort();
    await expect(call).rejects.toThrow();
    await expect(calls.send(PING, { signal: stop.signal })).rejects.toThrow();
  });
});
