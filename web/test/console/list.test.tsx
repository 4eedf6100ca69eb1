// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { strings } from "../../src/console/strings";
import { escalation } from "./gateway";
import {
  all,
  button,
  click,
  gateway,
  get,
  hashOf,
  idOf,
  open,
  press,
  questions,
  settle,
  text,
  type,
} from "./page";

describe("the list", () => {
  it.each([
    ["open", strings.list.emptyOpen],
    ["resolved", strings.list.emptyResolved],
    ["all", strings.list.emptyAll],
  ])("says so when nothing is %s", async (filter, words) => {
    gateway.items = [];
    await open();
    await click(get(`input[value=${filter}]`));
    expect(text(".blank-title")).toBe(words);
  });

  it("filters", async () => {
    gateway.items.push(escalation(4, { status: "resolved" }));
    await open();
    expect(questions()).toHaveLength(3);
    await click(get("input[value=resolved]"));
    expect(questions()).toEqual(["Question 4"]);
    await click(get("input[value=all]"));
    expect(questions()).toHaveLength(4);
  });

  it("searches in what is loaded", async () => {
    await open();
    await type(".search input", "question 2");
    expect(questions()).toEqual(["Question 2"]);
    expect(text(".search [role=status]")).toBe("1 match");
    await type(".search input", "nothing");
    expect(text(".blank-title")).toBe(strings.list.noMatch);
    await click(button(strings.list.clearSearch));
    expect(questions()).toHaveLength(3);
  });

  it("loads older ones when asked", async () => {
    gateway.pageSize = 2;
    await open();
    expect(questions()).toEqual(["Question 3", "Question 2"]);
    gateway.fail("GET /escalations", 503);
    await click(button(strings.list.more));
    expect(text(".list-stale")).toContain(strings.trouble.broken);
    gateway.failures.clear();
    await click(button(strings.list.more));
    expect(questions()).toEqual(["Question 3", "Question 2", "Question 1"]);
    expect(text(".list-end")).toBe(strings.list.end);
  });

  it("waits, fails and is tried again in plain sight", async () => {
    gateway.fail("GET /escalations", 503);
    await open();
    expect(text(".blank-title")).toBe(strings.list.failedTitle);
    gateway.failures.clear();
    gateway.held = [];
    await click(button(strings.list.retry));
    expect(text(".list-body [role=status]")).toBe(strings.list.loading);
    gateway.release();
    await settle();
    expect(questions()).toHaveLength(3);
  });

  it("marks what arrives as new until it is opened", async () => {
    await open();
    gateway.line.opens();
    gateway.items.push(escalation(4, { locale: "he", question: "שלום?" }));
    gateway.line.says(`{"id":"${idOf(4)}"}`);
    await settle();
    expect(text(".row-unread .row-question")).toBe("שלום?");
    expect(get(".row-unread .row-question").getAttribute("lang")).toBe("he");
    expect(text(".desk > .unseen[role=status]")).toBe(strings.list.newArrived("שלום?"));
    expect(document.title).toBe("(1) Fanlight console");
    await press("j");
    expect(all(".row-unread")).toHaveLength(0);
    expect(document.title).toBe("Fanlight console");
  });

  it("does not call an old question new because it changed", async () => {
    await open();
    gateway.line.says(`{"id":"${idOf(1)}"}`);
    gateway.line.says(`{"id":"${idOf(3)}"}`);
    gateway.line.says('{"id":"e_gone"}');
    await settle();
    expect(all(".row-unread")).toHaveLength(0);
  });

  it("marks what was asked once more, unless it is open", async () => {
    const more = (id: number) => ({
      id: `e_m${id}`,
      question: `And ${id}?`,
      created_at: "2026-03-12T11:30:00Z",
    });
    await open(hashOf(3));
    gateway.items = [1, 2, 3].map((number) => escalation(number, { added: [more(number)] }));
    gateway.line.says(`{"id":"${idOf(2)}"}`);
    gateway.line.says(`{"id":"${idOf(3)}"}`);
    await settle();
    expect(all(".row-unread .row-question").map((row) => row.textContent)).toEqual(["Question 2"]);
    expect(text(".desk > .unseen[role=status]")).toBe(strings.list.newArrived("And 2?"));
    expect(text(".row-unread .row-facts")).toContain(strings.list.again(1));
    await type(".search input", "and 2?");
    expect(questions()).toEqual(["Question 2"]);
  });

  it("does not call a question replied to that was asked once more since", async () => {
    const reply = { id: "r", author: "ada", content: "x", created_at: "2026-03-12T11:00:00Z" };
    const later = { id: "e_m", question: "And?", created_at: "2026-03-12T11:30:00Z" };
    const before = { ...later, created_at: "2026-03-12T10:30:00Z" };
    gateway.items = [
      escalation(2, { replies: [reply], added: [later] }),
      escalation(1, { replies: [reply], added: [before, before] }),
    ];
    await open();
    expect(all(".state-done")).toHaveLength(1);
    expect(text(".rows")).toContain(strings.list.again(2));
  });

  it("shows what became of each", async () => {
    const reply = { id: "r", author: "ada", content: "x", created_at: "2026-03-12T11:00:00Z" };
    gateway.items = [
      escalation(3, { status: "failed" }),
      escalation(2, { replies: [reply] }),
      escalation(1, { status: "resolved", locale: null }),
    ];
    await open();
    await click(get("input[value=all]"));
    expect(all("[class^=state-]").map((state) => state.textContent)).toEqual([
      strings.list.failed,
      strings.list.replied,
      strings.list.resolved,
    ]);
  });
});

describe("the connection", () => {
  it("is shown, and what was missed is read again", async () => {
    await open(hashOf(1));
    gateway.line.opens();
    await settle();
    expect(text(".connection")).toBe(strings.bar.live);
    gateway.line.breaks();
    await settle();
    expect(text(".connection")).toBe(strings.bar.reconnecting);
    gateway.items.push(escalation(4));
    gateway.line.opens();
    await settle();
    expect(questions()[0]).toBe("Question 4");
  });

  it("says when the browser is offline", async () => {
    await open();
    gateway.reachable = false;
    window.dispatchEvent(new Event("offline"));
    await settle();
    expect(text(".connection")).toBe(strings.bar.offline);
  });

  it("that is refused asks who is logged in", async () => {
    await open();
    gateway.loggedIn = false;
    gateway.line.breaks(true);
    await settle();
    expect(text(".door-lead")).toBe(strings.login.ended);
  });
});
