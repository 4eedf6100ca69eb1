import { describe, expect, it } from "vitest";
import { Api, Trouble } from "../../src/console/api";
import { type LineState, Live } from "../../src/console/live";
import { escalation, Gateway, NOW, TOKEN } from "./gateway";

async function trouble(call: Promise<unknown>): Promise<Trouble> {
  const caught = await call.then(
    () => null,
    (error: unknown) => error,
  );
  if (!(caught instanceof Trouble)) throw new Error(`not a trouble: ${caught}`);
  return caught;
}

describe("calls", () => {
  const begin = async () => {
    const gateway = new Gateway();
    gateway.items = [escalation(1)];
    const api = new Api(gateway.ports().fetch, () => NOW);
    await api.session();
    return { gateway, api, id: String(escalation(1).id) };
  };

  it("carry the CSRF token when they change something, and only then", async () => {
    const { gateway, api, id } = await begin();
    await api.reply(id, { content: "Hello", resolve: false, seen: 1 }, "key_a");
    await api.resolve(id, 1);
    await api.resend(id);
    await api.page("open");
    await api.logOut();
    const changes = gateway.calls.filter((call) => call.method !== "GET");
    expect(changes.map((call) => call.headers.get("X-CSRF-Token"))).toEqual(
      Array(4).fill("csrf_1"),
    );
    expect(gateway.sent("GET", "/escalations")[0]?.headers.has("X-CSRF-Token")).toBe(false);
    expect(gateway.sent("POST", "/replies")[0]?.headers.get("Idempotency-Key")).toBe("key_a");
  });

  it("renew a CSRF token that is no longer accepted, once", async () => {
    const { gateway, api, id } = await begin();
    gateway.csrf = "csrf_2";
    await api.resolve(id, 1);
    expect(
      gateway.sent("POST", "/resolve").map((call) => call.headers.get("X-CSRF-Token")),
    ).toEqual(["csrf_1", "csrf_2"]);
  });

  it("give up on a refusal that has nothing to do with the token", async () => {
    const { gateway, api, id } = await begin();
    gateway.fail("POST /resolve", 403, { detail: "Not yours" });
    expect((await trouble(api.resolve(id, 1))).detail).toBe("Not yours");
    expect(gateway.sent("POST", "/resolve")).toHaveLength(1);
  });

  it("read the session after log-in", async () => {
    const { api } = await begin();
    expect(await api.logIn(TOKEN)).toEqual({ operator: "ada", csrf: "csrf_1" });
  });

  it.each([
    [401, "signed_out"],
    [404, "refused"],
    [422, "refused"],
    [429, "limited"],
    [503, "broken"],
  ])("call a %d %s", async (status, kind) => {
    const { gateway, api } = await begin();
    gateway.fail("GET /escalations", status, { title: "T" });
    expect(await trouble(api.page("all"))).toMatchObject({ kind, status, detail: "T" });
  });

  it.each([
    ["41", 41],
    [new Date(NOW + 10_000).toUTCString(), 10],
    ["later", null],
  ])("read Retry-After: %s", async (header, seconds) => {
    const { gateway, api } = await begin();
    gateway.fail("GET /escalations", 429, {}, { "Retry-After": header });
    expect((await trouble(api.page("all"))).retryAfter).toBe(seconds);
  });

  it("say when no answer came, or none that can be read", async () => {
    const { gateway, api, id } = await begin();
    gateway.failures.set("GET /escalations", () => new Response("<html>", { status: 200 }));
    expect((await trouble(api.page("all"))).kind).toBe("broken");
    gateway.failures.set("GET /escalations", () => new Response("<html>", { status: 502 }));
    expect(await trouble(api.page("all"))).toMatchObject({ kind: "broken", detail: "" });
    gateway.reachable = false;
    expect((await trouble(api.escalation(id))).kind).toBe("unreachable");
  });
});

describe("the live line", () => {
  const begin = () => {
    const gateway = new Gateway();
    const states: LineState[] = [];
    const heard: string[] = [];
    const { openLine, after, random } = gateway.ports();
    const live = new Live({
      open: openLine,
      after,
      random,
      onState: (state) => states.push(state),
      onEscalation: (id) => heard.push(id),
      onKnowledge: (site) => heard.push(site),
      onPersonality: (site) => heard.push(`${site} speaks`),
      onBudget: ({ site, period, reached, usedUp }) =>
        heard.push(`${site} ${period} ${reached} ${usedUp}`),
      onReturn: () => heard.push("returned"),
      onRefused: () => heard.push("refused"),
    });
    live.start();
    return { gateway, live, states, heard };
  };

  it("is live only once it opened", () => {
    const { gateway, live, states } = begin();
    live.start();
    expect(states).toEqual(["connecting"]);
    gateway.line.opens();
    expect(states).toEqual(["connecting", "live"]);
    expect(gateway.lines).toHaveLength(1);
  });

  it("passes on escalations and survives what it cannot read", () => {
    const { gateway, heard } = begin();
    for (const data of ['{"id":"e_1"}', "}", '{"id":4}', "null"]) gateway.line.says(data);
    expect(heard).toEqual(["e_1"]);
  });

  it("passes on budgets, read with suspicion", () => {
    const { gateway, heard } = begin();
    const said = { site: "site_demo", period: "month", reached: 0.8, used_up: true };
    gateway.line.says(JSON.stringify(said), "budget");
    for (const data of ["}", "null", '{"period":"day"}']) gateway.line.says(data, "budget");
    gateway.line.says('{"site":"site_demo","period":"year","reached":"x"}', "budget");
    expect(heard).toEqual(["site_demo month 0.8 true", "site_demo day 0 false"]);
  });

  it("leaves a lost connection to the browser, and says when it is back", () => {
    const { gateway, states, heard } = begin();
    gateway.line.opens();
    gateway.line.breaks();
    gateway.line.opens();
    expect(states).toEqual(["connecting", "live", "reconnecting", "live"]);
    expect(heard).toEqual(["returned"]);
    expect(gateway.lines).toHaveLength(1);
  });

  it("opens another after a refusal, waiting longer each time", () => {
    const { gateway, heard } = begin();
    const waits: number[] = [];
    for (let round = 0; round < 7; round += 1) {
      gateway.line.breaks(true);
      waits.push(...gateway.waits());
      gateway.pass(30_000);
    }
    expect(waits).toEqual([750, 1500, 3000, 6000, 12000, 22500, 22500]);
    expect(heard.every((word) => word === "refused")).toBe(true);
    expect(gateway.lines).toHaveLength(8);
  });

  it("tries at once when asked, if it is broken", () => {
    const { gateway, live } = begin();
    live.retry();
    expect(gateway.lines).toHaveLength(1);
    const old = gateway.line;
    old.breaks(true);
    live.retry();
    expect(gateway.lines).toHaveLength(2);
    old.breaks(true);
    expect(gateway.waits()).toEqual([]);
  });

  it("stays closed once it is stopped", () => {
    const { gateway, live } = begin();
    gateway.line.breaks(true);
    live.stop();
    gateway.pass(60_000);
    expect(gateway.lines).toHaveLength(1);
  });
});
