// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { event, problem, sse } from "../trust/gateway.ts";
import { BrokenStorage } from "../vault/storage.ts";
import { CHOICES, CONFIG, done, type Harness, panel, testDatabase, testGateway } from "./panel.ts";

const VAULT = "fanlight.memory.v1:site_demo";

let it_: Harness;

/** Lets everything that was begun come to its end. */
async function settled(check: () => unknown): Promise<void> {
  await vi.waitFor(() => expect(check()).toBeTruthy());
}

/** The real one, before any test stops the clock. */
const sleep = setTimeout;

/** Lets the panel's own time pass, with room between for what the browser does by itself. */
async function pass(ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 250) {
    await vi.advanceTimersByTimeAsync(250);
    await new Promise((resolve) => sleep(resolve, 5));
  }
}

const escalations = () => it_.gateway.calls("/v1/escalations");
const chats = () => it_.gateway.calls("/v1/chat");
const busy = (seconds: number) =>
  problem(503, { type: "https://fanlight.dev/problems/busy" }, { "Retry-After": `${seconds}` });
const status = () =>
  it_.state.entries.value.filter(({ escalation }) => escalation).at(-1)?.escalation?.status;

beforeEach(async () => {
  it_ = panel();
  it_.loadPack();
  await it_.memory.decline();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("a question that is close to a few", () => {
  it("is asked back, and nobody else is woken", async () => {
    await it_.conversation.ask("close?");
    expect(it_.state.entries.value[1]).toMatchObject({
      source: "clarify",
      content: "Which one?",
      suggestions: CHOICES,
      confidence: 0.7,
    });
    expect(it_.gateway.seen).toEqual([]);
    await it_.conversation.ask(CHOICES[0]?.question ?? "");
    expect(it_.state.entries.value.at(-1)).toMatchObject({ source: "kb" });
  });

  it("goes on when none of them is meant, and is not asked back again", async () => {
    await it_.conversation.ask("close?");
    it_.gateway.answers.set("/v1/chat", () =>
      sse([done({ reply: "From the model.", confidence: 0.9 })]),
    );
    const turn = it_.state.entries.value[0]?.turn_id ?? "";
    await it_.conversation.noneOf(turn);
    expect(it_.knowledge.requests[1]).toMatchObject({ question: "close?", may_clarify: false });
    expect(chats()[0]?.body).toMatchObject({ options: { clarify: false } });
    expect(it_.state.entries.value.at(-1)).toMatchObject({ content: "From the model." });
  });

  it("is not asked back about what was chosen, nor when it is tried again", async () => {
    await it_.conversation.choose("close, the first");
    expect(it_.knowledge.requests[0]).toMatchObject({ may_clarify: false });
    it_.gateway.answers.set("/v1/chat", () => problem(429, { retry_after: 0 }));
    await it_.conversation.choose("close, the second");
    const turn = it_.state.troubles.value[0]?.turnId ?? "";
    await it_.conversation.retry(turn);
    expect(it_.knowledge.requests.at(-1)).toMatchObject({ may_clarify: false });
  });

  it("is asked back by the gateway too, where nothing is known here", async () => {
    it_.gateway.answers.set("/v1/chat", () =>
      sse([
        done({
          reply: "I am not sure.\n\nWhich?\n\n- One\n- Two",
          confidence: 0.7,
          source: "kb",
          choices: [{ entry_id: "a", question: "One" }, { entry_id: 3 }, "x"],
        }),
      ]),
    );
    await it_.conversation.ask("what?");
    expect(it_.state.entries.value.at(-1)).toMatchObject({
      source: "clarify",
      content: "I am not sure.\n\nWhich?",
      suggestions: [{ entry_id: "a", question: "One" }],
    });
    expect(escalations()).toEqual([]);
  });
});

describe("a question that the knowledge base knows", () => {
  it("is answered here; nobody else is asked", async () => {
    await it_.conversation.ask("  known? ");
    expect(it_.lines()).toEqual([
      ["user", "known?", undefined],
      ["assistant", "The **answer**.", undefined],
    ]);
    expect(it_.state.entries.value[1]).toMatchObject({
      source: "kb",
      confidence: 0.91,
      locale: "en",
    });
    expect(it_.gateway.seen).toEqual([]);
  });

  it("also goes to a person where the entry says so", async () => {
    await it_.conversation.ask("always?");
    await settled(() => status() === "queued");
    expect(escalations()[0]?.body).toMatchObject({
      reason: "always",
      fallback_text: "The answer.",
    });
  });

  it("is asked with what was asked before, and with the day", async () => {
    await it_.conversation.ask("known 1");
    await it_.conversation.ask("known 2");
    const [, request] = it_.knowledge.requests;
    expect(request).toMatchObject({ history: ["known 1"], may_clarify: true });
    expect(request?.today).toMatch(/^20\d\d-\d\d-\d\d$/);
  });

  it("travels with the earlier questions that the gateway sees as well", async () => {
    for (const number of [1, 2, 3, 4, 5]) await it_.conversation.ask(`known ${number}`);
    it_.gateway.answers.set("/v1/chat", () => sse([done({ reply: "Yes.", confidence: 0.9 })]));
    await it_.conversation.ask("what?");
    const sent = chats()[0]?.body as { training_memory: { role: string; content: string }[] };
    const seen = sent.training_memory.filter(({ role }) => role === "user");
    expect(seen.map(({ content }) => content)).toEqual(it_.knowledge.requests.at(-1)?.history);
  });

  it("is not asked twice at once, nor when it is empty", async () => {
    await Promise.all([it_.conversation.ask("known 1"), it_.conversation.ask("known 2")]);
    await it_.conversation.ask("  ");
    expect(it_.knowledge.asked).toEqual(["known 1"]);
  });
});

describe("a question for the gateway", () => {
  it("carries the memory, the gate's verdict and a key of its own", async () => {
    await it_.conversation.ask("known?");
    it_.gateway.answers.set("/v1/chat", () => sse([done({ reply: "Yes.", confidence: 0.8 })]));
    await it_.conversation.ask("what else?");
    const { body, headers } = chats()[0] ?? {};
    expect(body).toMatchObject({
      message: { content: "what else?", mode: "text" },
      context_id: null,
      locale: "en",
      question_locale: null,
      training_memory: [
        { role: "user", content: "known?" },
        { role: "assistant", content: "The **answer**.", source: "kb", confidence: 0.91 },
      ],
      metadata: {
        memory_key: "fanlight.memory.v1",
        memory_window: 6,
        confidence_threshold: 0.55,
        gate: { entry_id: null, confidence: 0.31, index_release: "ab12" },
      },
      options: { stream: true, max_tokens: 512, workflow_id: null },
    });
    expect(body?.turn_id).toMatch(/^t_[\da-f]{32}$/);
    expect(body?.conversation_id).toMatch(/^c_[\da-f]{32}$/);
    expect(headers?.get("Idempotency-Key")).toMatch(/^[\w-]{1,64}$/);
    expect(it_.lines().at(-1)).toEqual(["assistant", "Yes.", undefined]);
    expect(escalations()).toEqual([]);
  });

  it("says when the field that no person sees was filled in, and goes on all the same", async () => {
    it_.gateway.answers.set("/v1/chat", () => sse([done({ reply: "Yes.", confidence: 0.8 })]));
    it_.state.unseen = "x".repeat(300);
    await it_.conversation.ask("what else?");
    expect(chats()[0]?.body.metadata).toMatchObject({ website: "x".repeat(200) });
    expect(it_.lines().at(-1)).toEqual(["assistant", "Yes.", undefined]);
  });

  it("is written as it arrives", async () => {
    const texts: string[] = [];
    it_.state.live.subscribe((live) => live && texts.push(live.text));
    const pieces = [
      event("delta", { text: "He" }),
      event("delta", { text: "llo" }),
      event("delta", { text: 1 }),
    ];
    it_.gateway.answers.set("/v1/chat", () =>
      sse([...pieces, done({ reply: "Hello", confidence: 0.9 })]),
    );
    await it_.conversation.ask("hm");
    expect(texts).toEqual(["", "He", "Hello"]);
    expect(it_.state.live.value).toBeUndefined();
  });

  it("that is answered hands its receipt to the next one", async () => {
    it_.gateway.answers.set("/v1/chat", () => sse([done({ reply: "Yes.", confidence: 0.9 })]));
    await it_.conversation.ask("one");
    await it_.conversation.ask("two");
    expect(chats()[1]?.headers.get("X-Integrity")).toBe("receipt");
  });

  it.each([
    ["an unsure reply", { reply: "Maybe.", confidence: 0.4 }, "low_confidence"],
    ["an empty reply", { reply: " ", confidence: 0.9 }, "empty"],
    ["a request for a person", { reply: "Hm.", confidence: 0.9, escalate: true }, "requested"],
  ])("with %s shows the fallback and brings a person", async (_name, turn, reason) => {
    it_.gateway.answers.set("/v1/chat", () => sse([done(turn)]));
    await it_.conversation.ask("hm");
    await settled(() => status() === "queued");
    expect(it_.lines().at(-1)).toEqual(["assistant", "Not sure.", "queued"]);
    expect(escalations()[0]?.body).toMatchObject({
      question: "hm",
      fallback_text: "Not sure.",
      reason,
      confidence: turn.confidence,
      conversation_tail: [],
      locale: "en",
      receipt: "receipt",
    });
    expect(it_.state.entries.value.at(-1)?.escalation?.id).toBe("e_1");
  });

  it("shows what the gateway says where nobody is there", async () => {
    const turn = { reply: "", confidence: 0.1, escalate: true, fallback_text: "Back at nine." };
    it_.gateway.answers.set("/v1/chat", () => sse([done(turn)]));
    await it_.conversation.ask("hm");
    await settled(() => status() === "queued");
    expect(it_.lines().at(-1)).toEqual(["assistant", "Back at nine.", "queued"]);
    expect(escalations()[0]?.body).toMatchObject({ fallback_text: "Back at nine." });
  });

  it("keeps a sure answer that a person follows up", async () => {
    const turn = {
      reply: "Call us.",
      confidence: 0.9,
      escalate: true,
      source: "kb",
      reasons: ["always"],
    };
    it_.gateway.answers.set("/v1/chat", () => sse([done(turn)]));
    await it_.conversation.ask("hm");
    expect(it_.lines().at(-1)?.[1]).toBe("Call us.");
    await settled(() => escalations().length === 1);
  });

  it("is asked of the gateway alone when the knowledge base cannot be had", async () => {
    it_.knowledge.loading = Promise.reject(new Error("no wasm"));
    const turn = { reply: "From the gateway's own base.", confidence: 0.2, source: "kb" };
    it_.gateway.answers.set("/v1/chat", () => sse([done(turn)]));
    await it_.conversation.ask("hm");
    expect(chats()[0]?.body.metadata).not.toHaveProperty("gate");
    expect(it_.lines().at(-1)?.[1]).toBe("From the gateway's own base.");
  });
});

describe("a gateway that does not answer", () => {
  it("is left after five seconds, for the fallback and a person", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    it_.gateway.answers.set("/v1/chat", () => sse([": heartbeat\n\n"], false));
    const asking = it_.conversation.ask("hm");
    await vi.waitFor(() => expect(chats()).toHaveLength(1));
    await pass(5000);
    await asking;
    expect(it_.lines().at(-1)?.[1]).toBe("Not sure.");
    vi.useRealTimers();
    await settled(() => escalations().length === 1);
    expect(escalations()[0]?.body).toMatchObject({ reason: "empty" });
  });

  it("is waited for as long as it says, where its model begins late", async () => {
    it_ = panel({ config: { ...CONFIG, first_word_ms: 7_000 } });
    it_.loadPack();
    await it_.memory.decline();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    it_.gateway.answers.set("/v1/chat", () => sse([": heartbeat\n\n"], false));
    const asking = it_.conversation.ask("hm");
    await vi.waitFor(() => expect(chats()).toHaveLength(1));
    await pass(6_000);
    expect(it_.lines()).toHaveLength(1);
    await pass(1_000);
    await asking;
    expect(it_.lines().at(-1)?.[1]).toBe("Not sure.");
    vi.useRealTimers();
  });

  it.each([
    ["is down", () => problem(503)],
    ["stops", () => sse([event("problem", { status: 503, title: "Stopping" })])],
    ["breaks off", () => sse([event("delta", { text: "He" })])],
  ])("because it %s is not waited for", async (_name, answer) => {
    it_.gateway.answers.set("/v1/chat", answer);
    await it_.conversation.ask("hm");
    await settled(() => status() === "queued");
    expect(it_.lines().at(-1)?.[1]).toBe("Not sure.");
  });

  it("because it has too much to do is asked once more, after the time that it names", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const answers = [busy(3), sse([done({ reply: "Yes.", confidence: 0.9 })])];
    it_.gateway.answers.set("/v1/chat", () => answers.shift() ?? problem(500));
    const asking = it_.conversation.ask("hm");
    await vi.waitFor(() => expect(chats()).toHaveLength(1));
    await pass(2500);
    expect(chats()).toHaveLength(1);
    await pass(2500);
    await asking;
    expect(it_.lines().at(-1)?.[1]).toBe("Yes.");
    expect(chats()).toHaveLength(2);
    expect(chats()[1]?.body).toEqual(chats()[0]?.body);
    expect(escalations()).toEqual([]);
  });

  it.each([
    ["twice", [3, 3], 2],
    ["for long", [30], 1],
  ])("because it has too much to do %s is not waited for", async (_, waits, times) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const answers = waits.map(busy);
    it_.gateway.answers.set("/v1/chat", () => answers.shift() ?? problem(500));
    const asking = it_.conversation.ask("hm");
    await pass(5000);
    await asking;
    vi.useRealTimers();
    expect(it_.lines().at(-1)?.[1]).toBe("Not sure.");
    expect(chats()).toHaveLength(times);
    await settled(() => escalations().length === 1);
  });

  it("because it has too much to do can be left meanwhile", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    it_.gateway.answers.set("/v1/chat", () => busy(3));
    const asking = it_.conversation.ask("hm");
    await vi.waitFor(() => expect(chats()).toHaveLength(1));
    await pass(500);
    it_.conversation.stop();
    await asking;
    await pass(5000);
    expect(chats()).toHaveLength(1);
    expect(escalations()).toEqual([]);
  });

  it("is said to be unreachable until it answers again", async () => {
    it_.gateway.answers.set("/v1/chat", () => {
      throw new TypeError("Failed to fetch");
    });
    it_.gateway.answers.set("/v1/escalations", () => {
      throw new TypeError("Failed to fetch");
    });
    await it_.conversation.ask("hm");
    await settled(() => it_.state.connection.value === "unreachable");
    expect(status()).toBe("unsent");
    it_.gateway.answers.set("/v1/escalations", () =>
      Response.json({ escalation_id: "e_1", status: "delivered" }),
    );
    await it_.escalations.flush();
    expect(it_.state.connection.value).toBe("online");
    expect(status()).toBe("delivered");
  });
});

describe("a refusal", () => {
  it("for too many questions tells the wait, and the question can be asked again", async () => {
    it_.gateway.answers.set("/v1/chat", () => problem(429, {}, { "Retry-After": "12" }));
    await it_.conversation.ask("hm");
    const [trouble] = it_.state.troubles.value;
    expect(trouble?.kind).toBe("limited");
    expect((trouble?.until ?? 0) - Date.now()).toBeGreaterThan(11_000);
    expect(it_.lines()).toHaveLength(1);
    it_.gateway.answers.set("/v1/chat", () => sse([done({ reply: "Yes.", confidence: 0.9 })]));
    await it_.conversation.retry(trouble?.turnId ?? "");
    expect(it_.lines().at(-1)?.[1]).toBe("Yes.");
    expect(it_.state.troubles.value).toEqual([]);
    expect(chats()[0]?.body.turn_id).toBe(chats()[1]?.body.turn_id);
  });

  it.each([
    [413, "long"],
    [422, "refused"],
    [429, "limited"],
  ])("with %i is a matter of %s", async (code, kind) => {
    it_.gateway.answers.set("/v1/chat", () => problem(code, { detail: "No.", remedy: "Do this." }));
    await it_.conversation.ask("hm");
    expect(it_.state.troubles.value[0]).toMatchObject({ kind, detail: "No. Do this." });
    expect(escalations()).toEqual([]);
  });

  it("of nothing that was asked cannot be retried", async () => {
    await it_.conversation.retry("t_unheard");
    expect(it_.lines()).toEqual([]);
  });
});

describe("stopping", () => {
  it("keeps what has been written", async () => {
    it_.gateway.answers.set("/v1/chat", () =>
      sse([event("delta", { text: "Half an ans" })], false),
    );
    const asking = it_.conversation.ask("hm");
    await settled(() => it_.state.live.value?.text);
    it_.conversation.stop();
    await asking;
    expect(it_.state.entries.value[1]).toMatchObject({
      content: "Half an ans",
      source: "cloud",
      stopped: true,
    });
  });

  it("does not wait for the knowledge base", async () => {
    it_.knowledge.loading = new Promise(() => undefined);
    const asking = it_.conversation.ask("hm");
    it_.conversation.stop();
    await asking;
    expect(it_.state.entries.value[1]).toMatchObject({ content: "", stopped: true });
  });
});

describe("asking a person", () => {
  it("about an answer escalates that turn, once", async () => {
    await it_.conversation.ask("known?");
    const turnId = it_.state.entries.value[0]?.turn_id ?? "";
    await it_.conversation.askPerson(turnId);
    await it_.conversation.askPerson(turnId);
    await settled(() => status() === "queued");
    expect(escalations()).toHaveLength(1);
    expect(escalations()[0]?.body).toMatchObject({
      turn_id: turnId,
      question: "known?",
      reason: "visitor_asked",
    });
  });

  it("directly asks nobody else", async () => {
    await it_.conversation.tell("Help me, please");
    await it_.conversation.tell(" ");
    await settled(() => status() === "queued");
    expect(it_.knowledge.asked).toEqual([]);
    expect(it_.lines()[1]?.[1]).toContain("passed your question to a person");
  });
});

describe("without a network", () => {
  beforeEach(() => {
    it_.browser.online = false;
    it_.network.refresh();
  });

  it("the knowledge base still answers", async () => {
    await it_.conversation.ask("known?");
    expect(it_.lines()[1]?.[1]).toBe("The **answer**.");
    expect(it_.state.connection.value).toBe("offline");
  });

  it("what needs a person waits, and is sent once when the network is back", async () => {
    await it_.conversation.ask("hm");
    expect(it_.lines()[1]).toEqual(["assistant", "No network.", "unsent"]);
    expect(it_.gateway.seen).toEqual([]);
    it_.browser.online = true;
    it_.network.refresh();
    await Promise.all([it_.escalations.flush(), it_.escalations.flush()]);
    await it_.escalations.flush();
    expect(escalations()).toHaveLength(1);
    expect(escalations()[0]?.body).toMatchObject({ reason: "low_confidence", confidence: 0.31 });
    expect(status()).toBe("queued");
  });

  it("and without a knowledge base the question is kept all the same", async () => {
    it_.knowledge.loading = Promise.reject(new Error("never cached"));
    await it_.conversation.ask("hm");
    expect(it_.lines()[1]?.[1]).toContain("no connection");
    await it_.conversation.tell("and a person, please");
    expect(it_.lines()[3]?.[2]).toBe("unsent");
    it_.warm();
    expect(it_.gateway.seen).toEqual([]);
  });
});

describe("an escalation", () => {
  it("is tried again, with the same key, after a passing refusal", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const answers = [problem(429, {}, { "Retry-After": "3" }), problem(503)];
    it_.gateway.answers.set(
      "/v1/escalations",
      () => answers.shift() ?? Response.json({ escalation_id: "e_1" }),
    );
    await it_.conversation.tell("hm");
    await pass(3000);
    await pass(10_000);
    await vi.waitFor(() => expect(status()).toBe("queued"));
    const keys = new Set(escalations().map(({ headers }) => headers.get("Idempotency-Key")));
    expect([escalations().length, keys.size]).toEqual([3, 1]);
  });

  it("that is refused for good is said to be so, and not tried again", async () => {
    it_.gateway.answers.set("/v1/escalations", () => problem(422));
    await it_.conversation.tell("hm");
    await settled(() => status() === "refused");
    await it_.escalations.flush();
    expect(escalations()).toHaveLength(1);
  });

  it("carries at most the six lines before it", async () => {
    for (let n = 0; n < 4; n += 1) await it_.conversation.ask(`known ${n}`);
    await it_.conversation.tell("hm");
    await settled(() => escalations().length === 1);
    const tail = escalations()[0]?.body.conversation_tail as { content: string }[];
    expect(tail).toHaveLength(6);
    expect(tail.at(-2)).toEqual({ role: "user", content: "known 3" });
  });
});

describe("a person's reply", () => {
  const reply = (id = 2) =>
    event(
      "human_reply",
      {
        escalation_id: "e_1",
        turn_id: turnId(),
        content: "Hello.",
        author: "Dana",
        created_at: "2026-11-21T10:00:00Z",
      },
      id,
    );
  const moved = (to: string, id = 1) =>
    event("escalation_status", { escalation_id: "e_1", turn_id: turnId(), status: to }, id);
  const turnId = () => it_.state.entries.value[0]?.turn_id ?? "";
  const streams = () => it_.gateway.seen.filter(({ path }) => path.endsWith("/events"));

  it("arrives under its question, with author and time", async () => {
    it_.gateway.answers.set("/v1/conversations/*", () =>
      sse([moved("delivered"), reply(), moved("resolved", 3)]),
    );
    await it_.conversation.tell("hm");
    await settled(() => status() === "resolved");
    expect(it_.state.entries.value.find(({ role }) => role === "person")).toMatchObject({
      content: "Hello.",
      author: "Dana",
      at: Date.parse("2026-11-21T10:00:00Z"),
      turn_id: turnId(),
    });
    expect(it_.vault.kept.last_event_id).toBe("3");
    expect(streams()).toHaveLength(1);
  });

  it("counts as unread while nobody looks", async () => {
    it_.state.visible.value = false;
    it_.gateway.answers.set("/v1/conversations/*", () => sse([reply(), moved("resolved", 3)]));
    await it_.conversation.tell("hm");
    await settled(() => it_.state.unread.value === 1);
  });

  it("is shown once, however often it is sent, and the stream goes on where it ended", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const answers = [() => sse([reply()]), () => sse([reply(), moved("resolved", 3)])];
    it_.gateway.answers.set("/v1/conversations/*", () =>
      (answers.shift() ?? (() => new Response(null, { status: 204 })))(),
    );
    await it_.conversation.tell("hm");
    await vi.waitFor(() => expect(streams()).toHaveLength(1));
    await pass(2000);
    await vi.waitFor(() => expect(status()).toBe("resolved"));
    expect(it_.state.entries.value.filter(({ role }) => role === "person")).toHaveLength(1);
    expect(streams()[1]?.headers.get("Last-Event-ID")).toBe("2");
  });

  it("is waited for through failures, and a token that ran out", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const answers = [
      () => problem(503),
      () => sse([event("reauth", {}), event("unheard_of", {})]),
      () => sse([moved("resolved", 3)]),
    ];
    it_.gateway.answers.set("/v1/conversations/*", () =>
      (answers.shift() ?? (() => problem(500)))(),
    );
    await it_.conversation.tell("hm");
    await pass(20_000);
    await vi.waitFor(() => expect(status()).toBe("resolved"));
    expect(it_.gateway.sessions).toBe(2);
  });

  it("is not waited for where the conversation is not ours, nor where nothing is open", async () => {
    it_.replies.start();
    it_.gateway.answers.set("/v1/conversations/*", () => problem(404));
    await it_.conversation.tell("hm");
    await settled(() => streams().length === 1);
    expect(status()).toBe("queued");
  });

  it("does not reach a conversation that was cleared", async () => {
    it_.gateway.answers.set("/v1/conversations/*", () => sse([moved("delivered")], false));
    await it_.conversation.tell("hm");
    await settled(() => status() === "delivered");
    await it_.memory.clear();
    expect(it_.lines()).toEqual([]);
    expect(it_.state.notice.value).toBe("notice.cleared");
  });
});

describe("memory", () => {
  it("that was declined stores nothing", async () => {
    await it_.conversation.ask("known?");
    await it_.memory.chooseLocale("es");
    expect(it_.storage.length).toBe(0);
    expect(await it_.database.keys.all()).toEqual([]);
  });

  it("that was accepted comes back on the next visit, with key, language and training", async () => {
    await it_.memory.chooseLocale("es");
    await it_.memory.accept(true);
    await it_.conversation.ask("known?");
    const next = panel({ storage: it_.storage, database: it_.database });
    await Promise.all([next.greet(), next.memory.resume()]);
    expect(next.lines()).toEqual(it_.lines());
    expect(next.state.locale.value).toBe("es");
    expect(next.state.consent.value).toEqual({ memory: true, training: true });
    expect(next.vault.kept.conversation_id).toBe(it_.vault.kept.conversation_id);
    next.followHost("he");
    await next.memory.chooseLocale("en");
    expect(next.state.locale.value).toBe("en");
  });

  it("resumes the wait for a reply", async () => {
    await it_.memory.accept(false);
    await it_.conversation.tell("hm");
    await settled(() => status() === "queued");
    const gateway = testGateway();
    const next = panel({ storage: it_.storage, database: it_.database, gateway });
    await next.memory.resume();
    await settled(() => gateway.seen.some(({ path }) => path.endsWith("/events")));
  });

  it("is not resumed where it was never given", async () => {
    expect(await panel().memory.resume()).toBe(false);
  });

  it("takes what this tab holds into the browser, unsent questions too", async () => {
    it_.browser.online = false;
    await it_.conversation.ask("hm");
    await it_.memory.accept(false);
    expect(await it_.database.outbox.all()).toHaveLength(1);
    expect(it_.storage.getItem(VAULT)).toContain("No network.");
  });

  it("belongs to a key: another key begins another conversation", async () => {
    await it_.memory.accept(false);
    await it_.conversation.ask("known?");
    const next = panel({ storage: it_.storage, database: testDatabase() });
    await next.memory.resume();
    expect(next.lines()).toHaveLength(2);
    expect(next.vault.kept.conversation_id).not.toBe(it_.vault.kept.conversation_id);
  });

  it("that is withdrawn leaves nothing behind", async () => {
    await it_.memory.accept(false);
    await it_.conversation.ask("known?");
    const before = it_.vault.kept.subject;
    await it_.memory.forget();
    expect(it_.storage.length).toBe(0);
    expect([it_.database.removed, it_.browser.removals]).toEqual([1, 1]);
    expect(it_.lines()).toEqual([]);
    expect(it_.vault.kept.subject).not.toBe(before);
    expect(it_.state.notice.value).toBe("notice.forgotten");
  });

  it("and the server forget all of it when everything is erased", async () => {
    await it_.memory.accept(false);
    await it_.conversation.ask("known?");
    it_.gateway.answers.set("/v1/erase", () => Response.json({ erased: true }));
    const before = it_.vault.kept.subject;
    it_.browser.online = false;
    await it_.conversation.ask("hm");
    it_.browser.online = true;
    expect(await it_.database.outbox.all()).toHaveLength(1);
    await it_.memory.erase();
    const [asked] = it_.gateway.calls("/v1/erase");
    expect(asked?.body).toEqual({});
    expect(await it_.database.outbox.all()).toEqual([]);
    expect(it_.storage.length).toBe(0);
    expect(it_.lines()).toEqual([]);
    expect(it_.vault.kept.subject).not.toBe(before);
    expect(it_.state.notice.value).toBe("notice.erased");
    await it_.escalations.flush();
    expect(it_.gateway.calls("/v1/escalations")).toEqual([]);
  });

  it("is not lost here while the server cannot erase its part", async () => {
    await it_.memory.accept(false);
    await it_.conversation.ask("known?");
    for (const answer of [() => problem(503, {}), () => Promise.reject(new TypeError("gone"))]) {
      it_.gateway.answers.set("/v1/erase", answer);
      await it_.memory.erase();
      expect(it_.state.notice.value).toBe("notice.unerased");
      expect(it_.lines()).toHaveLength(2);
      expect(it_.storage.length).toBeGreaterThan(0);
    }
  });

  it("that the browser refuses leaves everything working, and says so", async () => {
    const refused = panel({ storage: new BrokenStorage("read") });
    refused.loadPack();
    await refused.memory.accept(false);
    expect(refused.state.notice.value).toBe("notice.refused");
    await refused.conversation.ask("known?");
    expect(refused.lines()).toHaveLength(2);
  });

  it("that could not be read starts fresh, and says so", async () => {
    it_.storage.setItem(VAULT, "{");
    await it_.memory.accept(false);
    expect(it_.state.notice.value).toBe("notice.corrupt");
  });

  it("that fills up is noticed", async () => {
    await it_.memory.accept(false);
    it_.storage.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
    await it_.conversation.ask("known?");
    await settled(() => it_.state.notice.value === "notice.refused");
    expect(it_.state.keeping.value).toBe("refused");
  });
});

describe("the language", () => {
  it("follows the host page until the visitor chooses", async () => {
    it_.followHost("he-IL");
    await settled(() => it_.state.locale.value === "he");
    await it_.memory.chooseLocale("es");
    it_.followHost("he-IL");
    await it_.greet();
    expect(["es", "en"]).toContain(it_.state.locale.value);
  });

  it("is the last one that was wished for", async () => {
    await Promise.all([it_.state.speak("he"), it_.state.speak("es")]);
    expect(it_.state.locale.value).toBe("es");
    expect(it_.state.say.value("cancel")).toBe("Cancelar");
  });
});

describe("the knowledge base", () => {
  it("is not fetched before it is wanted", async () => {
    const saver = panel();
    await saver.memory.decline();
    await saver.conversation.ask("known?");
    expect(saver.knowledge.asked).toEqual([]);
    expect(saver.state.pack.value).toBe("absent");
    saver.loadPack();
    await settled(() => saver.state.pack.value === "ready");
  });

  it("that fails is said to have failed", async () => {
    const broken = panel();
    broken.knowledge.loading = Promise.reject(new Error("no wasm"));
    broken.loadPack();
    await settled(() => broken.state.pack.value === "failed");
  });
});
