/** Several conversations in one vault: which is open, how tabs agree, what goes first. */
import { beforeEach, describe, expect, it } from "vitest";
import type { Entry } from "../../src/vault/entry.ts";
import {
  begun,
  CAPACITY,
  emptyKept,
  type Kept,
  lastAt,
  linesOf,
  merge,
  opened,
  owned,
  seen,
  talkOf,
  talksOf,
  trimmed,
  unseenIn,
  waits,
  without,
} from "../../src/vault/talks.ts";
import { named, restored, titleOf } from "../../src/vault/titles.ts";
import { parseVault, Vault } from "../../src/vault/vault.ts";
import { TestStorage } from "./storage.ts";

const NAME = "fanlight.memory.v1:site_demo";

function entry(n: number, fields: Partial<Entry> = {}): Entry {
  const id = `t_${String(n).padStart(3, "0")}`;
  return { id: `${id}:q`, turn_id: id, role: "user", content: `q${n}`, at: n, rev: 1, ...fields };
}

function saying(kept: Kept, ...entries: readonly Entry[]): Kept {
  return { ...kept, entries: [...kept.entries, ...entries] };
}

const ids = (kept: Kept) => talksOf(kept).map(({ conversation_id }) => conversation_id);
const said = (kept: Kept) =>
  Object.fromEntries(
    talksOf(kept).map(({ conversation_id, entries }) => [
      conversation_id,
      entries.map(({ content }) => content),
    ]),
  );

/** c_2 is open, c_1 was before it. */
const two = saying(begun(saying(emptyKept("c_1"), entry(1)), 10, "c_2"), entry(2));

describe("a new conversation", () => {
  it("opens beside the one before, which keeps its lines", () => {
    expect(said(two)).toEqual({ c_2: ["q2"], c_1: ["q1"] });
    expect(two.cleared_at).toBe(10);
  });

  it("leaves nothing behind where nothing was said", () => {
    expect(ids(begun(emptyKept("c_1"), 10, "c_2"))).toEqual(["c_2"]);
  });

  it("begins with no events seen, under the same key", () => {
    const kept = { ...two, subject: "key", last_event_id: "7" };
    expect(begun(kept, 20, "c_3")).toMatchObject({ subject: "key", last_event_id: "" });
  });
});

describe("an earlier conversation", () => {
  it("is opened again in place of the one that was open", () => {
    const again = opened(two, "c_1", 20);
    expect(ids(again)).toEqual(["c_1", "c_2"]);
    expect(again.cleared_at).toBe(20);
  });

  it("that is gone is not opened", () => {
    expect(opened(two, "c_9", 20)).toBe(two);
  });

  it("is found by any of its turns", () => {
    expect(talkOf(two, "t_001")?.conversation_id).toBe("c_1");
    expect(talkOf(two, "t_009")).toBeUndefined();
    expect(linesOf(two)).toHaveLength(2);
  });
});

describe("a title", () => {
  const long =
    "How long does it take until a parcel that I sent back by post has come to your warehouse?";

  it.each([
    ["a short question", "Is it\n  open?", "Is it open?"],
    ["a long one", long, "How long does it take until a parcel that I sent back by…"],
    ["one without spaces", "語".repeat(80), `${"語".repeat(60)}…`],
    ["letters outside the basic plane", "😀".repeat(61), `${"😀".repeat(60)}…`],
  ])("is %s, on one short line", (_name, content, title) => {
    expect(titleOf(saying(emptyKept("c"), entry(1, { content })))).toBe(title);
  });

  it("is what the visitor named it, until the name is taken away", () => {
    const renamed = named(two, "c_1", 20, "  The  first ");
    expect(talksOf(renamed).map(titleOf)).toEqual(["q2", "The first"]);
    expect(talksOf(named(renamed, "c_1", 30, " ")).map(titleOf)).toEqual(["q2", "q1"]);
  });

  it("is none where nothing was asked", () => {
    expect(titleOf(emptyKept("c"))).toBeUndefined();
  });

  it("stays when its question is kept no longer", () => {
    const many = Array.from({ length: CAPACITY }, (_, n) => entry(n + 1));
    const full = trimmed(saying(emptyKept("c"), entry(0, { content: "The first?" }), ...many));
    expect(full.entries[0]?.content).toBe("q1");
    expect(titleOf(full)).toBe("The first?");
  });
});

describe("a deleted conversation", () => {
  it("is gone; where it was the open one, an empty one takes its place", () => {
    expect(said(without(two, "c_1", 20, "c_3"))).toEqual({ c_2: ["q2"] });
    expect(said(without(two, "c_2", 20, "c_3"))).toEqual({ c_3: [], c_1: ["q1"] });
  });

  it("comes back beside what has been said since, or is open again", () => {
    const [open, earlier] = talksOf(two);
    if (!open || !earlier) throw new Error("two were expected");
    const back = restored(without(two, "c_1", 20, "c_3"), earlier, 20);
    expect(said(back)).toEqual({ c_2: ["q2"], c_1: ["q1"] });
    const again = restored(without(two, "c_2", 20, "c_3"), open, 21);
    expect(ids(again)).toEqual(["c_2", "c_1"]);
  });

  it("stays away when another tab still has it, and comes back to it when it was taken back", () => {
    const gone = without(two, "c_1", 20, "c_3");
    expect(said(merge(gone, two))).toEqual({ c_2: ["q2"] });
    expect(said(merge(two, gone))).toEqual({ c_2: ["q2"] });
    const earlier = two.earlier?.[0];
    if (!earlier) throw new Error("one was expected");
    const back = restored(gone, earlier, 20);
    expect(said(merge(gone, back))).toEqual({ c_2: ["q2"], c_1: ["q1"] });
    expect(said(merge(without(back, "c_1", 30, "c_4"), back))).toEqual({ c_2: ["q2"] });
  });

  it("is remembered as such, but not for ever", () => {
    const gone = Object.fromEntries(Array.from({ length: 99 }, (_, n) => [`c_old${n}`, n]));
    const left = merge({ ...two, gone }, two).gone ?? {};
    expect(Object.keys(left)).toHaveLength(40);
    expect(Math.min(...Object.values(left))).toBe(59);
  });

  it("that both tabs had open leaves an empty one", () => {
    const one = without({ ...two, earlier: [] }, "c_2", 20, "c_3");
    const other = without({ ...two, earlier: [] }, "c_2", 30, "c_4");
    const both = merge(
      { ...one, gone: { ...one.gone, c_4: 40 } },
      { ...other, gone: { ...other.gone, c_3: 40 } },
    );
    expect(said(both)).toEqual({ c_4: [] });
  });
});

describe("two tabs", () => {
  it("agree on the one that was opened last, and keep both", () => {
    const one = saying(begun(two, 20, "c_3"), entry(3));
    const other = opened(two, "c_1", 30);
    expect(merge(one, other)).toEqual(merge(other, one));
    expect(said(merge(one, other))).toEqual({ c_1: ["q1"], c_2: ["q2"], c_3: ["q3"] });
    expect(ids(merge(one, other))[0]).toBe("c_1");
  });

  it("join the lines of every conversation, and the later event", () => {
    const one = { ...saying(two, entry(3)), last_event_id: "9" };
    const other = { ...two, last_event_id: "10", earlier: [{ ...two.earlier?.[0] }] } as Kept;
    expect(said(merge(one, other))).toEqual({ c_2: ["q2", "q3"], c_1: ["q1"] });
    expect(merge(one, other).last_event_id).toBe("10");
  });

  it("hold to the newer name, also where it was taken away", () => {
    const first = named(two, "c_1", 20, "One");
    const second = named(two, "c_1", 30, "Two");
    const none = named(two, "c_1", 40, "");
    expect(talksOf(merge(first, second)).map(titleOf)).toContain("Two");
    expect(talksOf(merge(second, first)).map(titleOf)).toContain("Two");
    expect(talksOf(merge(none, second)).map(titleOf)).toContain("q1");
  });
});

describe("too many lines", () => {
  const lines = (from: number, count: number, fields: Partial<Entry> = {}) =>
    Array.from({ length: count }, (_, n) => entry(from + n, fields));
  const escalation = { status: "queued", reason: "empty" } as const;

  it("go from the conversation that was quiet for longest, its oldest first", () => {
    const quiet = saying(emptyKept("c_1"), ...lines(100, 10));
    const quieter = saying(begun(quiet, 1, "c_2"), ...lines(10, 5));
    const kept = trimmed(saying(begun(quieter, 2, "c_3"), ...lines(200, CAPACITY - 8)));
    expect(Object.entries(said(kept)).map(([id, all]) => [id, all.length, all[0]])).toEqual([
      ["c_3", CAPACITY - 8, "q200"],
      ["c_1", 8, "q102"],
    ]);
  });

  it("go from the open conversation before those that a person is to answer, down to its half", () => {
    const waiting = saying(emptyKept("c_1"), ...lines(1, 6, { escalation }));
    const open = trimmed(saying(begun(waiting, 1, "c_2"), ...lines(100, CAPACITY)));
    expect(Object.entries(said(open)).map(([id, all]) => [id, all.length, all[0]])).toEqual([
      ["c_2", CAPACITY - 6, "q106"],
      ["c_1", 6, "q1"],
    ]);
    const much = saying(emptyKept("c_1"), ...lines(1, 30, { escalation }));
    const both = trimmed(saying(begun(much, 1, "c_2"), ...lines(100, 30)));
    expect(Object.entries(said(both)).map(([id, all]) => [id, all.length])).toEqual([
      ["c_2", 20],
      ["c_1", 20],
    ]);
  });

  it("go last where a reply has not been read", () => {
    const unread = saying(emptyKept("c_1"), entry(1, { unseen: true, role: "person" }));
    const newer = saying(begun(unread, 1, "c_2"), entry(2));
    const kept = trimmed(saying(begun(newer, 2, "c_3"), ...lines(100, CAPACITY - 1)));
    expect(ids(kept)).toEqual(["c_3", "c_1"]);
  });

  it("go last where a person is to answer", () => {
    const waiting = saying(emptyKept("c_1"), ...lines(1, 2, { escalation }));
    const newer = saying(begun(waiting, 1, "c_2"), ...lines(50, 4));
    const kept = trimmed(saying(begun(newer, 2, "c_3"), ...lines(100, CAPACITY - 3)));
    expect(Object.entries(said(kept)).map(([id, all]) => [id, all.length])).toEqual([
      ["c_3", CAPACITY - 3],
      ["c_2", 1],
      ["c_1", 2],
    ]);
    expect(talksOf(kept).map(waits)).toEqual([false, false, true]);
  });
});

describe("what nobody has read", () => {
  const reply = entry(5, { id: "e_1:5", role: "person", unseen: true });

  it("is counted until it is seen, in every tab", () => {
    const kept = saying(two, reply);
    expect(unseenIn(kept)).toBe(1);
    const read = seen(kept, "c_2");
    expect(unseenIn(read)).toBe(0);
    expect(unseenIn(merge(kept, read))).toBe(0);
    expect(lastAt(read)).toBe(5);
  });
});

describe("another key", () => {
  it("goes on with every conversation under another name, and the old names are gone", () => {
    const names = ["c_new1", "c_new2"];
    const makeName = () => names.shift() ?? "";
    const first = owned(two, "key", makeName, 50);
    expect([ids(first), first.subject]).toEqual([["c_2", "c_1"], "key"]);
    const heard = { ...first, last_event_id: "8" };
    const second = owned(heard, "other", makeName, 60);
    expect(said(second)).toEqual({ c_new1: ["q2"], c_new2: ["q1"] });
    expect(second.last_event_id).toBe("");
    expect(said(merge(second, heard))).toEqual({ c_new1: ["q2"], c_new2: ["q1"] });
  });
});

describe("a vault with several", () => {
  let storage: TestStorage;

  function vault(start = emptyKept("c_0")): Vault {
    const options = {
      site: "site_demo",
      storage: () => storage as Storage,
      onChange: () => undefined,
    };
    return new Vault(options, start);
  }

  beforeEach(() => {
    storage = new TestStorage();
  });

  it("comes back whole on the next visit", async () => {
    const tab = vault(two);
    tab.open();
    const next = vault();
    next.open();
    expect(said(next.kept)).toEqual(said(two));
  });

  it("reads one of an older version, which had one conversation, without loss", () => {
    const { earlier: _, gone: _gone, ...old } = two;
    storage.setItem(NAME, JSON.stringify(old));
    const tab = vault();
    expect(tab.open()).toEqual({ keeping: "kept", corrupt: false });
    expect(said(tab.kept)).toEqual({ c_2: ["q2"] });
  });

  it("joins what was said before the visitor agreed with what an earlier visit left", () => {
    storage.setItem(NAME, JSON.stringify({ ...two, cleared_at: 99 }));
    const begunHere = vault(saying(emptyKept("c_9"), entry(9)));
    begunHere.open();
    expect(said(begunHere.kept)).toEqual({ c_9: ["q9"], c_2: ["q2"], c_1: ["q1"] });
    expect(ids(begunHere.kept)[0]).toBe("c_9");
    storage.setItem(NAME, JSON.stringify(two));
    const empty = vault(begun(saying(emptyKept("c_8"), entry(8)), 1, "c_7"));
    empty.open();
    expect(said(empty.kept)).toMatchObject({ c_8: ["q8"], c_2: ["q2"], c_1: ["q1"] });
  });

  it.each([
    ["an earlier one that is none", { earlier: [{ conversation_id: "c" }] }],
    ["earlier ones that are no list", { earlier: {} }],
    ["a title that is no text", { title: 7 }],
    ["a change at no time", { changed_at: "now" }],
    ["gone ones that are a list", { gone: [] }],
    ["one that went at no time", { gone: { c_1: "now" } }],
  ])("with %s is not believed", (_name, fields) => {
    expect(parseVault(JSON.stringify({ ...two, ...fields })).state).toBe("corrupt");
    expect(parseVault(JSON.stringify(two)).state).toBe("read");
  });

  it("is known to have been forgotten by another tab, if this one keeps anything", () => {
    const tab = vault(two);
    expect(tab.forgotten(NAME, null)).toBe(false);
    tab.open();
    expect(tab.forgotten(NAME, JSON.stringify(two))).toBe(false);
    expect(tab.forgotten("other", null)).toBe(false);
    expect(tab.forgotten(NAME, null)).toBe(true);
  });

  it("is not written any more by what still waited while it was forgotten", async () => {
    let letGo: () => void = () => undefined;
    const locked = async (_name: string, work: () => void) => {
      await new Promise<void>((resolve) => {
        letGo = resolve;
      });
      work();
    };
    const options = {
      site: "site_demo",
      storage: () => storage as Storage,
      locked,
      onChange: () => undefined,
    };
    const tab = new Vault(options, emptyKept("c_0"));
    tab.open();
    const late = tab.update((kept) => saying(kept, entry(1)));
    tab.forget();
    letGo();
    await late;
    expect(storage.length).toBe(0);
  });
});
