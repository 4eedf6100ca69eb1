import { describe, expect, it } from "vitest";
import { flaws, isBroken, nameOf, textOf, withVariant } from "../../src/console/knowledge/form";
import { progress } from "../../src/console/knowledge/progress";
import {
  readEntry,
  readFindings,
  readImport,
  readPublished,
  readSite,
  readStory,
  readTrial,
  readUnanswered,
  STEPS,
} from "../../src/console/knowledge/wire";
import {
  address,
  KNOWLEDGE,
  type KnowledgePlace,
  Navigation,
  type Place,
  sameEntry,
} from "../../src/console/navigation";
import { since } from "../../src/console/time";
import { WireError } from "../../src/console/wire";
import { NOW } from "./gateway";

describe("an address", () => {
  const inside = (change: Partial<KnowledgePlace>): KnowledgePlace => ({
    ...KNOWLEDGE,
    site: "site_demo",
    ...change,
  });

  it.each<[string, Place]>([
    ["", { room: "inbox", id: null }],
    ["#e_0a", { room: "inbox", id: "e_0a" }],
    ["#knowledge", KNOWLEDGE],
    ["#knowledge/site_demo/entries", inside({})],
    ["#knowledge/site_demo/entries/new", inside({ entry: "new" })],
    ["#knowledge/site_demo/entries/en/a%2Fb", inside({ entry: { id: "a/b", locale: "en" } })],
    ["#knowledge/site_demo/unanswered", inside({ page: "unanswered" })],
  ])("%j is a place, and the place that address", (hash, place) => {
    const at = { location: { hash, pathname: "/", search: "" } } as unknown as Window;
    expect(new Navigation(at).current()).toEqual(place);
    expect(address(place)).toBe(hash);
  });

  it.each([
    ["#elsewhere", { room: "inbox", id: null }],
    ["#knowledge/s/nowhere", { ...KNOWLEDGE, site: "s" }],
    ["#knowledge/s/check/en/x", { ...KNOWLEDGE, site: "s", page: "check" }],
    ["#knowledge/s/entries/en", { ...KNOWLEDGE, site: "s" }],
    ["#knowledge/100%", { ...KNOWLEDGE, site: "100%" }],
  ])("%j is read as far as it makes sense", (hash, place) => {
    const at = { location: { hash } } as unknown as Window;
    expect(new Navigation(at).current()).toEqual(place);
  });

  it("tells entries apart by id and language", () => {
    const entry = { id: "a", locale: "en" };
    expect(sameEntry(entry, { ...entry })).toBe(true);
    expect(sameEntry(entry, { ...entry, locale: "es" })).toBe(false);
    expect(sameEntry(entry, "new")).toBe(false);
    expect(sameEntry("new", "new")).toBe(true);
    expect(sameEntry(null, null)).toBe(true);
    expect([nameOf(entry), nameOf("new")]).toEqual(["en/a", "new"]);
  });
});

describe("a message about knowledge", () => {
  it("may lack all but what tells it from another", () => {
    expect(readSite({ site: "s" })).toEqual({
      site: "s",
      name: "s",
      locales: [],
      defaultLocale: "en",
      entries: 0,
      publishedAt: null,
      changes: 0,
      unpublished: false,
      threshold: 0.55,
      outOfScope: 0,
      marks: 0,
      building: null,
      failed: null,
    });
    expect(readSite({ site: "s", changes: 1 }).unpublished).toBe(true);
    expect(readSite({ site: "s", changes: 0, unpublished: true }).unpublished).toBe(true);
    expect(readSite({ site: "s", locales: ["he"], building: {} })).toMatchObject({
      defaultLocale: "he",
      building: { step: "reading", share: 0 },
    });
    const entry = { id: "a", locale: "en", question: "A?" };
    expect(readEntry({ ...entry, links: [{}], tags: [1, "x", ""] })).toMatchObject({
      answer: "",
      links: [{ title: "", url: "" }],
      tags: ["x"],
      state: "live",
      number: null,
    });
    expect(readStory({ ...entry, history: [{}], file: {} })).toMatchObject({
      history: [{ at: "", author: "", action: "edited", entry: null }],
      file: { question: "" },
    });
    expect(readPublished({})).toEqual({ step: "reading", share: 0 });
    expect(readTrial({})).toMatchObject({ outcome: "handed_over", confidence: 0, built: true });
    expect(readTrial({ answer: { entry_id: "a", locale: "en" } }).answer?.text).toBe("");
    expect(readFindings({ findings: [{ entry_id: "a", locale: "en" }] }).findings[0]).toMatchObject(
      {
        severity: "warning",
        entry: { question: "a" },
        other: null,
      },
    );
    expect(readUnanswered({ items: [{ question: "A?" }] })[0]).toMatchObject({
      count: 1,
      nearest: null,
    });
    expect(readImport({ import_id: "i" })).toMatchObject({ source: "", added: [], unchanged: 0 });
  });

  it.each([
    () => readSite({}),
    () => readEntry({ id: "a", locale: "en" }),
    () => readEntry({ id: "a", question: "A?" }),
    () => readTrial({ candidates: [{ question: "A?" }] }),
    () => readImport(null),
  ])("that lacks that is refused", (read) => {
    expect(read).toThrow(WireError);
  });
});

describe("a form", () => {
  const form = {
    question: " A  question? ",
    answer: " An answer. ",
    variants: ["one", " one ", "", "A question?"],
    links: [
      { title: "", url: "" },
      { title: " Here ", url: " https://a.example/ " },
    ],
    tags: "b, a,, b",
    escalate: true,
    valid_from: "2026-12-24",
    valid_until: "2026-12-26",
    locale: "en",
  };

  it("is sent without what nobody meant", () => {
    expect(textOf(form)).toEqual({
      question: "A question?",
      answer: "An answer.",
      variants: ["one"],
      links: [{ title: "Here", url: "https://a.example/" }],
      tags: ["b", "a"],
      escalate: true,
      valid_from: "2026-12-24",
      valid_until: "2026-12-26",
    });
  });

  it("does not end before it begins", () => {
    expect(flaws(form)).toEqual([]);
    expect(flaws({ ...form, valid_until: "2026-12-23" })).toEqual(["days"]);
    expect(flaws({ ...form, valid_until: "" })).toEqual([]);
  });

  it("takes a way to ask once", () => {
    expect(withVariant(form, "a  question?").variants).toHaveLength(5);
    expect(withVariant(form, " A question? ")).toBe(form);
    expect(withVariant(form, "one")).toBe(form);
  });

  it.each([
    ["", "", false],
    ["T", "https://a.example", false],
    ["T", "mailto:a@a.example", false],
    ["", "https://a.example", true],
    ["T", "", true],
    ["T", "javascript:alert(1)", true],
    ["T", "a.example", true],
  ])("with the link %j to %j is broken: %s", (title, url, broken) => {
    expect(isBroken({ title, url })).toBe(broken);
  });
});

describe("how far", () => {
  it("a build is grows with each step, up to the whole", () => {
    const shares = STEPS.flatMap((step) => [
      progress({ step, share: 0 }),
      progress({ step, share: 1 }),
    ]);
    expect([...shares].sort((a, b) => a - b)).toEqual(shares);
    expect(shares[0]).toBe(0);
    expect(shares.at(-1)).toBeCloseTo(1);
  });

  it("back something was is never ahead", () => {
    expect(since(new Date(NOW + 5_000).toISOString(), NOW, "en-GB")).toBe("now");
    expect(since(new Date(NOW - 120_000).toISOString(), NOW, "en-GB")).toBe("2 minutes ago");
    expect(since("soon", NOW, "en-GB")).toBe("soon");
  });
});
