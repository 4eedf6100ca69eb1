// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { strings } from "../../src/console/strings";
import { escalation, TOKEN } from "./gateway";
import {
  all,
  button,
  click,
  console,
  gateway,
  get,
  hashOf,
  logIn,
  open,
  press,
  questions,
  settle,
  text,
  type,
} from "./page";

describe("a question", () => {
  it("opens from its address, with why it came and what was said", async () => {
    gateway.items.push(
      escalation(5, {
        question: "Where is my order?",
        tail: [
          { role: "user", content: "Hi" },
          { role: "assistant", content: "Hello **there**" },
          { role: "user", content: "Where is my order?" },
          { role: "assistant", content: "A person **will** answer here." },
        ],
        contact: "marta@example.com",
        replies: [
          { id: "r1", author: "ada", content: "Mine", created_at: "2026-03-12T11:00:00Z" },
          { id: "r2", author: "Dana", content: "שלום", created_at: "2026-03-12T11:00:00Z" },
        ],
      }),
    );
    await open(hashOf(5));
    expect(text(".detail-question")).toBe("Where is my order?");
    expect(text(".why")).toContain(strings.why.low_confidence);
    expect(text(".why")).toContain("31");
    const said = all(".talk-entry").map(
      (entry) => entry.querySelector(".talk-who span")?.textContent,
    );
    expect(said).toEqual(["Visitor", "Fanlight", "Visitor", "Fanlight", "You", "Dana"]);
    expect(all(".talk strong").map((strong) => strong.textContent)).toEqual(["there", "will"]);
    expect(all(".talk-entry").at(-1)?.getAttribute("dir")).toBe("rtl");
    expect(get(".facts a").getAttribute("href")).toBe("mailto:marta@example.com");
    expect(document.activeElement?.className).toBe("detail-question");
  });

  it("shows what the visitor asked once more, between the replies", async () => {
    const at = (minute: number) => `2026-03-12T11:0${minute}:00Z`;
    const reply = (id: string, minute: number) => ({
      id,
      author: "Dana",
      content: id,
      created_at: at(minute),
    });
    gateway.items = [
      escalation(1, {
        replies: [reply("r1", 1), reply("r2", 5)],
        added: [
          { id: "e_2", question: "And <b>this</b>?", fallback_text: "Soon.", created_at: at(2) },
          { id: "e_3", question: "Hello?", fallback_text: "", created_at: at(3) },
        ],
        deliveries: [{ target: "team", kind: "slack", state: "pending", action: "added" }],
      }),
    ];
    await open(hashOf(1));
    const said = all(".talk-entry").map((entry) => entry.lastElementChild?.textContent);
    const shown = "A person will answer here.";
    expect(said).toEqual([shown, "r1", "And <b>this</b>?", "Soon.", "Hello?", "r2"]);
    expect(text(".target-state")).toContain(strings.delivery.tells.added);
  });

  it("says what the visitor agreed to as the contact was left", async () => {
    const contact_consent = { wording: "Write to me.", at: "2026-03-12T11:00:00Z" };
    gateway.items = [escalation(1, { contact: "marta@example.com", contact_consent })];
    await open(hashOf(1));
    expect(text(".facts")).toContain("Write to me.");
    expect(get(".facts .hint time").getAttribute("datetime")).toContain("2026-03-12T11:00:00");
  });

  it("says what the visitor thought of the answer", async () => {
    const verdict = { signal: "failed", text: "<b>Late</b>", created_at: "2026-03-12T11:09:00Z" };
    gateway.items = [escalation(1, { status: "resolved", verdict })];
    await open(hashOf(1));
    expect(text(".facts")).toContain(strings.facts.verdict);
    expect(text(".facts")).toContain(strings.facts.verdicts.failed);
    expect(text(".facts .hint")).toContain("<b>Late</b>");
  });

  it("does without what it does not have", async () => {
    gateway.items = [
      escalation(1, {
        confidence: null,
        fallback_text: null,
        locale: null,
        site: "",
        contact: "javascript:alert(1)@x",
      }),
    ];
    await open(hashOf(1));
    expect(all(".scale")).toHaveLength(0);
    expect(text(".talk")).toBe(strings.talk.noFallback);
    expect(all(".facts a")).toHaveLength(0);
    expect(text(".deliveries")).toContain(strings.delivery.none);
  });

  it.each(["server", "client"] as const)("says that the %s judged", async (provenance) => {
    gateway.items = [escalation(1, { provenance })];
    await open(hashOf(1));
    expect(text(".facts")).toContain(strings.facts.judges[provenance]);
  });

  it("shows each delivery and sends again", async () => {
    const attempt = (minute: number) => ({
      at: `2026-03-12T11:0${minute}:00Z`,
      outcome: "failed",
      status: 503,
      detail: "Down",
    });
    gateway.items = [
      escalation(1, {
        deliveries: [
          {
            target: "https://a.example",
            kind: "webhook",
            state: "pending",
            attempts: [1, 2, 3, 4].map(attempt),
            next_at: "2026-03-12T12:05:00Z",
          },
          { target: "", kind: "slack", state: "delivered", attempts: [], next_at: null },
          {
            target: "https://c.example",
            kind: "webhook",
            state: "disabled",
            attempts: [{ at: "", outcome: "gone", status: null, detail: null }],
            next_at: null,
          },
          { target: "d", kind: "webhook", state: "skipped", attempts: [], next_at: null },
        ],
      }),
    ];
    await open(hashOf(1));
    expect(text(".deliveries summary")).toBe("1 earlier attempt");
    expect(text(".target-next")).toBe("Next attempt in 5 minutes");
    expect(text(".target-delivered .target-name")).toBe("Slack");
    expect(text(".target-delivered")).toContain(strings.delivery.noAttempt);
    expect(text(".target-skipped")).toContain(strings.delivery.states.skipped);
    await click(button(strings.delivery.resend));
    expect(gateway.sent("POST", "/resend")).toHaveLength(1);
    expect(text(".note")).toContain(strings.delivery.resent);
    gateway.fail("POST /resend", 409, { detail: "It is under way" });
    await click(button(strings.delivery.resend));
    expect(text(".note")).toContain("Not sent again. It is under way.");
  });

  it("that is not there is said so", async () => {
    await open("#e_nothing");
    expect(text(".blank-wide, .detail .blank")).toContain(strings.detail.gone);
    gateway.fail("GET /e_other", 503);
    location.hash = "#e_other";
    window.dispatchEvent(new Event("hashchange"));
    await settle();
    expect(text(".detail .blank")).toContain(strings.trouble.broken);
    await click(button(strings.detail.back));
    expect(location.hash).toBe("");
    expect(text(".detail")).toContain(strings.detail.none);
  });
});

/** The visitor asks more, a moment before the console hears of it. */
function askMore(number: number): void {
  const item = gateway.items.find((one) => one.question === `Question ${number}`);
  if (item === undefined) throw new Error("no such question");
  const added = { id: "e_added", question: "And on Sundays?", fallback_text: "Not sure." };
  item.added = [{ ...added, created_at: "2026-01-02T15:12:12.000Z" }];
}

describe("a reply", () => {
  const write = async (words: string) => {
    await open(hashOf(2));
    await type("#reply", words);
    get("#reply").focus();
  };

  it("shows at once as being sent, then as sent", async () => {
    await write("Yes, **you** can");
    gateway.held = [];
    await press("Enter", { ctrlKey: true });
    expect(text(".talk-pending")).toContain(strings.talk.sending);
    expect(get<HTMLTextAreaElement>("#reply").value).toBe("");
    gateway.release();
    await settle();
    expect(all(".talk-pending")).toHaveLength(0);
    expect(text(".talk-person strong")).toBe("you");
    expect(text(".note")).toContain(strings.composer.sent);
    expect(gateway.sent("POST", "/replies")[0]?.body).toEqual({
      content: "Yes, **you** can",
      resolve: false,
      seen: 1,
    });
    gateway.pass(6_000);
    await settle();
    expect(all(".note")).toHaveLength(0);
  });

  it("that fails goes back, whole, before what was typed since, and is not sent twice", async () => {
    await write("First");
    gateway.held = [];
    gateway.fail("POST /replies", 503);
    await press("Enter", { metaKey: true });
    await type("#reply", "Second");
    gateway.release();
    await settle();
    expect(get<HTMLTextAreaElement>("#reply").value).toBe("First\n\nSecond");
    expect(text("#reply-error")).toBe(strings.composer.unsent(strings.trouble.broken));
    expect(all(".talk-person")).toHaveLength(0);
    await type("#reply", "First");
    expect(text("#reply-error")).toBe("");
    gateway.failures.clear();
    await press("Enter", { ctrlKey: true });
    const keys = gateway
      .sent("POST", "/replies")
      .map((call) => call.headers.get("Idempotency-Key"));
    expect(keys).toEqual(["key_1", "key_1"]);
  });

  it("may resolve the question", async () => {
    await write("Done");
    await click(get(".composer [type=checkbox]"));
    await click(button(strings.composer.sendAndResolve));
    expect(text(".detail-done")).toContain(strings.detail.resolved);
    expect(text(".note")).toContain(strings.composer.sentAndResolved);
    await click(button(strings.detail.replyAnyway));
    expect(document.activeElement?.id).toBe("reply");
  });

  it("that came after a question which was not seen leaves it open, and says so", async () => {
    await write("Done");
    await click(get(".composer [type=checkbox]"));
    askMore(2);
    await click(button(strings.composer.sendAndResolve));
    expect(all(".detail-done")).toHaveLength(0);
    expect(text(".note")).toContain(strings.composer.sentAndOpen);
    expect(text(".detail")).toContain("And on Sundays?");
    expect(gateway.sent("POST", "/replies")[0]?.body).toMatchObject({ seen: 1 });
    await type("#reply", "Then too");
    await click(get(".composer [type=checkbox]"));
    await click(button(strings.composer.sendAndResolve));
    expect(gateway.sent("POST", "/replies")[1]?.body).toMatchObject({ seen: 2 });
    expect(text(".detail-done")).toContain(strings.detail.resolved);
  });

  it("can be looked at first", async () => {
    await write("**Bold** <b>raw</b>");
    await click(button(strings.composer.preview));
    expect(text(".composer-preview strong")).toBe("Bold");
    expect(all(".composer-preview b")).toHaveLength(0);
    await type("#reply", " ");
    expect(text(".composer-preview")).toBe(strings.composer.previewEmpty);
  });

  it("of nothing is not sent", async () => {
    await write("   ");
    await press("Enter", { ctrlKey: true });
    expect(gateway.sent("POST", "/replies")).toHaveLength(0);
  });

  it("stays with its question, and leaving the page is asked about", async () => {
    await write("Half a");
    get("#reply").blur();
    await press("j");
    expect(get<HTMLTextAreaElement>("#reply").value).toBe("");
    await press("k");
    expect(get<HTMLTextAreaElement>("#reply").value).toBe("Half a");
    const leaving = new Event("beforeunload", { cancelable: true });
    window.dispatchEvent(leaving);
    expect(leaving.defaultPrevented).toBe(true);
  });

  it("outlives a session that ended, but is not shown to another operator", async () => {
    await write("Half a");
    gateway.fail("POST /replies", 401);
    gateway.loggedIn = false;
    await press("Enter", { ctrlKey: true });
    expect(text(".door-lead")).toBe(strings.login.ended);
    gateway.failures.clear();
    await logIn(TOKEN);
    expect(get<HTMLTextAreaElement>("#reply").value).toBe("Half a");
    gateway.operator = "grace";
    gateway.loggedIn = false;
    console.session.end();
    await settle();
    await logIn(TOKEN);
    expect(get<HTMLTextAreaElement>("#reply").value).toBe("");
  });
});

describe("resolving", () => {
  it("shows at once and keeps the question in sight", async () => {
    await open(hashOf(2));
    get(".detail-bar .button").focus();
    await click(button(strings.detail.resolve));
    expect(text(".detail-done")).toContain(strings.detail.resolved);
    expect(questions()).toContain("Question 2");
    expect(document.activeElement?.className).toBe("detail-question");
    await press("e");
    expect(gateway.sent("POST", "/resolve")).toHaveLength(1);
  });

  it("is refused where something was asked that was not there, which is then shown", async () => {
    await open(hashOf(2));
    askMore(2);
    await click(button(strings.detail.resolve));
    expect(all(".detail-done")).toHaveLength(0);
    expect(text(".note-bad")).toContain(strings.trouble.resolveFailed("Asked since."));
    expect(text(".detail")).toContain("And on Sundays?");
    await click(button(strings.detail.resolve));
    expect(gateway.sent("POST", "/resolve").map((call) => call.body)).toEqual([
      { seen: 1 },
      { seen: 2 },
    ]);
    expect(text(".detail-done")).toContain(strings.detail.resolved);
  });

  it("is taken back when it failed", async () => {
    await open(hashOf(2));
    gateway.fail("POST /resolve", 503);
    await press("e");
    expect(all(".detail-done")).toHaveLength(0);
    expect(text(".note-bad")).toContain(strings.trouble.resolveFailed(strings.trouble.broken));
    await click(button(strings.trouble.dismiss));
    expect(all(".note")).toHaveLength(0);
  });

  it.each([
    [strings.detail.unsentSend, 1, 0],
    [strings.detail.unsentDrop, 0, 1],
    [strings.detail.unsentCancel, 0, 0],
  ])("asks about an unsent reply: %s", async (choice, replies, resolves) => {
    await open(hashOf(2));
    await type("#reply", "Half a");
    await press("e");
    expect(text(".dialog h2")).toBe(strings.detail.unsentTitle);
    await click(button(choice));
    expect(gateway.sent("POST", "/replies")).toHaveLength(replies);
    expect(gateway.sent("POST", "/resolve")).toHaveLength(resolves);
    expect(all("dialog h2")).toHaveLength(0);
  });
});
