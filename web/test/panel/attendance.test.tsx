// @vitest-environment happy-dom
import { render } from "preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LOCALES, type Locale } from "../../src/i18n/locale.ts";
import { loadStrings, speaker } from "../../src/i18n/strings.ts";
import { nextOpening, type Opening, sayBack } from "../../src/panel/attendance.ts";
import { Panel } from "../../src/panel/views/panel.tsx";
import { CONFIG, type Harness, panel } from "./panel.ts";

const at = (text: string) => Date.parse(text);
/** A Monday and a Tuesday in Madrid. */
const HOURS: readonly Opening[] = [
  ["2026-11-30T08:00:00Z", "2026-11-30T16:00:00Z"],
  ["2026-12-01T08:00:00Z", "2026-12-01T16:00:00Z"],
];

describe("when people are back", () => {
  it.each([
    ["2026-11-29T12:00:00Z", "2026-11-30T08:00:00Z"],
    ["2026-11-30T08:00:00Z", undefined],
    ["2026-11-30T15:59:59Z", undefined],
    ["2026-11-30T16:00:00Z", "2026-12-01T08:00:00Z"],
    ["2026-12-01T16:00:00Z", undefined],
  ])("at %s is %s", (now, back) => {
    const expected = back === undefined ? undefined : at(back);
    expect(nextOpening(HOURS, at(now))).toBe(expected);
  });

  it("is not known of a site without hours", () => {
    expect(nextOpening(null, 0)).toBeUndefined();
    expect(nextOpening([], 0)).toBeUndefined();
  });

  async function said(locale: Locale, now: string, timeZone = "Europe/Madrid") {
    const say = speaker(locale, await loadStrings(locale));
    const text = sayBack(at("2026-11-30T08:00:00Z"), at(now), { say, locale, timeZone });
    return text.replaceAll("\u202f", " ");
  }

  it.each([
    ["en", "2026-11-27T12:00:00Z", "People are back Monday at 9:00 AM."],
    ["en", "2026-11-29T12:00:00Z", "People are back tomorrow at 9:00 AM."],
    ["en", "2026-11-30T06:00:00Z", "People are back today at 9:00 AM."],
    ["en", "2026-11-20T12:00:00Z", "People are back Monday, November 30 at 9:00 AM."],
    ["es", "2026-11-27T12:00:00Z", "Volverá a haber alguien el lunes, 9:00."],
    ["es", "2026-11-29T12:00:00Z", "Mañana volverá a haber alguien: 9:00."],
    ["he", "2026-11-27T12:00:00Z", "אנשי הצוות חוזרים ביום שני בשעה 9:00."],
  ] as const)("is said in %s at %s", async (locale, now, words) => {
    expect(await said(locale, now)).toBe(words);
  });

  it("is said on the visitor's clock, whose day may be another", async () => {
    const now = "2026-11-29T23:30:00Z";
    expect(await said("en", now, "Europe/Madrid")).toBe("People are back today at 9:00 AM.");
    expect(await said("en", now, "America/New_York")).toBe("People are back tomorrow at 3:00 AM.");
  });

  it("has its words in every language", async () => {
    for (const locale of LOCALES) expect(await said(locale, "2026-11-20T12:00:00Z")).toMatch(/:00/);
  });
});

describe("a panel whose people are away", () => {
  let it_: Harness;
  let root: HTMLElement;
  const soon = new Date(Date.now() + 3 * 86_400_000).toISOString();
  const later = new Date(Date.now() + 4 * 86_400_000).toISOString();
  const shown = () => root.textContent ?? "";
  const see = (words: string) => vi.waitFor(() => expect(shown()).toContain(words));

  function open(hours: readonly Opening[] | null): void {
    it_ = panel({ config: { ...CONFIG, hours } });
    it_.loadPack();
    render(<Panel services={{ ...it_, close: undefined }} />, root);
    const buttons = [...root.querySelectorAll<HTMLButtonElement>("button")];
    buttons.find((one) => one.textContent?.includes("Without memory"))?.click();
  }

  const back = () =>
    sayBack(at(soon), Date.now(), { say: it_.state.say.value, locale: it_.state.locale.value });

  beforeEach(() => {
    root = document.createElement("div");
    document.body.append(root);
  });

  afterEach(() => {
    render(null, root);
    root.remove();
  });

  it("says so before a person is asked, and the button is described by it", async () => {
    open([[soon, later]]);
    await it_.conversation.ask("known");
    await see(back());
    const button = root.querySelector("[aria-describedby]");
    expect(button?.textContent).toBe("Ask a person");
    const hint = button?.getAttribute("aria-describedby") ?? "";
    expect(document.getElementById(hint)?.textContent).toBe(back());
    it_.state.toPerson.value = true;
    await vi.waitFor(() =>
      expect(root.querySelector(".person-mode span")?.textContent).toBe(back()),
    );
  });

  it("says what the gateway told of the question, in place of a promise", async () => {
    open(null);
    it_.gateway.answers.set("/v1/escalations", () =>
      Response.json({ escalation_id: "e_1", status: "delivered", back_at: soon }, { status: 202 }),
    );
    await it_.conversation.ask("hm");
    await see(back());
    expect(root.querySelector(".handoff h2")?.textContent).toBe(
      "Your question is waiting for a person",
    );
    expect(shown()).not.toContain("A person will answer here");
  });

  it("promises nothing of a time that is past", async () => {
    open(null);
    it_.gateway.answers.set("/v1/escalations", () =>
      Response.json(
        { escalation_id: "e_1", status: "queued", back_at: "2020-01-01T00:00:00Z" },
        { status: 202 },
      ),
    );
    await it_.conversation.ask("hm");
    await see("Waiting for the team");
    expect(root.querySelector(".handoff h2")?.textContent).toBe("A person will answer here");
  });
});
