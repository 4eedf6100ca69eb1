// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Launcher } from "../../src/loader/launcher.ts";
import { type LoaderOptions, readOptions } from "../../src/loader/options.ts";
import { inkOn } from "../../src/loader/style.ts";
import { wordsFor } from "../../src/loader/words.ts";

const GATEWAY = "https://chat.example";
const OPTIONS: LoaderOptions = {
  site: "site_demo",
  locale: "en",
  position: "right",
  accent: "",
  identity: "",
  greets: false,
  voice: false,
};

interface Told {
  readonly message: Record<string, unknown>;
  readonly origin: string;
}

/** The launcher on a page, its frame's window replaced by one that listens. */
function mount(options: Partial<LoaderOptions> = {}) {
  const events: unknown[] = [];
  const launcher = new Launcher({ ...OPTIONS, ...options }, GATEWAY, (name, detail) =>
    events.push([name, detail]),
  );
  const { host } = launcher;
  document.body.append(host);
  const root = host.shadowRoot as ShadowRoot;
  const button = root.querySelector("button") as HTMLButtonElement;
  const told: Told[] = [];
  const panel = {
    postMessage: (message: Record<string, unknown>, origin: string) =>
      told.push({ message, origin }),
  };
  const frame = () => {
    const found = root.querySelector("iframe");
    if (found && found.contentWindow !== (panel as unknown)) {
      Object.defineProperty(found, "contentWindow", { value: panel });
    }
    return found;
  };
  const say = (data: object, source: unknown = panel, origin = GATEWAY) => {
    frame();
    const event = new MessageEvent("message", { data: { fanlight: 1, ...data }, origin });
    Object.defineProperty(event, "source", { value: source });
    window.dispatchEvent(event);
  };
  const load = () => frame()?.dispatchEvent(new Event("load"));
  return {
    launcher,
    events,
    host,
    root,
    button,
    frame,
    say,
    load,
    told,
    types: () => told.map(({ message }) => message.type),
  };
}

beforeEach(() => {
  // happy-dom fetches no frame's page in a unit test, and says so on its own console each time.
  const { console: own } = document.defaultView as unknown as { console: Console };
  vi.spyOn(own, "error").mockImplementation(() => undefined);
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  document.body.replaceChildren();
});

describe("the launcher", () => {
  it("fetches nothing until it is used", () => {
    const { frame, button } = mount();
    expect(frame()).toBeNull();
    expect(button.getAttribute("aria-expanded")).toBe("false");
    expect(button.getAttribute("aria-label")).toBe("Open the chat");
  });

  it.each(["pointerenter", "focus", "click"])("fetches the panel on %s", (type) => {
    const { frame, button } = mount();
    button.dispatchEvent(new Event(type));
    expect(frame()?.getAttribute("src")).toBe(`${GATEWAY}/panel/site_demo`);
    expect(frame()?.title).toBe("Open the chat");
  });

  it.each([
    [false, "clipboard-write"],
    [true, "clipboard-write;microphone"],
  ])("lets the panel use the microphone only where the page says so: %s", (voice, allowed) => {
    const { frame, button } = mount({ voice });
    button.click();
    expect(frame()?.allow).toBe(allowed);
  });

  it("keeps one frame through opening and closing", () => {
    const { root, button } = mount();
    for (let n = 0; n < 4; n += 1) button.click();
    expect(root.querySelectorAll("iframe")).toHaveLength(1);
  });

  it("says whether it is open", () => {
    const { button } = mount();
    button.click();
    expect(button.getAttribute("aria-expanded")).toBe("true");
    expect(button.getAttribute("aria-label")).toBe("Close the chat");
    button.click();
    expect(button.getAttribute("aria-expanded")).toBe("false");
  });

  it("closes on Escape and takes the focus back", () => {
    const { host, root, button } = mount();
    button.click();
    host.dispatchEvent(new KeyboardEvent("keydown", { key: "a" }));
    expect(button.getAttribute("aria-expanded")).toBe("true");
    host.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
    expect(button.getAttribute("aria-expanded")).toBe("false");
    expect(root.activeElement).toBe(button);
  });

  it("brings its style without a style element", () => {
    const { root } = mount();
    expect(root.adoptedStyleSheets).toHaveLength(1);
    expect(root.querySelector("style")).toBeNull();
  });
});

describe("the talk with the panel", () => {
  it("begins with a greeting, once the panel is there", () => {
    const { button, frame, load, told } = mount({ locale: "es", accent: "#abc" });
    button.click();
    frame();
    expect(told).toEqual([]);
    load();
    const hello = {
      fanlight: 1,
      type: "hello",
      locale: "es",
      accent: "#abc",
      page_title: document.title,
    };
    expect(told[0]).toEqual({ message: hello, origin: GATEWAY });
    expect(told[1]?.message.type).toBe("shown");
  });

  it("greets again when the panel says that it is ready", () => {
    const { button, say, types } = mount();
    button.click();
    say({ type: "ready" });
    expect(types()).toEqual(["hello", "shown"]);
  });

  it("tells when the panel is shown and hidden", () => {
    const { button, load, types } = mount();
    button.dispatchEvent(new Event("pointerenter"));
    load();
    button.click();
    button.click();
    expect(types()).toEqual(["hello", "shown", "hidden"]);
  });

  it("closes when the panel asks for it, and returns the focus", () => {
    const { root, button, say } = mount();
    button.click();
    say({ type: "close" });
    expect(button.getAttribute("aria-expanded")).toBe("false");
    expect(root.activeElement).toBe(button);
    say({ type: "close" });
    expect(button.getAttribute("aria-expanded")).toBe("false");
  });

  it("shows what has not been read, in the badge and in words", () => {
    const { root, button, say } = mount();
    button.dispatchEvent(new Event("focus"));
    say({ type: "unread", count: 2 });
    expect(root.querySelector(".badge")?.textContent).toBe("2");
    expect(button.getAttribute("aria-label")).toBe("Open the chat, new replies: 2");
    say({ type: "unread", count: 0 });
    expect(root.querySelector(".badge")?.textContent).toBe("");
    say({ type: "unread", count: "many" });
    expect(root.querySelector(".badge")?.textContent).toBe("");
    say({ type: "unread", count: 500 });
    expect(root.querySelector(".badge")?.textContent).toBe("99");
  });

  it("takes the site's accent, label and direction", () => {
    const { host, button, frame, say } = mount();
    button.dispatchEvent(new Event("focus"));
    say({ type: "theme", accent: "#ffffff", label: "צ׳אט", dir: "rtl" });
    expect(host.style.getPropertyValue("--accent")).toBe("#ffffff");
    expect(host.style.getPropertyValue("--ink")).toBe("#111316");
    expect(host.dir).toBe("rtl");
    expect(frame()?.title).toBe("צ׳אט");
    expect(button.getAttribute("aria-label")).toBe("צ׳אט");
    say({ type: "theme", accent: "red;x", dir: "sideways" });
    expect(host.style.getPropertyValue("--accent")).toBe("#ffffff");
    expect(host.dir).toBe("ltr");
  });

  it("prefers the tag's accent to the site's", () => {
    const { host, button, say } = mount({ accent: "#102030" });
    button.dispatchEvent(new Event("focus"));
    say({ type: "theme", accent: "#ffffff", label: "", dir: "ltr" });
    expect(host.style.getPropertyValue("--accent")).toBe("#102030");
  });

  it.each([
    ["another window", {}, GATEWAY],
    ["another origin", undefined, "https://evil.example"],
    ["no window", null, GATEWAY],
  ])("believes nothing from %s", (_name, source, origin) => {
    const { root, button, say } = mount();
    button.click();
    say({ type: "unread", count: 3 }, source, origin);
    expect(root.querySelector(".badge")?.textContent).toBe("");
  });

  it("passes over messages that are not its own", () => {
    const { root, button, say } = mount();
    button.click();
    say({ fanlight: 2, type: "close" });
    say({ type: "unheard-of" });
    expect(root.querySelector(".sheet")?.classList.contains("open")).toBe(true);
  });
});

describe("the site's word for its visitor", () => {
  const identity = "http://localhost:3000/identity";

  /** The page's own server. */
  function server(answer: () => Promise<Response>) {
    const calls: [string, RequestInit][] = [];
    vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
      calls.push([url, init]);
      return answer();
    });
    return calls;
  }

  async function asked(answer: () => Promise<Response>, options: Partial<LoaderOptions>) {
    const calls = server(answer);
    const { button, frame, say, told } = mount(options);
    button.click();
    const src = frame()?.getAttribute("src");
    say({ type: "identify", thumbprint: "t" });
    await vi.advanceTimersByTimeAsync(0);
    vi.unstubAllGlobals();
    return { calls, src, answers: told.filter(({ message }) => message.type === "identity") };
  }

  it("is fetched for the panel's key and given to the gateway's origin alone", async () => {
    const answer = async () => new Response("a.b.c");
    const { calls, src, answers } = await asked(answer, { identity });
    expect(src).toBe(`${GATEWAY}/panel/site_demo#identity`);
    expect(calls[0]?.[0]).toBe(identity);
    expect(calls[0]?.[1].method).toBe("POST");
    expect(JSON.parse(String(calls[0]?.[1].body))).toEqual({ site: "site_demo", thumbprint: "t" });
    expect(answers).toEqual([
      { message: { fanlight: 1, type: "identity", jwt: "a.b.c" }, origin: GATEWAY },
    ]);
  });

  it.each([
    ["nobody is signed in", async () => new Response(null, { status: 204 }), ""],
    ["the server refuses", async () => new Response("no", { status: 403 }), null],
    ["the server is not there", () => Promise.reject(new TypeError("network")), null],
  ])("is empty, or none, where %s", async (_name, answer, jwt) => {
    const { answers } = await asked(answer, { identity });
    expect(answers[0]?.message.jwt).toBe(jwt);
  });

  it("is not asked for where the tag names no server", async () => {
    const { calls, src, answers } = await asked(async () => new Response("a.b.c"), {});
    expect(src).toBe(`${GATEWAY}/panel/site_demo`);
    expect([calls, answers]).toEqual([[], []]);
  });

  it.each([
    ["/identity", `${location.origin}/identity`],
    ["https://evil.example/identity", ""],
    ["http://", ""],
    ["", ""],
  ])("comes from the page's own origin: %s", (written, taken) => {
    const tag = document.createElement("script");
    tag.dataset.site = "site_demo";
    tag.dataset.identity = written;
    expect(readOptions(tag, document.documentElement)?.identity).toBe(taken);
  });
});

describe("what the page is told", () => {
  /** A panel that hears: it has sent its look. */
  function ready() {
    const mounted = mount();
    mounted.button.click();
    mounted.load();
    mounted.say({ type: "theme", accent: "", label: "x", dir: "ltr" });
    return mounted;
  }

  it("is that it opens, is there, and closes", () => {
    const { events, button } = ready();
    button.click();
    expect(events).toEqual([
      ["open", {}],
      ["ready", {}],
      ["close", {}],
    ]);
  });

  it("is who said something, and never what", () => {
    const { events, say } = ready();
    events.length = 0;
    say({ type: "message", from: "visitor", text: "a secret" });
    say({ type: "message", from: "person" });
    say({ type: "escalated", question: "a secret" });
    say({ type: "reply" });
    say({ type: "error", reason: "limited" });
    say({ type: "unread", count: 1 });
    say({ type: "unread", count: 1 });
    expect(events).toEqual([
      ["message", { from: "visitor" }],
      ["message", { from: "person" }],
      ["escalated", {}],
      ["reply", {}],
      ["error", { reason: "limited" }],
      ["unread", { count: 1 }],
    ]);
  });

  it.each([
    ["a speaker that there is not", { type: "message", from: "<b>" }],
    ["a reason that there is not", { type: "error", reason: { toString: "limited" } }],
    ["an event that there is not", { type: "open" }],
    ["a count that is none", { type: "unread", count: "many" }],
    ["a count below nothing", { type: "unread", count: -1 }],
  ])("is not %s", (_name, message) => {
    const { events, say } = ready();
    events.length = 0;
    say(message);
    expect(events).toEqual([]);
  });

  it("is that the panel does not come", () => {
    const { events, button } = mount();
    button.click();
    vi.advanceTimersByTime(15_000);
    expect(events).toEqual([
      ["open", {}],
      ["error", { reason: "unreachable" }],
    ]);
  });
});

describe("what the page asks of the panel", () => {
  const look = { type: "theme", accent: "", label: "x", dir: "ltr" };

  it("waits until the panel has been composed", () => {
    const { launcher, load, say, told, types } = mount();
    launcher.ask("one");
    launcher.ask("two");
    load();
    say({ type: "ready" });
    expect(types()).not.toContain("ask");
    say(look);
    const asked = told.filter(({ message }) => message.type === "ask");
    expect(asked.map(({ message }) => message.text)).toEqual(["one", "two"]);
    launcher.ask("three");
    expect(told.at(-1)?.message).toEqual({ fanlight: 1, type: "ask", text: "three" });
  });

  it("waits again while the panel starts over", () => {
    const { events, launcher, load, say, types } = mount();
    launcher.toggle(true);
    load();
    say(look);
    say({ type: "restarting" });
    launcher.ask("one");
    expect(types()).not.toContain("ask");
    say(look);
    expect(types().at(-1)).toBe("ask");
    expect(events.filter((event) => (event as unknown[])[0] === "ready")).toHaveLength(2);
  });

  it("is the language, in the launcher's own words and in the panel's", () => {
    const { launcher, button, load, told } = mount();
    launcher.setLocale("es");
    expect(button.getAttribute("aria-label")).toBe("Abrir el chat");
    button.click();
    load();
    expect(told[0]?.message.locale).toBe("es");
    launcher.setLocale("he");
    expect(told.at(-2)?.message.locale).toBe("he");
    expect(button.getAttribute("aria-label")).toBe("סגירת הצ׳אט");
  });

  it("is who its visitor is, by a function from now on", async () => {
    const { launcher, button, frame, say, told } = mount();
    const asked: unknown[] = [];
    launcher.identify(async (question) => {
      asked.push(question);
      return "a.b.c";
    });
    button.click();
    expect(frame()?.getAttribute("src")).toBe(`${GATEWAY}/panel/site_demo#identity`);
    say({ type: "identify", thumbprint: "t" });
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toEqual([{ site: "site_demo", thumbprint: "t" }]);
    expect(told.at(-1)?.message).toEqual({ fanlight: 1, type: "identity", jwt: "a.b.c" });
  });

  it.each([
    ["nobody", () => null, ""],
    ["a failure", () => Promise.reject(new Error("no")), null],
    [
      "a throw",
      () => {
        throw new Error("no");
      },
      null,
    ],
  ])("is %s where the function says so", async (_name, source, jwt) => {
    const { launcher, button, say, told } = mount();
    launcher.identify(source);
    button.click();
    say({ type: "identify", thumbprint: "t" });
    await vi.advanceTimersByTimeAsync(0);
    expect(told.at(-1)?.message.jwt).toBe(jwt);
  });

  it("tells a panel that is there that its visitor has come or gone", () => {
    const { launcher, button, load, say, told } = mount();
    button.click();
    load();
    say(look);
    launcher.identify(() => "a.b.c");
    expect(told.at(-1)?.message).toEqual({ fanlight: 1, type: "who", known: true });
    launcher.identify(null);
    expect(told.at(-1)?.message).toEqual({ fanlight: 1, type: "who", known: false });
  });
});

describe("the focus", () => {
  it("goes back to the page's own button that opened the chat", () => {
    const own = document.createElement("button");
    document.body.append(own);
    const { launcher, say } = mount();
    own.focus();
    launcher.toggle(true);
    say({ type: "close" });
    expect(document.activeElement).toBe(own);
  });

  it("stays where the visitor writes when the page closes the chat", () => {
    const field = document.createElement("input");
    document.body.append(field);
    const { launcher, button } = mount();
    button.click();
    field.focus();
    launcher.toggle(false);
    expect(document.activeElement).toBe(field);
  });

  it("is not taken by a chat that opens of itself", () => {
    const field = document.createElement("input");
    document.body.append(field);
    field.focus();
    vi.stubGlobal("navigator", { userActivation: { isActive: false } });
    mount().launcher.toggle(true);
    vi.unstubAllGlobals();
    expect(document.activeElement).toBe(field);
  });
});

describe("a panel that does not come", () => {
  it("is said in words, and fetched again when the chat is opened again", () => {
    const { root, button, frame } = mount({ locale: "es-MX" });
    button.click();
    vi.advanceTimersByTime(15_000);
    expect(root.querySelector("[role=status]")?.textContent).toContain("No se puede llegar");
    expect(frame()).toBeNull();
    button.click();
    button.click();
    expect(frame()).not.toBeNull();
    expect(root.querySelector("[role=status]")?.textContent).toBe("");
  });

  it("is not mourned when it came", () => {
    const { root, button, say } = mount();
    button.click();
    say({ type: "theme", accent: "", label: "x", dir: "ltr" });
    vi.advanceTimersByTime(15_000);
    expect(root.querySelector("[role=status]")?.textContent).toBe("");
  });
});

describe("the script tag", () => {
  const read = (
    dataset: Record<string, string>,
    page: Partial<Record<"lang" | "dir", string>> = {},
  ) => {
    const tag = document.createElement("script");
    Object.assign(tag.dataset, dataset);
    const html = document.createElement("html");
    html.lang = page.lang ?? "";
    html.style.direction = page.dir ?? "ltr";
    document.body.append(html);
    return readOptions(tag, html);
  };

  it("must name a site", () => {
    expect(read({})).toBeUndefined();
  });

  it("leaves the rest to the page", () => {
    expect(read({ site: "s" }, { lang: "en-GB" })).toEqual({
      site: "s",
      locale: "en-GB",
      position: "right",
      accent: "",
      identity: "",
      greets: false,
      voice: false,
    });
    expect(read({ site: "s", greetings: "", voice: "" })).toMatchObject({
      greets: true,
      voice: true,
    });
    expect(read({ site: "s" }, { lang: "he", dir: "rtl" })?.position).toBe("left");
  });

  it("decides where it speaks", () => {
    const tag = { site: "s", locale: "es", position: "left", accent: "#0a0" };
    expect(read(tag)).toEqual({ ...tag, identity: "", greets: false, voice: false });
    expect(read({ site: "s", position: "top", accent: "red" })).toMatchObject({
      position: "right",
      accent: "",
    });
  });
});

describe("the ink on the launcher", () => {
  it.each([
    ["#ffffff", "#111316"],
    ["#fff", "#111316"],
    ["#f2b134", "#111316"],
    ["#1f5f8b", "#fff"],
    ["#000", "#fff"],
  ])("on %s is %s", (accent, ink) => {
    expect(inkOn(accent)).toBe(ink);
  });
});

describe("the launcher's words", () => {
  it.each([
    ["he-IL", "פתיחת הצ׳אט"],
    ["ES", "Abrir el chat"],
    ["fr", "Open the chat"],
    ["", "Open the chat"],
  ])("in %j say %j", (locale, words) => {
    expect(wordsFor(locale).open).toBe(words);
  });
});
