// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SignedCalls } from "../../src/trust/calls.ts";
import { CorrectedClock } from "../../src/trust/clock.ts";
import { makeKey } from "../../src/trust/key.ts";
import { leadingZeroBits } from "../../src/trust/pow.ts";
import { TURNSTILE_SCRIPT } from "../../src/trusted_types.ts";
import { GATEWAY, problem, TestGateway } from "./gateway.ts";

const WIDGET = { sitekey: "0x4", action: "site_demo", cdata: "thumbprint" };

type Options = Record<string, (value?: string) => unknown>;

/** Turnstile's script, as its documentation describes it; `act` is what the widget does. */
function script(act: (options: Options) => void) {
  const seen = { rendered: [] as Options[], removed: [] as string[] };
  const api = {
    render: (_: HTMLElement, options: Options) => {
      seen.rendered.push(options);
      queueMicrotask(() => act(options));
      return "w1";
    },
    remove: (id: string) => seen.removed.push(id),
  };
  return { seen, api };
}

/** The page's head, in which a script that is added "loads" as it is told. */
function page(event: "load" | "error", api?: object) {
  const added: string[] = [];
  vi.spyOn(document.head, "append").mockImplementation((...nodes) => {
    const tag = nodes[0] as HTMLScriptElement;
    added.push(tag.src);
    vi.stubGlobal("turnstile", api);
    queueMicrotask(() => tag.dispatchEvent(new Event(event)));
  });
  return added;
}

async function token(): Promise<string> {
  const { turnstileToken } = await import("../../src/trust/turnstile.ts");
  return turnstileToken(WIDGET);
}

beforeEach(() => {
  vi.resetModules();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe("the widget", () => {
  it("gives a token that is bound to what the gateway named, and leaves nothing behind", async () => {
    const { seen, api } = script((options) => options.callback?.("0.token"));
    const added = page("load", api);
    expect(await token()).toBe("0.token");
    expect(await token()).toBe("0.token");
    expect(added).toEqual([TURNSTILE_SCRIPT]);
    expect(seen.rendered[0]).toMatchObject({ ...WIDGET, appearance: "interaction-only" });
    expect(seen.removed).toEqual(["w1", "w1"]);
    expect(document.querySelector(".turnstile")).toBeNull();
  });

  it.each([
    ["error-callback", "110200"],
    ["expired-callback", undefined],
    ["unsupported-callback", undefined],
  ])("is given up on %s", async (name, code) => {
    const { api } = script((options) => options[name]?.(code));
    page("load", api);
    await expect(token()).rejects.toThrow("Turnstile");
    expect(document.querySelector(".turnstile")).toBeNull();
  });

  it("is given up when its script is blocked, and tried again later", async () => {
    page("error");
    await expect(token()).rejects.toThrow("cannot be had");
    const { api } = script((options) => options.callback?.("0.token"));
    page("load", api);
    expect(await token()).toBe("0.token");
  });

  it("is given up when its script brings nothing", async () => {
    page("load");
    await expect(token()).rejects.toThrow("not what it was");
  });

  it("is not waited for without end", async () => {
    vi.useFakeTimers();
    const { api } = script(() => undefined);
    page("load", api);
    const late = expect(token()).rejects.toThrow("too late");
    await vi.advanceTimersByTimeAsync(20_000);
    await late;
  });
});

describe("a session behind Turnstile", () => {
  async function opened(
    turnstile: ((widget: object) => Promise<string>) | undefined,
    gateway = new TestGateway(),
  ) {
    gateway.answers.set("/v1/ping", () => Response.json({ ok: true }));
    gateway.answers.set("/v1/challenges", ({ body }) =>
      Response.json(
        body.without
          ? { challenge: "c", kind: "pow", difficulty: 6 }
          : { challenge: "c", kind: "turnstile", difficulty: 0, turnstile: WIDGET },
      ),
    );
    const key = await makeKey();
    const calls = new SignedCalls({
      fetch: gateway.fetch,
      clock: new CorrectedClock(),
      gateway: GATEWAY,
      authority: "chat.example",
      siteKey: "site_demo",
      key: async () => key,
      locale: () => "en",
      consent: () => ({ memory: false, training: false }),
      turnstile,
    });
    const sent = await calls.send({ method: "POST", path: "/v1/ping", body: "{}" }).catch(String);
    return { gateway, sent };
  }

  const solutions = (gateway: TestGateway) =>
    gateway.calls("/v1/sessions").map(({ body }) => body.solution);

  it("is opened with the widget's token", async () => {
    const widgets: object[] = [];
    const { gateway } = await opened(async (widget) => {
      widgets.push(widget);
      return "0.token";
    });
    expect(widgets).toEqual([WIDGET]);
    expect(solutions(gateway)).toEqual(["0.token"]);
  });

  it.each([
    ["the widget gives none", () => Promise.reject(new Error("blocked"))],
    ["there is no widget", undefined],
  ])("is opened by a proof of work where %s", async (_name, turnstile) => {
    const { gateway } = await opened(turnstile);
    expect(gateway.calls("/v1/challenges").map(({ body }) => body.without)).toEqual([
      undefined,
      "turnstile",
    ]);
    const [solution] = solutions(gateway);
    const text = new TextEncoder().encode(`c:${solution}`);
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", text));
    expect(leadingZeroBits(hash)).toBeGreaterThanOrEqual(6);
  });

  it("asks for another challenge when the gateway had no verdict, and only once", async () => {
    const gateway = new TestGateway();
    const type = "https://fanlight.dev/problems/bad-challenge";
    gateway.answers.set("/v1/sessions", () => problem(400, { type, detail: "no verdict" }));
    const { sent } = await opened(async () => "0.token", gateway);
    expect(sent).toContain("no verdict");
    expect(gateway.calls("/v1/sessions")).toHaveLength(2);
  });
});
