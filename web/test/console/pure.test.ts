import { describe, expect, it } from "vitest";
import { Trouble } from "../../src/console/api";
import {
  extend,
  type Inbox,
  isNews,
  later,
  neighbour,
  place,
  refresh,
  visible,
} from "../../src/console/inbox";
import { commandFor, isTyping, sends } from "../../src/console/keys";
import { strings } from "../../src/console/strings";
import { ago, brief, clock, exact } from "../../src/console/time";
import {
  readEscalation,
  readPage,
  readReply,
  readSession,
  WireError,
} from "../../src/console/wire";
import {
  direction,
  explain,
  kind,
  language,
  languageOf,
  likelihood,
  outcome,
  speaker,
  why,
  whyShort,
} from "../../src/console/words";
import { escalation, NOW } from "./gateway";

const item = (number: number, fields = {}) => readEscalation(escalation(number, fields));
const ids = (items: readonly { id: string }[]) => items.map((one) => Number(one.id.slice(2)));
const inbox = (numbers: number[], next: string | null = null): Inbox => ({
  items: numbers.map((number) => item(number)),
  next,
});

describe("what the gateway says", () => {
  it.each([
    ["not an object", "hello", "escalation"],
    ["no id", { ...escalation(1), id: "" }, "id"],
    ["no question", { ...escalation(1), question: 4 }, "question"],
    ["no time", { ...escalation(1), created_at: null }, "created_at"],
  ])("is refused with %s", (_case, value, field) => {
    expect(() => readEscalation(value)).toThrow(new WireError(field));
  });

  it("is shown as far as it can be read", () => {
    const read = readEscalation({
      id: "e_1",
      question: "?",
      created_at: "x",
      status: "new",
      tail: 4,
      confidence: 7,
    });
    expect(read).toMatchObject({
      status: "queued",
      tail: [],
      confidence: 1,
      provenance: "client",
      locale: null,
      site: "",
      reason: "",
    });
  });

  it.each([
    ["a@b.example", "a@b.example"],
    [{ name: "Ada", email: "a@b.example" }, "Ada, a@b.example"],
    [{}, null],
    [null, null],
    ["  ", null],
  ])("reads the contact %j as %j", (contact, line) => {
    expect(item(1, { contact }).contact).toBe(line);
  });

  it("reads deliveries with their attempts", () => {
    const deliveries = [
      {
        target: "t",
        kind: "webhook",
        state: "failed",
        attempts: [{ at: "x", outcome: "failed", status: 500, detail: "d" }, {}],
        next_at: "y",
        action: "reply",
      },
      { action: "sing" },
    ];
    expect(item(1, { deliveries }).deliveries).toEqual([
      {
        target: "t",
        kind: "webhook",
        state: "failed",
        nextAt: "y",
        action: "reply",
        attempts: [
          { at: "x", outcome: "failed", status: 500, detail: "d" },
          { at: "", outcome: "", status: null, detail: null },
        ],
      },
      { target: "", kind: "", state: "pending", nextAt: null, action: "open", attempts: [] },
    ]);
  });

  it("has pages, replies and sessions with all they need", () => {
    expect(() => readPage({ items: null })).toThrow(WireError);
    expect(() => readReply({ id: "r" })).toThrow(WireError);
    expect(() => readSession({ operator: "ada" })).toThrow(WireError);
    expect(readReply({ id: "r", content: "x", created_at: "y" }).author).toBe("");
    expect(readEscalation(escalation(1, { tail: [{}] })).tail).toEqual([{ role: "", content: "" }]);
  });
});

describe("the list", () => {
  it("puts an older page below, newest first", () => {
    const page = { items: [item(2), item(3), item(1)], next: "e_x" };
    const longer = extend(inbox([5, 4, 3], "e_3"), page);
    expect(ids(longer.items)).toEqual([5, 4, 3, 2, 1]);
    expect(longer.next).toBe("e_x");
  });

  it("keeps older pages when its newest is read again", () => {
    const again = refresh(inbox([5, 4, 3, 2], "e_2"), {
      items: [item(6), item(5), item(4)],
      next: "e_4",
    });
    expect(ids(again.items)).toEqual([6, 5, 4, 3, 2]);
    expect(again.next).toBe("e_2");
  });

  it("begins anew when too much came in the meantime", () => {
    const again = refresh(inbox([5, 4]), { items: [item(90), item(89)], next: "e_89" });
    expect(ids(again.items)).toEqual([90, 89]);
    expect(again.next).toBe("e_89");
  });

  it("drops what is gone when one page holds all", () => {
    expect(ids(refresh(inbox([5, 4]), { items: [item(5)], next: null }).items)).toEqual([5]);
  });

  it("puts a live change in its place, but not beyond what is loaded", () => {
    expect(ids(place(inbox([5, 3]), item(4)).items)).toEqual([5, 4, 3]);
    expect(ids(place(inbox([5, 3], "e_3"), item(1)).items)).toEqual([5, 3]);
    expect(place(inbox([5, 3], "e_3"), item(3, { question: "new" })).items.at(-1)?.question).toBe(
      "new",
    );
  });

  it("tells news from old questions that changed", () => {
    expect(isNews(item(6), item(5))).toBe(true);
    expect(isNews(item(1), null)).toBe(true);
    expect(isNews(item(4), item(5))).toBe(false);
    expect(isNews(item(5), item(5))).toBe(false);
    expect(isNews(item(6, { status: "resolved" }), item(5))).toBe(false);
  });

  it("knows the later of two", () => {
    expect(later(null, undefined)).toBeNull();
    expect(later(item(2), item(3))?.id).toBe(item(3).id);
    expect(later(item(3), item(2))?.id).toBe(item(3).id);
    expect(later(item(3), undefined)?.id).toBe(item(3).id);
  });

  it("orders by id where times are the same", () => {
    const same = { created_at: "2026-01-01T00:00:00Z" };
    expect(ids(place({ items: [item(1, same)], next: null }, item(2, same)).items)).toEqual([2, 1]);
  });

  it("filters by status, and keeps the open one in sight", () => {
    const all = {
      items: [item(3), item(2, { status: "resolved" }), item(1, { status: "failed" })],
      next: null,
    };
    const shown = (filter: "open" | "resolved" | "all", open: string | null = null) =>
      ids(visible(all, { filter, search: "", open }));
    expect(shown("open")).toEqual([3, 1]);
    expect(shown("resolved")).toEqual([2]);
    expect(shown("all")).toEqual([3, 2, 1]);
    expect(shown("open", item(2).id)).toEqual([3, 2, 1]);
  });

  it.each([
    ["cafe", 1],
    ["CAFÉ berlin", 1],
    ["שלום", 2],
    ["refund", 3],
    ["marta@", 3],
    ["earlier words", 3],
  ])("finds %j", (search, number) => {
    const items = [
      item(3, {
        contact: "marta@example.com",
        replies: [{ id: "r", content: "Refund sent", created_at: "x" }],
        tail: [{ role: "user", content: "Earlier words" }],
      }),
      item(2, { question: "שָׁלוֹם" }),
      item(1, { question: "The Café in Berlin" }),
    ];
    expect(ids(visible({ items, next: null }, { filter: "all", search, open: null }))).toEqual([
      number,
    ]);
  });

  it("steps through what is shown and stops at its ends", () => {
    const { items } = inbox([3, 2, 1]);
    expect(neighbour(items, null, 1)).toBe(item(3).id);
    expect(neighbour(items, item(3).id, 1)).toBe(item(2).id);
    expect(neighbour(items, item(3).id, -1)).toBeNull();
    expect(neighbour([], null, 1)).toBeNull();
  });
});

describe("times", () => {
  const at = (seconds: number) => new Date(NOW + seconds * 1000).toISOString();
  it.each([
    [-5, "now", "now"],
    [-240, "4m", "4 minutes ago"],
    [-3 * 3600, "3h", "3 hours ago"],
    [-95 * 60, "1h", "1 hour ago"],
    [-2 * 86400, "Tue", "2 days ago"],
    [-30 * 86400, "10 Feb", "30 days ago"],
    [-500 * 86400, "28 Oct 2024", "500 days ago"],
  ])("%d s from now is %j in a list and %j in a sentence", (seconds, short, long) => {
    expect(brief(at(seconds), NOW, "en-GB")).toBe(short);
    expect(ago(at(seconds), NOW, "en-GB")).toBe(long);
  });

  it("looks ahead too", () => {
    expect(ago(at(30), NOW, "en-GB")).toBe("in 30 seconds");
    expect(ago(at(600), NOW, "en-GB")).toBe("in 10 minutes");
  });

  it("is exact where it must be, and dates a clock of another day", () => {
    expect(exact(at(0), "en-GB")).toContain("12 March 2026");
    expect(clock(at(0), NOW, "en-GB")).toMatch(/^\d\d:\d\d$/);
    expect(clock(at(-3 * 86400), NOW, "en-GB")).toMatch(/9 Mar/);
  });

  it("shows what is not a time as it came", () => {
    for (const say of [brief, ago, clock]) expect(say("soon", NOW, "en")).toBe("soon");
    expect(exact("soon", "en")).toBe("soon");
  });
});

describe("plain words", () => {
  it("explain every reason, and one that is not known yet", () => {
    for (const reason of ["low_confidence", "empty", "requested", "always", "visitor_asked"]) {
      expect(why(reason, strings)).not.toBe(strings.why.other);
      expect(whyShort(reason, strings)).not.toBe(strings.why.short.other);
    }
    expect(why("toString", strings)).toBe(strings.why.other);
  });

  it.each([
    [0, "very likely wrong: 0"],
    [0.001, "very likely wrong: 1"],
    [0.31, "probably wrong: 31"],
    [0.54, "might be right: 54"],
    [0.55, "probably right: 55"],
    [0.999, "very likely right: 99"],
    [1, "very likely right: 100"],
  ])("say of %d that it is %s percent", (confidence, words) => {
    expect(likelihood(confidence, strings)).toContain(words);
  });

  it("name outcomes and kinds, known or not", () => {
    const attempt = (code: string) => ({ at: "", outcome: code, status: null, detail: null });
    expect(outcome(attempt("timeout"), strings)).toBe("No answer in time");
    expect(outcome(attempt("dns_failure"), strings)).toBe("Dns failure");
    expect(kind("webhook", strings)).toBe("Webhook");
    expect(kind("carrier-pigeon", strings)).toBe("Carrier pigeon");
  });

  it("name who speaks", () => {
    const who = (role: string) => speaker({ role, content: "" }, strings);
    expect([who("user"), who("assistant"), who("human")]).toEqual([
      "Visitor",
      "Fanlight",
      "A person",
    ]);
  });

  it("repeat what the gateway says would help", () => {
    const refused = new Trouble("refused", { detail: "Too long", remedy: "Shorten it." });
    expect(explain(refused, strings)).toBe("Too long. Shorten it.");
    expect(explain(new Trouble("refused"), strings)).toBe(strings.trouble.refused);
    expect(explain(new Trouble("broken", { detail: "stack" }), strings)).toBe(
      strings.trouble.broken,
    );
  });

  it("name languages, and claim none they are not sure of", () => {
    expect(language("es", strings)).toBe("Spanish");
    expect(language("not a tag", strings)).toBe("not a tag");
    expect(languageOf("שלום world", "en")).toBe("he");
    expect(languageOf("hola", "es-MX")).toBe("es");
    expect(languageOf("hello", "he")).toBeUndefined();
    expect(languageOf("123", "en")).toBeUndefined();
    expect(languageOf("hello", null)).toBeUndefined();
  });

  it("know where a text begins", () => {
    expect([direction("12 שלום"), direction("hi שלום"), direction("")]).toEqual([
      "rtl",
      "ltr",
      "ltr",
    ]);
  });
});

describe("keys", () => {
  const none = { key: "", code: "", ctrlKey: false, metaKey: false, altKey: false };
  const page = { typing: false, inList: false, inDialog: false, shortcuts: true };
  it.each([
    ["j", {}, {}, "next"],
    ["k", {}, {}, "previous"],
    ["r", {}, {}, "reply"],
    ["e", {}, {}, "resolve"],
    ["/", {}, {}, "search"],
    ["?", {}, {}, "help"],
    ["x", {}, {}, null],
    ["ח", { code: "KeyJ" }, {}, "next"],
    ["r", { ctrlKey: true }, {}, null],
    ["r", { metaKey: true }, {}, null],
    ["r", {}, { typing: true }, null],
    ["r", {}, { inDialog: true }, null],
    ["r", {}, { shortcuts: false }, null],
    ["Escape", {}, { typing: true, shortcuts: false }, "leave"],
    ["ArrowDown", {}, {}, null],
    ["ArrowDown", {}, { inList: true, shortcuts: false }, "next"],
    ["ArrowUp", {}, { inList: true }, "previous"],
  ])("%s %j %j means %s", (key, press, place, command) => {
    expect(commandFor({ ...none, key, ...press }, { ...page, ...place })).toBe(command);
  });

  it("send with Ctrl or Cmd and Enter only", () => {
    expect(sends({ ...none, key: "Enter" })).toBe(false);
    expect(sends({ ...none, key: "Enter", ctrlKey: true })).toBe(true);
    expect(sends({ ...none, key: "Enter", metaKey: true })).toBe(true);
  });

  it("know nothing of targets that are no elements", () => {
    expect(isTyping(null)).toBe(false);
  });
});
