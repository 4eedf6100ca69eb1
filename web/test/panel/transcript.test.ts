/** A conversation as a file, and what a search in it finds. */
import { describe, expect, it } from "vitest";
import { ENGLISH, speaker } from "../../src/i18n/strings.ts";
import { asJson, asText, matching } from "../../src/panel/transcript.ts";
import type { Entry } from "../../src/vault/entry.ts";
import type { Kept } from "../../src/vault/talks.ts";

const AT = Date.UTC(2026, 10, 3, 9, 30);

function entry(fields: Partial<Entry>): Entry {
  return { id: "t:q", turn_id: "t", role: "user", content: "¿Qué?", at: AT, rev: 3, ...fields };
}

const ENTRIES: readonly Entry[] = [
  entry({}),
  entry({ id: "t:a", role: "assistant", content: "Until nine.", source: "kb" }),
  entry({ id: "p", role: "person", content: "שלום", author: "Dana" }),
  entry({ id: "t:x", role: "assistant", content: "", stopped: true }),
];

const KEPT: Kept = {
  ...{ v: 1, conversation_id: "c_1", subject: "thumbprint", cleared_at: 0, last_event_id: "7" },
  entries: ENTRIES,
};

describe("a conversation as text", () => {
  it("says of each line who wrote it, and leaves out what was never said", () => {
    const text = asText(KEPT, speaker("en", ENGLISH), "Lamps & Co", "en");
    const heads = text.split("\n").filter((line) => line.includes("·"));
    expect(heads.map((line) => line.split("· ")[1])).toEqual(["You", "Lamps & Co", "Dana"]);
    expect(text).toContain("Until nine.");
    expect(text.endsWith("שלום\n")).toBe(true);
  });
});

describe("a conversation as JSON", () => {
  it("has every line with its time, and nothing of the key", () => {
    const document = JSON.parse(asJson(KEPT, "Lamps & Co"));
    expect(document).toMatchObject({ format: "fanlight-conversations 1", site: "Lamps & Co" });
    const [{ conversation, title, lines }] = document.conversations;
    expect([conversation, title, lines.length]).toEqual(["c_1", "¿Qué?", 4]);
    expect(lines[0]).toMatchObject({ at: "2026-11-03T09:30:00.000Z", content: "¿Qué?" });
    expect(JSON.stringify(document)).not.toContain("thumbprint");
  });
});

describe("a search", () => {
  it.each([
    ["", 4],
    ["QUE", 1],
    ["nine until", 1],
    ["nine ten", 0],
    ["dana", 1],
    ["שלום", 1],
  ])("for %j finds %i", (words, count) => {
    expect(matching(ENTRIES, words)).toHaveLength(count);
  });
});
