import { describe, expect, it } from "vitest";
import { directionOfText } from "../../src/i18n/direction.ts";
import en from "../../src/i18n/en.json";
import es from "../../src/i18n/es.json";
import he from "../../src/i18n/he.json";
import { chooseLocale, directionOf, isLocale, LOCALES, offered } from "../../src/i18n/locale.ts";
import { ENGLISH, loadStrings, speaker } from "../../src/i18n/strings.ts";
import { accentFor, contrast, luminance, parseColor } from "../../src/panel/color.ts";
import { parseConfig } from "../../src/panel/config.ts";
import { parseTurn } from "../../src/panel/gateway.ts";
import {
  awaitsReply,
  exchanges,
  withAnswered,
  withEntry,
  withEscalation,
} from "../../src/panel/lines.ts";
import { dayIn } from "../../src/panel/question.ts";
import { dataOf, EventParser, eventsOf } from "../../src/panel/sse.ts";
import { sends } from "../../src/panel/views/composer.tsx";
import { formatTime, otherLanguage, sureness } from "../../src/panel/views/exchange.tsx";
import { nextIndex } from "../../src/panel/views/menu.tsx";
import type { Kept } from "../../src/vault/talks.ts";
import { event, sse } from "../trust/gateway.ts";

describe("the panel's words", () => {
  const placeholders = (value: unknown) =>
    [...new Set(JSON.stringify(value).match(/\{\w+\}/g))].sort();

  it.each([
    ["es", es],
    ["he", he],
  ])("in %s are complete", (locale, strings: Readonly<Record<string, unknown>>) => {
    expect(Object.keys(strings)).toEqual(Object.keys(en));
    const needed = new Intl.PluralRules(locale).resolvedOptions().pluralCategories;
    for (const [key, english] of Object.entries(en)) {
      if (typeof english === "string")
        expect(placeholders(strings[key]), key).toEqual(placeholders(english));
      // "many" is for millions, which no sentence of ours counts.
      else
        for (const form of needed)
          if (form !== "many") expect(strings[key], key).toHaveProperty(form);
    }
  });

  it.each(LOCALES)("in %s can be loaded", async (locale) => {
    expect(Object.keys(await loadStrings(locale))).toEqual(Object.keys(ENGLISH));
  });

  it("count as the language does", async () => {
    const hebrew = speaker("he", await loadStrings("he"));
    const english = speaker("en", ENGLISH);
    expect(english("problem.limited", { n: 1 })).toContain("1 second,");
    expect(english("problem.limited", { n: 30 })).toContain("30 seconds,");
    expect(hebrew("problem.limited", { n: 2 })).toContain("שתי שניות");
    expect(hebrew("problem.limited", { n: 7 })).toContain("7 שניות");
    expect(english("problem.limited")).toContain("{n}");
  });

  it("fill in names, and leave alone what they are not given", () => {
    const say = speaker("en", ENGLISH);
    expect(say("launcher", { name: "Harbour Lamps" })).toBe("Chat with Harbour Lamps");
    expect(say("launcher")).toBe("Chat with {name}");
  });
});

describe("the language", () => {
  const site = { browser: ["fr", "es-MX", "en"], site: ["en", "es", "he"], siteDefault: "en" };

  it.each([
    ["the visitor's choice first", { ...site, chosen: "he", host: "es" }, "he"],
    ["then the host page's", { ...site, host: "he-IL" }, "he"],
    ["then the browser's", { ...site, host: "fr" }, "es"],
    ["then the site's", { ...site, browser: ["fr"] }, "en"],
    ["old Hebrew", { ...site, host: "iw" }, "he"],
    [
      "never one that the site lacks",
      { ...site, chosen: "he", site: ["es"], siteDefault: "es" },
      "es",
    ],
    ["never one that this build lacks", { ...site, site: ["fr"], siteDefault: "fr" }, "en"],
    ["a default that the site lacks", { browser: [], site: ["he"], siteDefault: "en" }, "he"],
  ])("is %s", (_name, hints, expected) => {
    expect(chooseLocale(hints)).toBe(expected);
  });

  it("has a direction", () => {
    expect([directionOf("he"), directionOf("es")]).toEqual(["rtl", "ltr"]);
  });

  it("is offered once each", () => {
    expect(offered(["en-US", "en-GB", "xx", "he"])).toEqual(["en", "he"]);
    expect(offered([])).toEqual(["en"]);
    expect(isLocale(undefined)).toBe(false);
  });
});

describe("the direction of a text", () => {
  it.each([
    ["Hello", "ltr"],
    ["שלום", "rtl"],
    ["Fanlight עונה למבקרים באתר", "rtl"],
    ["The Hebrew word שלום means peace", "ltr"],
    ["مرحبا", "rtl"],
    ["הריצו `npm install fanlight`", "rtl"],
    ["ראו https://example.com/a/very/long/address", "rtl"],
    ["123 ?!", "auto"],
  ])("%j is %s", (text, direction) => {
    expect(directionOfText(text)).toBe(direction);
  });
});

describe("the accent", () => {
  const rgb = (css: string) =>
    (css.match(/\d+/g) ?? []).map(Number) as unknown as readonly [number, number, number];
  const pages = { light: [255, 255, 255], dark: [22, 24, 28] } as const;
  const accents = [
    "#000",
    "#fff",
    "#ff0",
    "#1f5f8b",
    "#808080",
    "#f2b134",
    "#0000ff",
    "#7fff00",
    "nonsense",
    "",
  ];

  it.each(accents.flatMap((accent) => [[accent, "light"] as const, [accent, "dark"] as const]))(
    "%j can be read on a %s page",
    (accent, scheme) => {
      const { fill, ink, text, strong } = accentFor(accent, scheme);
      expect(contrast(rgb(fill), pages[scheme])).toBeGreaterThanOrEqual(3);
      expect(contrast(rgb(ink), rgb(fill))).toBeGreaterThanOrEqual(4.5);
      expect(contrast(rgb(text), pages[scheme])).toBeGreaterThanOrEqual(4.5);
      expect(contrast(rgb(strong), pages[scheme])).toBeGreaterThanOrEqual(7);
    },
  );

  it("is left alone where it is readable", () => {
    expect(accentFor("#1f5f8b", "light")).toMatchObject({
      fill: "rgb(31 95 139)",
      ink: "rgb(255 255 255)",
      text: "rgb(31 95 139)",
    });
  });

  it("is measured as WCAG says", () => {
    expect(luminance([255, 255, 255])).toBeCloseTo(1);
    expect(contrast([0, 0, 0], [255, 255, 255])).toBeCloseTo(21);
    expect(parseColor("#aBc")).toEqual([170, 187, 204]);
    expect(parseColor("red")).toBeUndefined();
  });
});

describe("the configuration", () => {
  const whole = {
    site_key: "s",
    gateway: "g",
    authority: "a",
    locales: ["en"],
    default_locale: "en",
    kb: {},
  };

  it("has defaults for what may be absent", () => {
    expect(parseConfig(JSON.stringify(whole))).toMatchObject({
      mode: "panel",
      confidence_threshold: 0.55,
      host_origins: [],
      kb: { embedding: null },
    });
  });

  it("keeps the embedding that it is told of", () => {
    const embedding = { url: "/kb/embedding/e1.bin", release: "e1", bytes: 2 };
    const told = parseConfig(JSON.stringify({ ...whole, kb: { embedding } }));
    expect(told.kb.embedding).toEqual(embedding);
  });

  it.each(Object.keys(whole))("names %s when it lacks it", (field) => {
    expect(() => parseConfig(JSON.stringify({ ...whole, [field]: undefined }))).toThrow(
      `"${field}"`,
    );
  });

  it("must be there", () => {
    expect(() => parseConfig(undefined)).toThrow("site_key");
  });
});

describe("server-sent events", () => {
  const parse = (...pieces: string[]) => {
    const parser = new EventParser();
    return pieces.flatMap((piece) => [...parser.push(piece)]);
  };

  it.each([
    ["one event", ["event: a\ndata: 1\nid: 7\n\n"], [{ event: "a", data: "1", id: "7" }]],
    [
      "cut anywhere",
      ["ev", "ent: a\nda", "ta: 1\n", "\n"],
      [{ event: "a", data: "1", id: undefined }],
    ],
    [
      "several lines of data",
      ["data: 1\ndata: 2\n\n"],
      [{ event: "message", data: "1\n2", id: undefined }],
    ],
    ["CRLF cut in two", ["data: 1\r", "\n\r\n"], [{ event: "message", data: "1", id: undefined }]],
    [
      "lone CR",
      ["data: 1\r\r", "data: 2\n\n"],
      [
        { event: "message", data: "1", id: undefined },
        { event: "message", data: "2", id: undefined },
      ],
    ],
    ["heartbeats and empty events", [": heartbeat\n\nevent: a\n\n"], []],
    [
      "colons and one space",
      ["data:  a: b\n\n"],
      [{ event: "message", data: " a: b", id: undefined }],
    ],
    [
      "fields that are none",
      ["retry: 1\nx\ndata\n\n"],
      [{ event: "message", data: "", id: undefined }],
    ],
    [
      "an id that is kept",
      ["id: 1\ndata: a\n\ndata: b\n\n"],
      [
        { event: "message", data: "a", id: "1" },
        { event: "message", data: "b", id: "1" },
      ],
    ],
    [
      "an id with a null",
      ["id: a\0b\ndata: 1\n\n"],
      [{ event: "message", data: "1", id: undefined }],
    ],
  ])("%s", (_name, pieces, expected) => {
    expect(parse(...pieces)).toEqual(expected);
  });

  it("refuse one that has no end", () => {
    expect(() => parse("x".repeat(1_000_001))).toThrow("too long");
  });

  it("are read from a response, heartbeats heard", async () => {
    let heard = 0;
    const names: string[] = [];
    const response = sse([": heartbeat\n\n", event("a", {}), event("b", {})]);
    for await (const one of eventsOf(response, () => (heard += 1))) names.push(one.event);
    expect([names, heard]).toEqual([["a", "b"], 3]);
    for await (const one of eventsOf(new Response(null))) names.push(one.event);
    expect(names).toHaveLength(2);
  });

  it("have an object as their data, or an empty one", () => {
    expect(dataOf({ event: "", data: '{"a":1}', id: undefined })).toEqual({ a: 1 });
    for (const data of ["null", "1", "{"])
      expect(dataOf({ event: "", data, id: undefined })).toEqual({});
  });
});

describe("a turn", () => {
  it("is read without trusting its shape", () => {
    expect(parseTurn(null)).toEqual({
      choices: [],
      disclaimers: [],
      reasoning: undefined,
      sentence: undefined,
      fallbackText: undefined,
      reply: "",
      confidence: 0,
      escalate: false,
      source: "cloud",
      citations: [],
      reasons: [],
    });
    expect(
      parseTurn({
        reply: "r",
        confidence: 0.7,
        escalate: true,
        source: "kb",
        citations: [{ title: "t", url: "u" }, { url: "v" }, 1, {}],
        reasons: ["always"],
        disclaimers: ["d", 7],
        reasoning: "because",
      }),
    ).toEqual({
      choices: [],
      disclaimers: ["d", "7"],
      reasoning: "because",
      sentence: undefined,
      fallbackText: undefined,
      reply: "r",
      confidence: 0.7,
      escalate: true,
      source: "kb",
      citations: [
        { title: "t", url: "u" },
        { title: "v", url: "v" },
      ],
      reasons: ["always"],
    });
  });
});

describe("the lines of a conversation", () => {
  const kept: Kept = {
    v: 1,
    conversation_id: "c",
    subject: "",
    cleared_at: 0,
    last_event_id: "",
    entries: [],
  };
  const asked = withEntry(kept, { id: "t_1:q", turn_id: "t_1", role: "user", content: "q", at: 1 });
  const answered = withEntry(asked, {
    id: "t_1:a",
    turn_id: "t_1",
    role: "assistant",
    content: "a",
    at: 2,
  });

  it("grow in revision with every change", () => {
    const again = withEntry(answered, {
      id: "t_1:a",
      turn_id: "t_1",
      role: "assistant",
      content: "b",
      at: 2,
    });
    expect(again.entries.map(({ rev }) => rev)).toEqual([1, 2]);
  });

  it("take an escalation forward, never back", () => {
    const unsent = withEscalation(answered, "t_1", { status: "unsent", reason: "empty" });
    const delivered = withEscalation(unsent, "t_1", { status: "delivered", id: "e_1" });
    const back = withEscalation(delivered, "t_1", { status: "queued" });
    expect(back.entries[1]?.escalation).toEqual({
      status: "delivered",
      reason: "empty",
      id: "e_1",
    });
    expect(
      withEscalation(delivered, "t_1", { status: "refused" }).entries[1]?.escalation?.status,
    ).toBe("refused");
    expect(
      withEscalation(answered, "t_1", { status: "queued" }).entries[1]?.escalation?.reason,
    ).toBe("requested");
    expect(withEscalation(answered, "t_9", { status: "queued" })).toBe(answered);
  });

  it("are answered up to the turn that a person answered", () => {
    const three = ["t_1", "t_2", "t_3", "t_4"].reduce(
      (before, turn_id, place) =>
        withEscalation(
          withEntry(
            before,
            { id: `${turn_id}:a`, turn_id, role: "assistant", content: "a", at: place },
            "c",
          ),
          turn_id,
          { status: place === 0 ? "resolved" : "delivered", reason: "empty" },
        ),
      kept,
    );
    const told = withAnswered(three, "t_3").entries.map(({ escalation }) => escalation?.status);
    expect(told).toEqual(["resolved", "delivered", "answered", "answered"]);
  });

  it("take no answer to a question that is gone", () => {
    const late = { id: "t_9:a", turn_id: "t_9", role: "assistant", content: "a", at: 9 } as const;
    expect(withEntry(answered, late)).toBe(answered);
  });

  it("tell whether a reply may come", () => {
    const status = (one: "unsent" | "queued" | "answered" | "resolved") =>
      awaitsReply(withEscalation(answered, "t_1", { status: one, reason: "empty" }).entries);
    expect([status("unsent"), status("queued"), status("answered"), status("resolved")]).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it("stand by turns: a late reply under its question", () => {
    const next = withEntry(answered, {
      id: "t_2:q",
      turn_id: "t_2",
      role: "user",
      content: "q2",
      at: 3,
    });
    const late = withEntry(next, {
      id: "e_1:1",
      turn_id: "t_1",
      role: "person",
      content: "hi",
      at: 4,
    });
    const turns = exchanges(late.entries);
    expect(turns.map(({ turnId }) => turnId)).toEqual(["t_1", "t_2"]);
    expect(turns[0]?.replies[0]?.content).toBe("hi");
    expect(turns[1]?.answer).toBeUndefined();
  });
});

describe("small decisions of the views", () => {
  it.each([
    [0.95, "sure.very"],
    [0.75, "sure.fairly"],
    [0.6, "sure.somewhat"],
  ])("%f is said as %s", (confidence, key) => {
    expect(sureness(confidence)).toBe(key);
  });

  it.each([
    ["Enter", false, false, 13, true],
    ["Enter", true, false, 13, false],
    ["Enter", false, true, 13, false],
    ["Enter", false, false, 229, false],
    ["a", false, false, 65, false],
  ])(
    "%s with shift %s, composing %s, code %i sends: %s",
    (key, shiftKey, isComposing, keyCode, expected) => {
      expect(sends({ key, shiftKey, isComposing, keyCode })).toBe(expected);
    },
  );

  it.each([
    ["ArrowDown", 2, 0],
    ["ArrowUp", 0, 2],
    ["Home", 1, 0],
    ["End", 1, 2],
    ["x", 1, undefined],
  ])("%s leads from item %i to %s", (key, index, expected) => {
    expect(nextIndex(key, index, 3)).toBe(expected);
  });

  it.each([
    ["en", "en", undefined],
    ["en-GB", "en", undefined],
    [undefined, "en", undefined],
    ["en", "es", "inglés"],
    ["es", "en", "Spanish"],
    ["en", "he", "אנגלית"],
    ["qzz", "en", undefined],
  ])("an answer in %s is told to a visitor who reads %s", (answer, visitor, told) => {
    expect(otherLanguage(answer, visitor)).toBe(told);
  });

  it("a time says its day only when that is another one", () => {
    const noon = new Date(2026, 10, 21, 12, 0).getTime();
    expect(formatTime(noon, "es", noon)).toBe("12:00");
    expect(formatTime(noon, "en", noon + 86_400_000)).toContain("Nov 21");
  });
});

describe("the site's day", () => {
  it.each([
    ["UTC", "2026-12-24"],
    ["Asia/Jerusalem", "2026-12-25"],
    ["America/New_York", "2026-12-24"],
    ["Nowhere/At_All", "2026-12-24"],
  ])("in %s is %s", (zone, day) => {
    expect(dayIn(zone, Date.UTC(2026, 11, 24, 22, 30))).toBe(day);
  });
});
