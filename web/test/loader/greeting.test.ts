// @vitest-environment happy-dom
/** The greeter's frame beside the launcher: what it is told, and what is believed of what it says. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Launcher } from "../../src/loader/launcher.ts";
import type { LoaderOptions } from "../../src/loader/options.ts";

const GATEWAY = "https://chat.example";
const OPTIONS: LoaderOptions = {
  site: "site_demo",
  locale: "en",
  position: "right",
  accent: "#0a0",
  identity: "",
  greets: true,
  voice: false,
};
const TEXT = "Anything we can help with?";

type Message = Readonly<Record<string, unknown>>;

/** The launcher, with windows that listen in the places of its frames'. */
function mount(options: Partial<LoaderOptions> = {}) {
  const launcher = new Launcher({ ...OPTIONS, ...options }, GATEWAY, () => undefined);
  document.body.append(launcher.host);
  const root = launcher.host.shadowRoot as ShadowRoot;
  const told: Message[] = [];
  const panelTold: Message[] = [];
  const frameOf = (page: string) =>
    root.querySelector<HTMLIFrameElement>(`iframe[src*="/${page}/"]`);
  const windowOf = (page: string, heard: Message[]) => {
    const frame = frameOf(page);
    if (!frame) return undefined;
    const made = { postMessage: (message: Message) => heard.push(message) };
    if (!(frame.contentWindow as { made?: boolean } | null)?.made) {
      Object.defineProperty(frame, "contentWindow", { value: { ...made, made: true } });
    }
    return frame.contentWindow;
  };
  const say = (page: string, data: object, origin = GATEWAY) => {
    const source = windowOf(page, page === "greet" ? told : panelTold);
    const event = new MessageEvent("message", { data: { fanlight: 1, ...data }, origin });
    Object.defineProperty(event, "source", { value: source });
    window.dispatchEvent(event);
  };
  return {
    launcher,
    root,
    told,
    panelTold,
    say,
    greeter: () => frameOf("greet"),
    tip: () => root.querySelector<HTMLElement>(".tip"),
    button: root.querySelector("button") as HTMLButtonElement,
    /** The greeter has come, and greets. */
    greet: (fields: object = {}) => {
      vi.advanceTimersByTime(1000);
      say("greet", { type: "ready" });
      say("greet", { type: "greet", name: "hello", text: TEXT, height: 71, ...fields });
    },
  };
}

function cameBy(referrer: string, type = 0, canGoBack = false): void {
  vi.spyOn(document, "referrer", "get").mockReturnValue(referrer);
  vi.stubGlobal("performance", { ...performance, navigation: { type } });
  Object.defineProperty(window, "navigation", { value: { canGoBack }, configurable: true });
}

beforeEach(() => {
  const { console: own } = document.defaultView as unknown as { console: Console };
  vi.spyOn(own, "error").mockImplementation(() => undefined);
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  document.body.replaceChildren();
});

describe("a site that greets", () => {
  it("has the greeter fetched a second later, and no other site has", () => {
    const greets = mount();
    expect(greets.greeter()).toBeNull();
    vi.advanceTimersByTime(1000);
    expect(greets.greeter()?.getAttribute("src")).toBe(`${GATEWAY}/greet/site_demo`);
    expect(greets.greeter()?.title).toBe("Open the chat");
    const others = mount({ greets: false });
    vi.advanceTimersByTime(5000);
    expect(others.greeter()).toBeNull();
  });

  it("is told each second where the visitor is, once it can hear", () => {
    const { told, say, launcher } = mount();
    vi.advanceTimersByTime(4000);
    expect(told).toEqual([]);
    say("greet", { type: "ready" });
    launcher.setLocale("he");
    vi.advanceTimersByTime(2000);
    expect(told).toHaveLength(2);
    expect(told[0]).toMatchObject({ fanlight: 1, type: "page", path: location.pathname });
    expect(told[0]).toMatchObject({ locale: "he", accent: "#0a0" });
  });

  it.each([
    ["from elsewhere", "https://search.example/", 0, false, true],
    ["from nowhere", "", 0, false, true],
    ["from another page of the site", `${location.origin}/before`, 0, false, false],
    ["loaded again", "", 1, false, false],
    ["back in history", "", 2, false, false],
    ["after another page in this tab", "", 0, true, false],
  ])("knows a visitor who came %s", (_, referrer, type, canGoBack, fresh) => {
    cameBy(referrer, type, canGoBack);
    const { told, say } = mount();
    vi.advanceTimersByTime(1000);
    say("greet", { type: "ready" });
    vi.advanceTimersByTime(1000);
    expect(told[0]).toMatchObject({ fresh });
  });
});

describe("a greeting", () => {
  it("stands beside the launcher, which tells of it", () => {
    const { greet, tip, button, root } = mount();
    greet();
    expect(tip()?.classList.contains("open")).toBe(true);
    expect(tip()?.style.height).toBe("71px");
    expect(button.getAttribute("aria-label")).toBe(`Open the chat, 1: ${TEXT}`);
    expect(root.querySelector(".badge")?.textContent).toBe("1");
    expect(root.activeElement).toBeNull();
  });

  it("goes when it is closed, and the focus that was in it stays near", () => {
    const { greet, say, tip, button, root, told } = mount();
    greet();
    vi.spyOn(document, "activeElement", "get").mockReturnValue(root.host);
    const focus = vi.spyOn(button, "focus");
    say("greet", { type: "greet" });
    expect(tip()).toBeNull();
    expect(focus).toHaveBeenCalled();
    expect(button.getAttribute("aria-label")).toBe("Open the chat");
    expect(root.querySelector(".badge")?.textContent).toBe("");
    const before = told.length;
    vi.advanceTimersByTime(5000);
    expect(told).toHaveLength(before);
  });

  it("leaves the focus alone where it was elsewhere", () => {
    const { greet, say, button } = mount();
    greet();
    const focus = vi.spyOn(button, "focus");
    say("greet", { type: "greet" });
    expect(focus).not.toHaveBeenCalled();
  });

  it("opens the chat, which goes on from it", () => {
    const { greet, say, tip, panelTold, button } = mount();
    greet();
    say("greet", { type: "open" });
    expect(tip()).toBeNull();
    expect(button.getAttribute("aria-expanded")).toBe("true");
    say("panel", { type: "ready" });
    say("panel", { type: "theme", accent: "", label: "Chat", dir: "ltr" });
    expect(panelTold).toContainEqual({ fanlight: 1, type: "greeting", name: "hello" });
  });

  it("never comes over an open panel, nor after one", () => {
    const { greeter, launcher } = mount();
    launcher.toggle(true);
    vi.advanceTimersByTime(5000);
    expect(greeter()).toBeNull();
    launcher.toggle(false);
    vi.advanceTimersByTime(5000);
    expect(greeter()).toBeNull();
  });

  it("is not believed of anybody else", () => {
    const { say, tip } = mount();
    vi.advanceTimersByTime(1000);
    say("greet", { type: "greet", name: "x", text: "Bad", height: 9 }, "https://evil.example");
    expect(tip()?.classList.contains("open")).toBe(false);
    window.postMessage({ fanlight: 1, type: "greet", text: "Bad" }, "*");
    vi.advanceTimersByTime(10);
    expect(tip()?.classList.contains("open")).toBe(false);
  });

  it("goes with the chat", () => {
    const { greet, launcher, told } = mount();
    greet();
    launcher.end();
    const before = told.length;
    vi.advanceTimersByTime(5000);
    expect(told).toHaveLength(before);
    expect(document.querySelector("fanlight-launcher")).toBeNull();
  });
});
