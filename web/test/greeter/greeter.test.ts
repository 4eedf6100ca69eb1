// @vitest-environment happy-dom
/** When a greeting comes, how often, and what the bubble is. */
import { beforeEach, describe, expect, it, vi } from "vitest";
import { place, say } from "../../src/greeter/bubble.ts";
import { Greeter, type GreeterOptions } from "../../src/greeter/greeter.ts";
import { type Greeting, isFor, type Page, readPage } from "../../src/greeter/greeting.ts";
import { allows, arrived, MarkStore, type Marks } from "../../src/greeter/marks.ts";
import { ConsentRecord } from "../../src/vault/consent.ts";
import { BrokenStorage, TestStorage } from "../vault/storage.ts";

const PAGE: Page = {
  origin: "https://shop.example",
  path: "/pricing",
  depth: 30,
  locale: "en",
  accent: "",
  fresh: true,
};
const HELLO: Greeting = {
  name: "hello",
  text: { en: "Hello", he: "שלום" },
  pages: [],
  after_s: 3,
  scroll: 0,
  once: "week",
};
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = 1_800_000_000_000;

describe("the pages of a greeting", () => {
  it.each<[readonly string[], string, boolean]>([
    [[], "/anything", true],
    [["/pricing"], "/pricing", true],
    [["/pricing"], "/pricing/", true],
    [["/pricing/"], "/pricing", true],
    [["/pricing"], "/pricing/team", false],
    [["/docs/*"], "/docs/a/b", true],
    [["/docs/*"], "/documents", false],
    [["/*/sale"], "/shoes/sale", true],
    [["/"], "/", true],
    [["/"], "/more", false],
    [["/a.b"], "/axb", false],
    [["https://shop.example/pricing"], "/pricing", true],
    [["https://other.example/pricing"], "/pricing", false],
    [["!/checkout/*"], "/pricing", true],
    [["!/checkout/*"], "/checkout/pay", false],
    [["/shop/*", "!/shop/cart"], "/shop/cart", false],
    [["/shop/*", "!/shop/cart"], "/shop/shoes", true],
  ])("%j on %s: %s", (pages, path, expected) => {
    expect(isFor({ ...HELLO, pages }, { ...PAGE, path })).toBe(expected);
  });

  it("takes what a host page says only as what it should be", () => {
    const odd = { path: 7, depth: "9", locale: null, accent: {}, fresh: "yes" };
    expect(readPage(odd, "https://shop.example")).toEqual({
      ...{ origin: "https://shop.example", path: "", depth: 0 },
      ...{ locale: "", accent: "", fresh: false },
    });
  });
});

/** A browser that has agreed to memory, or has not. */
function browser(memory: boolean, site = "site_demo", storage = new TestStorage()) {
  const clock = { now: START };
  const consent = new ConsentRecord(site, () => storage);
  if (memory) consent.write({ memory: true, training: false });
  const marks = () =>
    new MarkStore(
      "site_demo",
      () => storage,
      () => clock.now,
    );
  return { storage, clock, consent, marks };
}

function greeterOf(
  marks: MarkStore,
  greetings: readonly Greeting[] = [HELLO],
  changes: Partial<GreeterOptions> = {},
) {
  const shown: [string, string][] = [];
  const hide = vi.fn();
  const greeter = new Greeter({
    config: { greetings, locales: ["en", "es", "he"], default_locale: "en" },
    marks,
    languages: ["en-GB"],
    hidden: () => false,
    show: ({ name }, locale) => shown.push([name, locale]),
    hide,
    ...changes,
  });
  const ticks = (count: number, page: Partial<Page> = {}) => {
    for (let n = 0; n < count; n += 1) greeter.tick({ ...PAGE, ...page });
  };
  return { greeter, shown, hide, ticks };
}

describe("the greeter", () => {
  it("waits until the page has been looked at for long enough", () => {
    const { shown, ticks } = greeterOf(browser(false).marks());
    ticks(2);
    expect(shown).toEqual([]);
    ticks(1);
    expect(shown).toEqual([["hello", "en"]]);
  });

  it("does not count while nobody looks", () => {
    let hidden = true;
    const { shown, ticks } = greeterOf(browser(false).marks(), [HELLO], { hidden: () => hidden });
    ticks(9);
    expect(shown).toEqual([]);
    hidden = false;
    ticks(3);
    expect(shown).toHaveLength(1);
  });

  it("waits until enough of the page has been seen, and scrolling back takes nothing away", () => {
    const { shown, ticks } = greeterOf(browser(false).marks(), [{ ...HELLO, scroll: 60 }]);
    ticks(5, { depth: 59 });
    expect(shown).toEqual([]);
    const again = greeterOf(browser(false).marks(), [{ ...HELLO, scroll: 60 }]);
    again.ticks(1, { depth: 61 });
    again.ticks(2, { depth: 20 });
    expect(again.shown).toHaveLength(1);
  });

  it("counts anew where a router shows another page", () => {
    const { shown, ticks } = greeterOf(browser(false).marks());
    ticks(2);
    ticks(2, { path: "/other" });
    expect(shown).toEqual([]);
    ticks(1, { path: "/other" });
    expect(shown).toHaveLength(1);
  });

  it("greets in the page's language, and not in one that it has no words in", () => {
    const hebrew = greeterOf(browser(false).marks());
    hebrew.ticks(3, { locale: "he-IL" });
    expect(hebrew.shown).toEqual([["hello", "he"]]);
    const spanish = greeterOf(browser(false).marks());
    spanish.ticks(30, { locale: "es" });
    expect(spanish.shown).toEqual([]);
  });

  it("speaks what the visitor chose in the panel", () => {
    const { consent, marks } = browser(true);
    consent.write({ memory: true, training: false, locale: "he" });
    const { shown, ticks } = greeterOf(marks());
    ticks(3);
    expect(shown).toEqual([["hello", "he"]]);
  });

  it("takes the first greeting that fits, and greets once a page", () => {
    const elsewhere = { ...HELLO, name: "elsewhere", pages: ["/docs/*"] };
    const second = { ...HELLO, name: "second" };
    const { shown, ticks } = greeterOf(browser(false).marks(), [elsewhere, HELLO, second]);
    ticks(60);
    expect(shown).toEqual([["hello", "en"]]);
  });

  it("goes with the page that it was for", () => {
    const { hide, ticks } = greeterOf(browser(false).marks(), [{ ...HELLO, pages: ["/pricing"] }]);
    ticks(5);
    expect(hide).not.toHaveBeenCalled();
    ticks(2, { path: "/docs" });
    expect(hide).toHaveBeenCalledTimes(1);
  });

  it("comes no more on this page once it was closed", () => {
    const { greeter, shown, hide, ticks } = greeterOf(browser(false).marks());
    ticks(3);
    greeter.close();
    ticks(30);
    expect(hide).toHaveBeenCalledTimes(1);
    expect(shown).toHaveLength(1);
  });
});

describe("before the visitor has agreed to memory", () => {
  it("nothing is stored", () => {
    const { storage, marks } = browser(false);
    const { greeter, ticks } = greeterOf(marks());
    marks().arrive();
    ticks(3);
    greeter.close();
    expect(storage.length).toBe(0);
  });

  it("a greeting comes on the page that the visitor came by, and on no other", () => {
    const later = greeterOf(browser(false).marks());
    later.ticks(60, { fresh: false });
    expect(later.shown).toEqual([]);
  });

  it("another site's consent is not this one's", () => {
    const { marks } = browser(true, "site_demo2");
    const later = greeterOf(marks());
    later.ticks(60, { fresh: false });
    expect(later.shown).toEqual([]);
  });

  it.each([
    ["not JSON", "{"],
    ["declined", JSON.stringify({ memory: false })],
  ])("a consent that is %s is none", (_, text) => {
    const { storage, marks } = browser(false);
    storage.setItem("fanlight.consent.v1:site_demo", text);
    expect(marks().allows(HELLO, false)).toBe(false);
    expect(marks().allows(HELLO, true)).toBe(true);
  });

  it("a browser that refuses storage is as one that was not asked", () => {
    const broken = new BrokenStorage("read");
    const { marks } = browser(false, "site_demo", broken);
    expect(marks().allows(HELLO, false)).toBe(false);
    expect(marks().locale).toBeUndefined();
  });
});

describe("with memory", () => {
  /** Whether it comes on another page, so much later. */
  function again(once: Greeting["once"], later: number, close = false): boolean {
    const { clock, marks } = browser(true);
    const greeting = { ...HELLO, once };
    const first = greeterOf(marks(), [greeting]);
    marks().arrive();
    first.ticks(3, { fresh: false });
    expect(first.shown).toHaveLength(1);
    if (close) first.greeter.close();
    clock.now += later;
    marks().arrive();
    const second = greeterOf(marks(), [greeting]);
    second.ticks(3, { fresh: false });
    return second.shown.length > 0;
  }

  it.each<[Greeting["once"], number, boolean]>([
    ["visit", HOUR / 4, false],
    ["visit", HOUR, true],
    ["day", HOUR, false],
    ["day", DAY, true],
    ["week", 6 * DAY, false],
    ["week", 7 * DAY, true],
    ["ever", 400 * DAY, false],
  ])("once a %s: %d ms later %s", (once, later, expected) => {
    expect(again(once, later)).toBe(expected);
  });

  it.each<Greeting["once"]>(["visit", "day", "week", "ever"])(
    "closed is closed for good, once a %s or not",
    (once) => {
      expect(again(once, 400 * DAY, true)).toBe(false);
    },
  );

  it("a closed greeting keeps the others away for the rest of the visit", () => {
    const { clock, marks } = browser(true);
    const other = { ...HELLO, name: "other" };
    const { greeter, ticks } = greeterOf(marks());
    marks().arrive();
    ticks(3);
    greeter.close();
    expect(marks().allows(other, true)).toBe(false);
    clock.now += HOUR;
    expect(marks().allows(other, true)).toBe(true);
  });

  it("is forgotten with the consent", () => {
    const { storage, consent, marks } = browser(true);
    marks().shown(HELLO);
    expect(storage.length).toBe(2);
    consent.forget();
    expect(storage.length).toBe(0);
  });

  it("is kept under a signed-in visitor's own name", () => {
    const { storage, consent, marks } = browser(true, "site_demo.abc");
    marks().shown(HELLO);
    expect(marks().allows(HELLO, true)).toBe(false);
    expect(storage.getItem("fanlight.greetings.v1:site_demo.abc")).toContain("hello");
    consent.forget();
    expect(storage.length).toBe(0);
  });

  it("survives what is not ours in its place", () => {
    const { storage, marks } = browser(true);
    for (const text of ["{", "[]", '{"greetings": {"hello": 5, "x": {"at": "y"}}, "began": "z"}']) {
      storage.setItem("fanlight.greetings.v1:site_demo", text);
      expect(marks().allows(HELLO, false)).toBe(true);
    }
  });

  it("goes on where the disk is full", () => {
    const full = new BrokenStorage("write");
    vi.spyOn(full, "length", "get").mockReturnValue(1);
    vi.spyOn(full, "key").mockReturnValue("fanlight.consent.v1:site_demo");
    vi.spyOn(full, "getItem").mockReturnValue(JSON.stringify({ memory: true, greetings: {} }));
    const { marks } = browser(false, "site_demo", full);
    expect(() => marks().shown(HELLO)).not.toThrow();
  });
});

describe("a visit", () => {
  const marks: Marks = { began: START, last: START, quiet: true, greetings: {} };

  it("goes on while pages are looked at, and ends after half an hour", () => {
    expect(arrived(marks, START + HOUR / 2)).toMatchObject({ began: START, quiet: true });
    expect(arrived(marks, START + HOUR)).toMatchObject({ began: START + HOUR, quiet: false });
  });

  it("begins anew where the clock was put back", () => {
    expect(arrived(marks, START - DAY)).toMatchObject({ began: START - DAY, quiet: false });
  });

  it("greets nobody who is tired of it", () => {
    expect(allows(marks, HELLO, START)).toBe(false);
  });
});

describe("the bubble", () => {
  beforeEach(() => {
    document.body.replaceChildren();
  });

  it("is announced politely, runs as its language does, and takes no focus", () => {
    const at = place(document);
    expect(at.getAttribute("role")).toBe("status");
    expect(at.textContent).toBe("");
    say(at, "שלום", "he", { open: () => undefined, close: () => undefined });
    expect(at.textContent).toBe("שלום");
    expect(document.documentElement.dir).toBe("rtl");
    expect(document.documentElement.lang).toBe("he");
    expect(document.activeElement).toBe(document.body);
  });

  it("opens by its words, and closes by its cross and by Escape", () => {
    const [open, close] = [vi.fn(), vi.fn()];
    say(place(document), "Hello", "en", { open, close });
    const [words, cross] = document.querySelectorAll("button");
    words?.click();
    expect(open).toHaveBeenCalledTimes(1);
    expect(cross?.getAttribute("aria-label")).toBe("Close this message");
    cross?.click();
    expect(close).toHaveBeenCalledTimes(1);
    document.documentElement.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
    expect(close).toHaveBeenCalledTimes(2);
    document.documentElement.dispatchEvent(new KeyboardEvent("keydown", { key: "a" }));
    expect(close).toHaveBeenCalledTimes(2);
  });

  it("takes the site's words as words", () => {
    say(place(document), "<img src=x onerror=alert(1)>", "en", {
      open: () => undefined,
      close: () => undefined,
    });
    expect(document.querySelector("img")).toBeNull();
  });
});
