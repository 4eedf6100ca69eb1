// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Fanlight, FanlightCall } from "../../packages/widget/src/types.ts";
import { install } from "../../src/loader/api.ts";
import { findTag } from "../../src/loader/options.ts";

const GATEWAY = "https://chat.example";
const OPTIONS = {
  site: "site_demo",
  locale: "en",
  position: "right",
  accent: "",
  identity: "",
  greets: false,
  voice: false,
};

function load(site = "site_demo"): void {
  install({ ...OPTIONS, site, position: "right" }, GATEWAY);
}

function chat(): Fanlight {
  return window.fanlight as Fanlight;
}

function launchers(): readonly Element[] {
  return [...document.querySelectorAll("fanlight-launcher")];
}

function frame(): HTMLIFrameElement | null | undefined {
  return launchers()[0]?.shadowRoot?.querySelector("iframe");
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  if (window.fanlight && "destroy" in window.fanlight) window.fanlight.destroy();
  for (const left of launchers()) left.remove();
  delete window.fanlight;
});

describe("window.fanlight", () => {
  it("opens and closes, and tells who listens", () => {
    load();
    const heard: string[] = [];
    const { on, open, close } = chat();
    const stop = on("open", () => heard.push("open"));
    on("close", () => heard.push("close"));
    open();
    open();
    close();
    stop();
    open();
    expect(heard).toEqual(["open", "close"]);
  });

  it("asks, which opens", () => {
    load();
    const heard: unknown[] = [];
    chat().on("open", (detail) => heard.push(detail));
    chat().ask("Where?");
    expect(heard).toEqual([{}]);
    expect(frame()).not.toBeNull();
  });

  it("changes the language", () => {
    load();
    chat().setLocale("es-MX");
    const button = launchers()[0]?.shadowRoot?.querySelector("button");
    expect(button?.getAttribute("aria-label")).toBe("Abrir el chat");
  });

  it("takes a function for who the visitor is, or null, and nothing else", () => {
    load();
    chat().identify(() => "a.b.c");
    chat().open();
    expect(frame()?.src).toContain("#identity");
    chat().identify(null);
    expect(() => chat().identify("a.b.c" as never)).toThrow(TypeError);
    expect(() => chat().identify(undefined as never)).toThrow("a function or null");
  });

  it("is one, however often the script runs", () => {
    load();
    const first = chat();
    load();
    load("site_other");
    expect(launchers()).toHaveLength(1);
    expect(chat()).toBe(first);
  });

  it("stands beside the body, and stays when the page changes it", () => {
    load();
    document.documentElement.replaceChild(document.createElement("body"), document.body);
    expect(launchers()).toHaveLength(1);
    load();
    expect(launchers()).toHaveLength(1);
  });

  it("is made anew where the page took its launcher away", () => {
    load();
    const first = chat();
    launchers()[0]?.remove();
    load();
    expect(launchers()).toHaveLength(1);
    expect(chat()).not.toBe(first);
  });
});

describe("destroy()", () => {
  it("leaves nothing, and lets the script run again", () => {
    load();
    const gone = chat();
    gone.open();
    gone.destroy();
    expect(window.fanlight).toBeUndefined();
    expect("fanlight" in window).toBe(false);
    expect(launchers()).toEqual([]);
    gone.open();
    gone.ask("Where?");
    vi.advanceTimersByTime(15_000);
    expect(launchers()).toEqual([]);
    load();
    expect(launchers()).toHaveLength(1);
    gone.destroy();
    expect(launchers()).toHaveLength(1);
    expect(window.fanlight).toBeDefined();
  });

  it("listens to no message any more", () => {
    const added = vi.spyOn(window, "addEventListener");
    const removed = vi.spyOn(window, "removeEventListener");
    load();
    const [, hears] = added.mock.calls.find(([type]) => type === "message") ?? [];
    chat().destroy();
    expect(removed).toHaveBeenCalledWith("message", hears);
  });
});

describe("calls from before the script", () => {
  it("are made in order, each with the chat, and one that fails stops no other", async () => {
    const heard: string[] = [];
    const calls: FanlightCall[] = [
      ({ on }) => on("open", () => heard.push("opened")),
      ({ open }) => open(),
      ({ close }) => close(),
    ];
    window.fanlight = calls;
    load();
    expect(heard).toEqual([]);
    await vi.advanceTimersByTimeAsync(0);
    expect(heard).toEqual(["opened"]);
    expect(chat()).not.toBe(calls);
  });

  it("may be pushed later, just the same", async () => {
    load();
    const pushed = vi.fn();
    chat().push(pushed);
    await vi.advanceTimersByTimeAsync(0);
    expect(pushed).toHaveBeenCalledExactlyOnceWith(chat());
  });

  it("are not looked for in an element that has the name", () => {
    (window as { fanlight?: unknown }).fanlight = document.createElement("div");
    load();
    expect(typeof chat().open).toBe("function");
  });
});

describe("our tag", () => {
  const tag = (site: string) => {
    const made = document.createElement("script");
    made.dataset.site = site;
    return made;
  };
  const page = (current: Element | null, ...tags: readonly Element[]) => {
    const made = document.implementation.createHTMLDocument();
    made.head.append(...tags);
    Object.defineProperty(made, "currentScript", { value: current });
    return made;
  };

  it("is the one that runs", () => {
    const [one, two] = [tag("site_one"), tag("site_two")];
    expect(findTag(page(two, one, two))).toBe(two);
  });

  it.each([
    ["no tag runs", null],
    ["a bundle runs", document.createElement("script")],
    ["the page has an element of that name", document.createElement("img")],
  ])("is found by its site where %s", (_name, current) => {
    const own = tag("site_one");
    expect(findTag(page(current, tag("ANALYTICS"), own))).toBe(own);
  });

  it("may be missing", () => {
    expect(findTag(page(null, tag("ANALYTICS")))).toBeNull();
  });
});
