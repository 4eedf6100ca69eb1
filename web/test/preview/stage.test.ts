// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";
import type { Fanlight } from "../../packages/widget/src/types.ts";
import { readShown, Stage, type StageConfig } from "../../src/preview/stage.ts";

const CONFIG: StageConfig = {
  site_key: "site_demo",
  console: "https://console.example",
  locale: "en",
  theme: "auto",
};

const told: unknown[] = [];
let listening: MockInstance<typeof window.addEventListener>;

/** Every tag that was put on the page; the test says when the network brings its script. */
const tags: HTMLScriptElement[] = [];

/** The chat that a loader puts on the page. */
function chat() {
  const listeners = new Map<string, () => void>();
  return {
    open: vi.fn(),
    destroy: vi.fn(() => {
      delete window.fanlight;
    }),
    on: (event: string, listener: () => void) => listeners.set(event, listener),
    emit: (event: string) => listeners.get(event)?.(),
  };
}

/** The loader has come. */
function loaded(made = chat()) {
  window.fanlight = made as unknown as Fanlight;
  tags.at(-1)?.dispatchEvent(new Event("load"));
  return made;
}

function begin(hash = ""): void {
  history.replaceState(null, "", `/preview/site_demo${hash}`);
  new Stage(window, CONFIG).start();
}

function say(data: unknown, origin = CONFIG.console): void {
  window.dispatchEvent(new MessageEvent("message", { data, origin, source: window.parent }));
}

afterEach(() => {
  // A page has one stage; what the last one listened to would be heard by the next.
  for (const [name, listener] of listening.mock.calls) window.removeEventListener(name, listener);
  vi.restoreAllMocks();
});

beforeEach(() => {
  listening = vi.spyOn(window, "addEventListener");
  tags.length = 0;
  vi.spyOn(document.head, "append").mockImplementation((...nodes) => {
    tags.push(...(nodes as HTMLScriptElement[]));
  });
  delete window.fanlight;
  told.length = 0;
  vi.spyOn(window.parent, "postMessage").mockImplementation((...said: unknown[]) => {
    told.push(said);
  });
});

it.each([
  ["locale", "fr", ""],
  ["locale", 4, ""],
  ["locale", "he", "he"],
  ["position", "top", ""],
  ["position", "left", "left"],
  ["accent", "red", ""],
  ["accent", "#aabbcc", "#aabbcc"],
  ["theme", "pink", "auto"],
  ["theme", "", ""],
  ["theme", "dark", "dark"],
])("reads %s %j as %j", (name, value, read) => {
  const shown = readShown((one) => (one === name ? value : undefined));
  expect(shown).toHaveProperty(name, read);
});

describe("the stage", () => {
  it("has the chat as the address says, on a page in its language", () => {
    begin("#locale=he&position=left&accent=%23aa0000&theme=dark");
    const [tag] = tags;
    expect(tag?.getAttribute("src")).toBe("/preview/dark/loader.js");
    expect({ ...tag?.dataset }).toEqual({
      site: "site_demo",
      locale: "he",
      position: "left",
      accent: "#aa0000",
    });
    expect([document.documentElement.lang, document.documentElement.dir]).toEqual(["he", "rtl"]);
    expect(told).toEqual([[{ fanlight_preview: 1, what: "here" }, CONFIG.console]]);
  });

  it("leaves to page and site what is not chosen", () => {
    begin();
    expect({ ...tags[0]?.dataset }).toEqual({ site: "site_demo" });
    expect(tags[0]?.getAttribute("src")).toBe("/preview/auto/loader.js");
    expect(document.documentElement.lang).toBe("en");
  });

  it("opens the chat, and says when it is there", () => {
    begin();
    const made = loaded();
    expect(made.open).toHaveBeenCalledOnce();
    made.emit("ready");
    expect(told.at(-1)).toEqual([{ fanlight_preview: 1, what: "ready" }, CONFIG.console]);
  });

  it("opens it as if nobody had touched the page, and then forgets that", () => {
    const before = navigator.userActivation;
    begin();
    const made = chat();
    const seen: unknown[] = [];
    made.open.mockImplementation(() => seen.push(navigator.userActivation?.isActive));
    loaded(made);
    expect(seen).toEqual([false]);
    expect(navigator.userActivation).toBe(before);
  });

  it("loads it anew with another choice, open or closed as it was left", () => {
    begin();
    const first = loaded();
    first.emit("close");
    say({ fanlight_preview: 1, theme: "dark" });
    expect(first.destroy).toHaveBeenCalledOnce();
    expect(tags).toHaveLength(2);
    const second = loaded();
    expect(second.open).not.toHaveBeenCalled();
    second.emit("open");
    first.emit("close"); // one that is gone says nothing any more
    say({ fanlight_preview: 1, theme: "light" });
    expect(loaded().open).toHaveBeenCalledOnce();
  });

  it("stays as it is where nothing is new, and hears nobody but the console", () => {
    begin();
    const made = loaded();
    say({ fanlight_preview: 1 });
    say({ fanlight_preview: 1, theme: "dark" }, "https://evil.example");
    say({ theme: "dark" });
    say(null);
    window.dispatchEvent(
      new MessageEvent("message", { data: { fanlight_preview: 1, theme: "dark" } }),
    );
    expect(made.destroy).not.toHaveBeenCalled();
  });

  it("takes no notice of a loader that came too late", () => {
    begin();
    const [late] = tags;
    say({ fanlight_preview: 1, theme: "dark" });
    const made = chat();
    window.fanlight = made as unknown as Fanlight;
    late?.dispatchEvent(new Event("load"));
    expect(made.open).not.toHaveBeenCalled();
  });
});
