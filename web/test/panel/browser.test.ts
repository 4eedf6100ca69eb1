// @vitest-environment happy-dom
import { afterEach, describe, expect, it, vi } from "vitest";
import { applyAccent } from "../../src/panel/color.ts";
import { readConfig } from "../../src/panel/config.ts";
import { HostBridge, type HostListener } from "../../src/panel/host.ts";
import { exclusively } from "../../src/panel/locks.ts";
import { KeyRing } from "../../src/panel/ring.ts";
import { MemoryStore } from "../../src/vault/store.ts";
import { CONFIG } from "./panel.ts";

const SHOP = "https://shop.example";

interface Embedder {
  readonly ancestor?: string;
  readonly referrer?: string;
  readonly framed?: boolean;
}

/** The panel's window, as much of it as the bridge uses, in a page that listens. */
function bridge({ ancestor, referrer = "", framed = true }: Embedder = {}) {
  const said: [Record<string, unknown>, string][] = [];
  const heard: unknown[] = [];
  const parent = {
    postMessage: (message: Record<string, unknown>, origin: string) => said.push([message, origin]),
  };
  const target = new EventTarget();
  const page = Object.assign(target, {
    location: ancestor ? { ancestorOrigins: [ancestor] } : {},
    document: { referrer },
  }) as unknown as Window;
  Object.assign(page, { parent: framed ? parent : page });
  const listener: HostListener = {
    hello: (hello) => heard.push(hello),
    shown: () => heard.push("shown"),
    hidden: () => heard.push("hidden"),
    ask: (text) => heard.push(text),
    greeted: (name) => heard.push(["greeted", name]),
    who: (known) => heard.push(known),
  };
  const made = new HostBridge(page, [SHOP], listener);
  made.start();
  const tell = (data: unknown, origin = SHOP, source: unknown = framed ? parent : page) => {
    const event = new Event("message");
    target.dispatchEvent(Object.assign(event, { data, origin, source }));
  };
  return { made, said, heard, tell };
}

describe("the talk with the host page", () => {
  it.each([
    ["the browser names it", { ancestor: SHOP }],
    ["the referrer is its origin", { referrer: SHOP }],
    ["the referrer is one of its pages", { referrer: `${SHOP}/page` }],
  ])("begins at once where %s", (_name, embedder) => {
    expect(bridge(embedder).said).toEqual([[{ fanlight: 1, type: "ready" }, SHOP]]);
  });

  it.each([
    ["an origin that may not embed", { ancestor: "https://evil.example" }],
    ["one that only looks alike", { referrer: "https://shop.example.evil.example/" }],
    ["nobody known", {}],
  ])("does not begin with %s", (_name, embedder) => {
    expect(bridge(embedder).said).toEqual([]);
  });

  it("answers only to the origin that greeted", () => {
    const { made, said, heard, tell } = bridge();
    made.close();
    expect(said).toEqual([]);
    tell({ fanlight: 1, type: "hello", locale: "es", accent: "#fff" });
    tell({ fanlight: 1, type: "shown" });
    tell({ fanlight: 1, type: "hidden" });
    made.unread(2);
    made.theme({ accent: "#123", label: "Chat", dir: "ltr" });
    expect(heard).toEqual([{ locale: "es", accent: "#fff" }, "shown", "hidden"]);
    expect(said.map(([, origin]) => origin)).toEqual([SHOP, SHOP]);
    expect(said[1]?.[0]).toEqual({
      fanlight: 1,
      type: "theme",
      accent: "#123",
      label: "Chat",
      dir: "ltr",
    });
  });

  it.each([
    ["another origin", { fanlight: 1, type: "shown" }, "https://evil.example", undefined],
    ["another window", { fanlight: 1, type: "shown" }, SHOP, {}],
    ["somebody else's message", { type: "shown" }, SHOP, undefined],
    ["text", "shown", SHOP, undefined],
    ["nothing", null, SHOP, undefined],
  ])("believes nothing from %s", (_name, data, origin, source) => {
    const { heard, tell } = bridge();
    if (source) tell(data, origin, source);
    else tell(data, origin);
    expect(heard).toEqual([]);
  });

  it("does not take itself for a host page", () => {
    const { heard, tell } = bridge({ framed: false });
    tell({ fanlight: 1, type: "shown" });
    expect(heard).toEqual([]);
  });

  it("takes a hello for what it is", () => {
    const { heard, tell } = bridge();
    tell({ fanlight: 1, type: "hello", locale: 7, accent: "x".repeat(300) });
    expect(heard).toEqual([{ locale: "", accent: "x".repeat(200) }]);
  });
});

describe("what the host page asks for", () => {
  it("is heard field by field", () => {
    const { heard, tell } = bridge();
    tell({ fanlight: 1, type: "ask", text: "Where?" });
    tell({ fanlight: 1, type: "ask", text: { toString: "Where?" } });
    tell({ fanlight: 1, type: "who", known: true });
    tell({ fanlight: 1, type: "who", known: "yes" });
    expect(heard).toEqual(["Where?", true, false]);
  });

  it("is told what happens, and when the panel goes", () => {
    const { made, said } = bridge({ ancestor: SHOP });
    made.tell({ type: "message", from: "visitor" });
    made.restarting();
    expect(said.slice(1)).toEqual([
      [{ fanlight: 1, type: "message", from: "visitor" }, SHOP],
      [{ fanlight: 1, type: "restarting" }, SHOP],
    ]);
  });
});

describe("the host page's word for its visitor", () => {
  const question = { fanlight: 1, type: "identify", thumbprint: "t" };

  it("is asked for at once where the page is known, and taken from it alone", async () => {
    const { made, said, tell } = bridge({ ancestor: SHOP });
    const jwt = made.identify("t");
    expect(said[1]).toEqual([question, SHOP]);
    tell({ fanlight: 1, type: "identity", jwt: "evil" }, "https://evil.example");
    tell({ fanlight: 1, type: "identity", jwt: "a.b.c" });
    expect(await jwt).toBe("a.b.c");
  });

  it("is asked for once the page has greeted, and only once", async () => {
    const { made, said, tell } = bridge();
    const jwt = made.identify("t");
    expect(said).toEqual([]);
    tell({ fanlight: 1, type: "hello" });
    tell({ fanlight: 1, type: "shown" });
    expect(said).toEqual([[question, SHOP]]);
    tell({ fanlight: 1, type: "identity", jwt: "" });
    expect(await jwt).toBe("");
  });

  it.each([null, 5, "x".repeat(4097)])("is refused where it is none", async (jwt) => {
    const { made, tell } = bridge({ ancestor: SHOP });
    const asked = made.identify("t");
    tell({ fanlight: 1, type: "identity", jwt });
    await expect(asked).rejects.toThrow("cannot say");
  });

  it("is not waited for without end, and not from an earlier question", async () => {
    vi.useFakeTimers();
    const { made, tell } = bridge({ ancestor: SHOP });
    const first = expect(made.identify("1")).rejects.toThrow("asked again");
    const second = expect(made.identify("2")).rejects.toThrow("does not answer");
    await vi.advanceTimersByTimeAsync(5000);
    await Promise.all([first, second]);
    vi.useRealTimers();
    tell({ fanlight: 1, type: "identity", jwt: "late" });
    tell({ fanlight: 1, type: "identity", jwt: "later" });
  });
});

describe("one at a time", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  const locks = (request: unknown) => vi.stubGlobal("navigator", { locks: { request } });

  it("waits its turn where the browser has no locks, whatever became of the last one", async () => {
    const order: number[] = [];
    const failing = exclusively("a", async () => {
      await Promise.resolve();
      order.push(1);
      throw new Error("first");
    });
    const next = exclusively("a", async () => order.push(2));
    await expect(failing).rejects.toThrow("first");
    await next;
    expect(order).toEqual([1, 2]);
  });

  it("asks the browser where it can", async () => {
    const names: unknown[] = [];
    locks((name: string, options: object, work: () => unknown) => {
      names.push([name, Object.keys(options)]);
      return work();
    });
    expect(await exclusively("a", async () => 1)).toBe(1);
    expect(await exclusively("b", async () => 2, new AbortController().signal)).toBe(2);
    expect(names).toEqual([
      ["a", []],
      ["b", ["signal"]],
    ]);
  });

  it("goes on where locks are refused, once", async () => {
    locks(() => Promise.reject(new DOMException("blocked", "SecurityError")));
    expect(await exclusively("a", async () => 1)).toBe(1);
    locks((_name: string, _options: object, work: () => unknown) => work());
    const failing = () => Promise.reject(new Error("the work itself"));
    await expect(exclusively("a", failing)).rejects.toThrow("the work itself");
    const stop = new AbortController();
    stop.abort();
    locks(() => Promise.reject(new DOMException("stopped", "AbortError")));
    await expect(exclusively("a", async () => 1, stop.signal)).rejects.toThrow("stopped");
  });
});

describe("the key ring", () => {
  it("keeps one key, and puts it where it may", async () => {
    const ring = new KeyRing();
    const key = await ring.key();
    const store = new MemoryStore();
    await ring.keepIn(store);
    expect(await ring.key()).toBe(key);
    const next = new KeyRing();
    await next.keepIn(store);
    expect((await next.key()).thumbprint).toBe(key.thumbprint);
    next.forget();
    expect((await next.key()).thumbprint).not.toBe(key.thumbprint);
  });

  it("works in memory where the browser keeps no keys", async () => {
    const ring = new KeyRing();
    const store = new MemoryStore();
    store.put = () => Promise.reject(new DOMException("no", "DataCloneError"));
    await ring.keepIn(store);
    expect((await ring.key()).thumbprint).toMatch(/^[\w-]{43}$/);
  });
});

describe("the page", () => {
  it("carries the configuration", () => {
    const page = new DOMParser().parseFromString("<p></p>", "text/html");
    const script = page.createElement("script");
    script.id = "fanlight-config";
    script.type = "application/json";
    script.textContent = JSON.stringify(CONFIG);
    page.body.append(script);
    expect(readConfig(page)).toEqual(CONFIG);
  });

  it("gets the accent as properties, for both kinds of page", () => {
    const root = document.createElement("div");
    applyAccent("#1f5f8b", root);
    expect(root.style.getPropertyValue("--accent-fill-light")).toBe("rgb(31 95 139)");
    expect(root.style.getPropertyValue("--accent-text-dark")).toMatch(/^rgb\(/);
  });
});
