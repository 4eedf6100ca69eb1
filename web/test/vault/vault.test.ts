import { beforeEach, describe, expect, it } from "vitest";
import { ConsentRecord } from "../../src/vault/consent.ts";
import { type Entry, isEntry } from "../../src/vault/entry.ts";
import { CAPACITY, HELD, type Kept, merge, talksOf } from "../../src/vault/talks.ts";
import { conversationTail, trainingMemory } from "../../src/vault/training.ts";
import { parseVault, Vault } from "../../src/vault/vault.ts";
import { BrokenStorage, TestStorage } from "./storage.ts";

const NAME = "fanlight.memory.v1:site_demo";

function entry(n: number, fields: Partial<Entry> = {}): Entry {
  const id = `t_${String(n).padStart(3, "0")}`;
  return { id: `${id}:q`, turn_id: id, role: "user", content: `q${n}`, at: n, rev: 1, ...fields };
}

function kept(fields: Partial<Kept> = {}): Kept {
  return {
    v: 1,
    conversation_id: "c_1",
    subject: "key",
    cleared_at: 0,
    last_event_id: "",
    entries: [],
    ...fields,
  };
}

let storage: TestStorage;
let heard: Kept[];

function vault(from: Storage = storage, start = kept()): Vault {
  const options = {
    site: "site_demo",
    storage: () => from,
    onChange: (now: Kept) => heard.push(now),
  };
  return new Vault(options, start);
}

const add = (one: Entry) => (now: Kept) => ({ ...now, entries: [...now.entries, one] });

beforeEach(() => {
  storage = new TestStorage();
  heard = [];
});

describe("before consent", () => {
  it("nothing is stored", async () => {
    const tab = vault();
    await tab.update(add(entry(1)));
    expect(storage.length).toBe(0);
    expect(tab.keeping).toBe("tab");
    expect(heard.at(-1)?.entries).toHaveLength(1);
  });
});

describe("after consent", () => {
  it("what was said in this tab moves into the browser", async () => {
    const tab = vault();
    await tab.update(add(entry(1)));
    expect(tab.open()).toEqual({ keeping: "kept", corrupt: false });
    expect(storage.getItem(NAME)).toContain("q1");
  });

  it("an earlier visit's conversation is taken up", () => {
    storage.setItem(NAME, JSON.stringify(kept({ conversation_id: "c_0", entries: [entry(1)] })));
    const tab = vault();
    tab.open();
    expect(tab.kept.conversation_id).toBe("c_0");
    expect(tab.kept.entries).toHaveLength(1);
  });

  it("an earlier visit's conversation stands beside one that this tab has begun", async () => {
    storage.setItem(NAME, JSON.stringify(kept({ conversation_id: "c_0", entries: [entry(1)] })));
    const tab = vault();
    await tab.update(add(entry(2)));
    tab.open();
    const talks = talksOf(tab.kept).map(({ conversation_id, entries }) => [
      conversation_id,
      ...entries.map(({ content }) => content),
    ]);
    expect(talks).toEqual([
      ["c_1", "q2"],
      ["c_0", "q1"],
    ]);
  });

  it("only the last 40 lines are kept, and the page holds the others", async () => {
    const tab = vault();
    tab.open();
    for (let n = 1; n <= CAPACITY + 3; n += 1) await tab.update(add(entry(n)));
    expect(tab.kept.entries).toHaveLength(CAPACITY + 3);
    const reading = parseVault(storage.getItem(NAME));
    const stored = reading.state === "read" ? reading.kept.entries : [];
    expect(stored).toHaveLength(CAPACITY);
    expect(stored[0]?.content).toBe("q4");
  });

  it("a page holds a thousand lines and no more", async () => {
    const tab = vault();
    const many = Array.from({ length: HELD + 5 }, (_, at) => entry(at + 1));
    await tab.update((before) => ({ ...before, entries: many }));
    expect(tab.kept.entries).toHaveLength(1000);
    expect(tab.kept.entries[0]?.content).toBe("q6");
  });

  it.each([
    ["no JSON", "{"],
    ["another version", JSON.stringify({ ...kept(), v: 2 })],
    [
      "a role that is none",
      JSON.stringify(kept({ entries: [entry(1, { role: "system" as "user" })] })),
    ],
    [
      "a confidence that is no number",
      '{"v":1,"conversation_id":"c","subject":"","last_event_id":"","cleared_at":0,"entries":[{"id":"a","turn_id":"a","role":"user","content":"","at":1,"rev":1,"confidence":"high"}]}',
    ],
    ["a list", "[]"],
    ["null", "null"],
  ])("a vault with %s is replaced by a fresh one, and said so", (_name, text) => {
    storage.setItem(NAME, text);
    const tab = vault();
    expect(tab.open()).toEqual({ keeping: "kept", corrupt: true });
    expect(parseVault(storage.getItem(NAME)).state).toBe("read");
  });

  it("another version in the same key is not read as ours", () => {
    expect(parseVault(null)).toEqual({ state: "empty" });
  });

  it("clearing leaves an empty conversation of a new name", async () => {
    const tab = vault();
    tab.open();
    await tab.update(add(entry(1)));
    await tab.clear("c_2", 10);
    expect(tab.kept).toMatchObject({ conversation_id: "c_2", entries: [], last_event_id: "" });
    expect(storage.getItem(NAME)).not.toContain("q1");
  });

  it("forgetting leaves nothing", async () => {
    const tab = vault();
    tab.open();
    tab.forget();
    await tab.update(add(entry(1)));
    expect(storage.length).toBe(0);
  });
});

describe("storage that refuses", () => {
  it("leaves everything working in this tab, and says so", async () => {
    const tab = vault(new BrokenStorage("read"));
    expect(tab.open()).toEqual({ keeping: "refused", corrupt: false });
    await tab.update(add(entry(1)));
    expect(tab.kept.entries).toHaveLength(1);
    expect(() => tab.forget()).not.toThrow();
  });

  it("is noticed when it is full", async () => {
    const tab = vault(new BrokenStorage("write"));
    expect(tab.open().keeping).toBe("refused");
    await tab.update(add(entry(1)));
    expect(heard.at(-1)?.entries).toHaveLength(1);
  });
});

describe("two tabs", () => {
  it("share one vault", async () => {
    const one = vault();
    one.open();
    const two = vault();
    two.open();
    await one.update(add(entry(1)));
    await two.update(add(entry(2)));
    expect(two.kept.entries.map(({ content }) => content)).toEqual(["q1", "q2"]);
    one.heard(NAME, storage.getItem(NAME));
    expect(one.kept.entries).toHaveLength(2);
  });

  it("agree on the newer state of a line", () => {
    const old = kept({ entries: [entry(1)] });
    const newer = kept({ entries: [entry(1, { content: "changed", rev: 2 })] });
    expect(merge(old, newer).entries[0]?.content).toBe("changed");
    expect(merge(newer, old).entries[0]?.content).toBe("changed");
  });

  it("never bring back what one of them cleared", async () => {
    const one = vault();
    one.open();
    await one.update(add(entry(1)));
    const two = vault();
    two.open();
    await one.clear("c_2", 10);
    await two.update(add(entry(2)));
    expect(two.kept.conversation_id).toBe("c_2");
    expect(two.kept.entries).toEqual([]);
  });

  it("agree even when both began at once", () => {
    const [one, two] = [kept({ conversation_id: "c_1" }), kept({ conversation_id: "c_2" })];
    expect(merge(one, two)).toEqual(merge(two, one));
  });

  it.each([
    ["9", "10", "10"],
    ["10", "9", "10"],
    ["", "3", "3"],
    ["12", "11", "12"],
  ])("go on from the later of events %s and %s", (one, other, later) => {
    const [ours, theirs] = [kept({ last_event_id: one }), kept({ last_event_id: other })];
    expect(merge(ours, theirs).last_event_id).toBe(later);
  });

  it("pay no attention to other keys, broken news, or news before consent", () => {
    const tab = vault();
    tab.heard(NAME, JSON.stringify(kept({ entries: [entry(1)] })));
    tab.open();
    tab.heard("other", JSON.stringify(kept({ entries: [entry(1)] })));
    tab.heard(NAME, "{");
    tab.heard(NAME, null);
    expect(tab.kept.entries).toEqual([]);
  });

  it("write one after the other where the browser has locks", async () => {
    const names: string[] = [];
    const locked = async (name: string, work: () => void) => {
      names.push(name);
      work();
    };
    const tab = new Vault(
      { site: "site_demo", storage: () => storage, locked, onChange: () => undefined },
      kept(),
    );
    tab.open();
    await tab.update(add(entry(1)));
    expect(names).toEqual([NAME]);
  });
});

describe("an entry", () => {
  const whole = entry(1, {
    role: "assistant",
    source: "kb",
    confidence: 0.9,
    author: "Dana",
    locale: "es",
    citations: [{ title: "t", url: "https://example.com" }],
    suggestions: [{ entry_id: "e", question: "q" }],
    escalation: { status: "queued", reason: "empty", id: "e_1" },
    stopped: true,
  });

  it("may have every field", () => {
    expect(isEntry(JSON.parse(JSON.stringify(whole)))).toBe(true);
  });

  it.each([
    ["id", 1],
    ["turn_id", null],
    ["content", "x".repeat(20_001)],
    ["role", "system"],
    ["source", "oracle"],
    ["at", "now"],
    ["rev", 0.5],
    ["confidence", null],
    ["author", {}],
    ["locale", 7],
    ["citations", [{ title: "t" }]],
    ["suggestions", "none"],
    ["escalation", { status: "lost", reason: "empty" }],
    ["escalation", { status: "queued", reason: "empty", id: 1 }],
    ["escalation", "yes"],
  ])("is refused with a wrong %s: %j", (field, value) => {
    expect(isEntry({ ...whole, [field]: value })).toBe(false);
  });

  it("is never anything but an object", () => {
    for (const value of [null, 1, "x", [], undefined]) expect(isEntry(value)).toBe(false);
  });
});

describe("training memory", () => {
  const lines: Entry[] = [
    entry(1),
    entry(2, { role: "assistant", source: "kb", confidence: 0.9 }),
    entry(3, { role: "assistant", source: "fallback", confidence: 0.2 }),
    entry(4, { role: "person", author: "Dana" }),
    entry(5, { role: "assistant", content: "", stopped: true }),
    entry(6, { role: "assistant", content: "x".repeat(5000), source: "cloud" }),
  ];

  it("says who spoke, and from where, in the wire's words", () => {
    expect(trainingMemory(lines).slice(0, 4)).toEqual([
      { role: "user", content: "q1" },
      { role: "assistant", content: "q2", source: "kb", confidence: 0.9 },
      { role: "assistant", content: "q3", source: "kb", confidence: 0.2 },
      { role: "assistant", content: "q4", source: "human" },
    ]);
  });

  it("leaves out empty lines and cuts long ones", () => {
    expect(trainingMemory(lines)).toHaveLength(5);
    expect(trainingMemory(lines)[4]?.content).toHaveLength(4000);
  });

  it("is the last six lines, and the tail only what was said", () => {
    const many = Array.from({ length: 9 }, (_, n) => entry(n));
    expect(trainingMemory(many).map(({ content }) => content)).toEqual([
      "q3",
      "q4",
      "q5",
      "q6",
      "q7",
      "q8",
    ]);
    expect(conversationTail(lines)[1]).toEqual({ role: "assistant", content: "q2" });
  });
});

describe("consent", () => {
  const record = (from: Storage = storage) => new ConsentRecord("site_demo", () => from);

  it("is remembered with the language", () => {
    expect(record().write({ memory: true, training: true, locale: "he" })).toBe(true);
    expect(record().read()).toEqual({ memory: true, training: true, locale: "he" });
  });

  it("is none when memory was not accepted, or nothing legible is there", () => {
    expect(record().read()).toBeUndefined();
    storage.setItem("fanlight.consent.v1:site_demo", '{"memory":false}');
    expect(record().read()).toBeUndefined();
    storage.setItem("fanlight.consent.v1:site_demo", "{");
    expect(record().read()).toBeUndefined();
    storage.setItem("fanlight.consent.v1:site_demo", '{"memory":true,"locale":3}');
    expect(record().read()).toEqual({ memory: true, training: false, locale: undefined });
  });

  it("can be withdrawn", () => {
    record().write({ memory: true, training: false });
    record().forget();
    expect(storage.length).toBe(0);
  });

  it("survives a browser that refuses to store it", () => {
    const broken = record(new BrokenStorage("read"));
    expect(broken.read()).toBeUndefined();
    expect(broken.write({ memory: true, training: false })).toBe(false);
    expect(() => broken.forget()).not.toThrow();
  });
});
