// @vitest-environment happy-dom
/** Several conversations at once: each with its own lines, its own id at the gateway, and its own replies. */
import { beforeEach, describe, expect, it, vi } from "vitest";
import { lastAt, talksOf, unseenIn, waits, without } from "../../src/vault/talks.ts";
import { named, restored, titleOf } from "../../src/vault/titles.ts";
import { event, sse } from "../trust/gateway.ts";
import { done, type Harness, panel } from "./panel.ts";

const VAULT = "fanlight.memory.v1:site_demo";

let it_: Harness;

beforeEach(async () => {
  it_ = panel();
  it_.loadPack();
  await it_.memory.decline();
});

const settled = (check: () => unknown) => vi.waitFor(() => expect(check()).toBeTruthy());
const chats = () => it_.gateway.calls("/v1/chat").map(({ body }) => body);
const escalations = () => it_.gateway.calls("/v1/escalations").map(({ body }) => body);
const streams = () => it_.gateway.seen.filter(({ path }) => path.endsWith("/events"));
const place = () => it_.vault.kept.conversation_id;
const turn = () => it_.state.entries.value[0]?.turn_id ?? "";
const titles = () => talksOf(it_.vault.kept).map(titleOf);
const answer = (text: string) =>
  it_.gateway.answers.set("/v1/chat", () => sse([done({ reply: text, confidence: 0.9 })]));

describe("a new chat", () => {
  it("is another conversation to the gateway, and knows nothing of the one before", async () => {
    await it_.conversation.ask("known one");
    answer("Yes.");
    await it_.conversation.ask("what?");
    const before = place();
    await it_.talks.begin();
    expect(it_.lines()).toEqual([]);
    await it_.conversation.ask("and now?");
    expect(it_.knowledge.requests.map(({ history }) => history)).toEqual([[], ["known one"], []]);
    expect(chats().map(({ conversation_id }) => conversation_id)).toEqual([before, place()]);
    expect(chats()[1]).toMatchObject({ training_memory: [] });
    expect(titles()).toEqual(["and now?", "known one"]);
  });

  it("is not begun twice where nothing has been said, and has the visitor write", async () => {
    await it_.talks.begin();
    const first = place();
    const focused = it_.state.composing.value;
    await it_.talks.begin();
    expect(place()).toBe(first);
    expect(it_.state.composing.value).toBeGreaterThan(focused);
  });

  it("opens another case: one that waits stays with its own conversation", async () => {
    await it_.conversation.tell("first");
    await it_.talks.begin();
    await it_.conversation.tell("second");
    await settled(() => escalations().length === 2);
    const [one, other] = escalations();
    expect(one?.conversation_id).not.toBe(other?.conversation_id);
    expect(other).toMatchObject({ conversation_tail: [] });
  });

  it("ends the answer that is being made, and what was written of it stays where it was asked", async () => {
    it_.gateway.answers.set("/v1/chat", () => sse([event("delta", { text: "Half" })], false));
    const asking = it_.conversation.ask("hm");
    await settled(() => it_.state.live.value?.text);
    await it_.talks.begin();
    await asking;
    expect(it_.lines()).toEqual([]);
    expect(it_.state.live.value).toBeUndefined();
    const [, before] = talksOf(it_.vault.kept);
    expect(before?.entries[1]).toMatchObject({ content: "Half", stopped: true });
  });

  it("is not for a person, where the one before was about to be", async () => {
    it_.state.toPerson.value = true;
    await it_.talks.begin();
    expect(it_.state.toPerson.value).toBe(false);
  });
});

describe("an earlier conversation", () => {
  it("is gone on with where it was left", async () => {
    await it_.conversation.ask("known one");
    const first = place();
    await it_.talks.begin();
    await it_.conversation.ask("known two");
    await it_.talks.open(first);
    expect(it_.lines().map(([, content]) => content)).toEqual(["known one", "The **answer**."]);
    answer("Yes.");
    await it_.conversation.ask("and?");
    expect(chats()[0]).toMatchObject({ conversation_id: first });
    expect(it_.knowledge.requests.at(-1)?.history).toEqual(["known one"]);
  });

  it("takes its mark and its escalation, whichever is open", async () => {
    it_.browser.online = false;
    await it_.conversation.ask("known before");
    await it_.conversation.ask("hm");
    const [first, turnId] = [place(), it_.state.entries.value.at(-1)?.turn_id ?? ""];
    await it_.talks.begin();
    await it_.feedback.mark(turnId, "up");
    it_.browser.online = true;
    await it_.escalations.flush();
    const [, earlier] = talksOf(it_.vault.kept);
    expect(earlier?.entries.at(-1)).toMatchObject({ mark: "up", escalation: { status: "queued" } });
    expect(escalations()[0]).toMatchObject({ conversation_id: first, turn_id: turnId });
    await it_.escalations.leaveContact(turnId, "a@example.com", "You may.");
    await settled(() => escalations().length === 2);
    expect(escalations()[1]).toMatchObject({
      conversation_id: first,
      contact: "a@example.com",
      conversation_tail: [{ content: "known before" }, { content: "The **answer**." }],
    });
  });

  it("that was deleted stays away, even from an answer that comes late", async () => {
    it_.gateway.answers.set("/v1/chat", () => sse([event("delta", { text: "Half" })], false));
    const asking = it_.conversation.ask("hm");
    await settled(() => it_.state.live.value?.text);
    const first = place();
    await it_.talks.change((kept, ...now) => without(kept, first, ...now));
    it_.conversation.stop();
    await asking;
    expect(it_.lines()).toEqual([]);
    expect(talksOf(it_.vault.kept)).toHaveLength(1);
  });

  it("is named, deleted and taken back, and the browser keeps all of it", async () => {
    await it_.memory.accept(false);
    await it_.conversation.ask("known one");
    const first = place();
    await it_.talks.begin();
    await it_.conversation.ask("known two");
    await it_.talks.change((kept, at) => named(kept, first, at, "Mine"));
    const next = panel({ storage: it_.storage, database: it_.database });
    await next.memory.resume();
    expect(talksOf(next.vault.kept).map(titleOf)).toEqual(["known two", "Mine"]);
    const [, talk] = talksOf(it_.vault.kept);
    if (!talk) throw new Error("one was expected");
    await it_.talks.change((kept, ...now) => without(kept, first, ...now));
    expect(titles()).toEqual(["known two"]);
    await it_.talks.change((kept, at) => restored(kept, talk, at));
    expect(titles()).toEqual(["known two", "Mine"]);
    expect(it_.storage.getItem(VAULT)).toContain("Mine");
  });
});

describe("a person's reply to an earlier conversation", () => {
  const reply = (conversation_id: string, turn_id: string, id = 5) =>
    event(
      "human_reply",
      {
        escalation_id: "e_1",
        turn_id,
        conversation_id,
        content: "Hello.",
        author: "Dana",
        created_at: "2026-11-21T10:00:00Z",
      },
      id,
    );

  /** A question that waits for a person, and then a new chat. */
  async function leaveOneWaiting(): Promise<readonly [string, string]> {
    await it_.conversation.tell("first");
    await settled(() => it_.lines()[1]?.[2] === "queued");
    const left = [place(), turn()] as const;
    await it_.talks.begin();
    return left;
  }

  it("is unread there until it is opened, though the visitor looks on", async () => {
    const [first, turnId] = await leaveOneWaiting();
    const heard: string[] = [];
    it_.happenings.follow(({ type }) => heard.push(type));
    it_.gateway.answers.set("/v1/conversations/*", () => sse([reply(first, turnId)]));
    it_.replies.start();
    await settled(() => it_.state.unread.value === 1);
    expect(it_.lines()).toEqual([]);
    expect(heard).toEqual(["message", "reply"]);
    const [, earlier] = talksOf(it_.vault.kept);
    expect(earlier && [unseenIn(earlier), waits(earlier)]).toEqual([1, false]);
    await it_.talks.open(first);
    await settled(() => it_.state.unread.value === 0);
    expect(it_.lines()).toContainEqual(["person", "Hello.", undefined]);
    expect(talksOf(it_.vault.kept).map(unseenIn)).toEqual([0]);
    expect(it_.vault.kept.last_event_id).toBe("5");
  });

  it("is unread in the open one as well while nobody looks, also after a reload", async () => {
    await it_.memory.accept(false);
    await it_.conversation.tell("first");
    await settled(() => it_.lines()[1]?.[2] === "queued");
    it_.state.visible.value = false;
    const [first, turnId] = [place(), turn()];
    it_.gateway.answers.set("/v1/conversations/*", () => sse([reply(first, turnId)]));
    it_.replies.start();
    await settled(() => it_.state.unread.value === 1);
    const next = panel({ storage: it_.storage, database: it_.database });
    next.state.visible.value = false;
    await next.memory.resume();
    expect(next.state.unread.value).toBe(1);
    next.state.visible.value = true;
    expect(next.state.unread.value).toBe(0);
    await settled(() => {
      it_.vault.heard(VAULT, it_.storage.getItem(VAULT));
      return it_.state.unread.value === 0;
    });
  });

  it("is waited for together with the others', from the earliest event on", async () => {
    it_.gateway.answers.set("/v1/conversations/*", () => sse([], false));
    const [first, turnId] = await leaveOneWaiting();
    await settled(() => streams().length === 1);
    await it_.conversation.tell("second");
    await settled(() => streams().length === 2);
    const [one, both] = streams();
    expect([one?.path, one?.query]).toEqual([`/v1/conversations/${first}/events`, ""]);
    expect(both?.path).toBe(`/v1/conversations/${first}/events`);
    expect(both?.query).toBe(`?also=${place()}`);
    it_.gateway.answers.set("/v1/conversations/*", () => sse([reply(place(), turn(), 8)], false));
    await it_.talks.change((kept, ...now) => without(kept, first, ...now));
    await settled(() => it_.lines().some(([role]) => role === "person"));
    expect(streams().at(-1)?.path).toBe(`/v1/conversations/${place()}/events`);
    expect(streams().at(-1)?.headers.get("Last-Event-ID")).toBeNull();
    expect(turnId).not.toBe(turn());
  });

  it("is waited for in the newest where too many wait", async () => {
    it_.gateway.answers.set("/v1/conversations/*", () => sse([], false));
    it_.browser.online = false;
    for (let n = 0; n < 17; n += 1) {
      await it_.conversation.tell(`question ${n}`);
      await it_.talks.begin();
    }
    const oldest = talksOf(it_.vault.kept).find((talk) => titleOf(talk) === "question 0");
    it_.browser.online = true;
    await it_.escalations.flush();
    const heard = () => {
      const { path = "", query = "" } = streams().at(-1) ?? {};
      return [...`${path}${query}`.matchAll(/c_\w+/g)].map(([id]) => id);
    };
    await settled(() => heard().length === 16 && !heard().includes(oldest?.conversation_id ?? ""));
  });

  it("that is gone goes nowhere", async () => {
    const [first, turnId] = await leaveOneWaiting();
    await it_.conversation.tell("second");
    await settled(() => it_.lines()[1]?.[2] === "queued");
    it_.gateway.answers.set("/v1/conversations/*", () =>
      sse([reply(first, turnId, 7), reply(place(), turn(), 8)]),
    );
    await it_.talks.change((kept, ...now) => without(kept, first, ...now));
    await settled(() => it_.lines().some(([role]) => role === "person"));
    expect(it_.lines().filter(([role]) => role === "person")).toHaveLength(1);
    expect(talksOf(it_.vault.kept)).toHaveLength(1);
  });

  it("stands in its conversation though its question is kept no longer", async () => {
    const [first] = await leaveOneWaiting();
    it_.gateway.answers.set("/v1/conversations/*", () => sse([reply(first, "t_long_gone")]));
    it_.replies.start();
    await settled(() => it_.state.unread.value === 1);
    const [, earlier] = talksOf(it_.vault.kept);
    expect(earlier?.entries.some(({ turn_id }) => turn_id === "t_long_gone")).toBe(true);
  });
});

describe("all conversations", () => {
  const begin = async () => {
    await it_.conversation.ask("known one");
    await it_.talks.begin();
    await it_.conversation.ask("known two");
  };

  it("stay in this tab while memory is off", async () => {
    await begin();
    expect(it_.storage.length).toBe(0);
    expect(titles()).toEqual(["known two", "known one"]);
  });

  it("go into the browser when the visitor agrees, and out of it when that is taken back", async () => {
    await begin();
    await it_.memory.accept(false);
    const vault = it_.storage.getItem(VAULT);
    expect(vault).toContain("known one");
    expect(vault).toContain("known two");
    await it_.memory.forget();
    expect(it_.storage.length).toBe(0);
    expect(talksOf(it_.vault.kept)).toHaveLength(1);
    expect(it_.lines()).toEqual([]);
  });

  it("are forgotten here too when another tab has removed what was kept, and it still works", async () => {
    await it_.memory.accept(false);
    await begin();
    const removed = () => Promise.reject(new DOMException("closed", "InvalidStateError"));
    const { outbox, feedback } = it_.database;
    Object.assign(outbox, { all: removed, put: removed });
    Object.assign(feedback, { all: removed, put: removed });
    await it_.memory.forget();
    expect(talksOf(it_.vault.kept)).toHaveLength(1);
    await it_.conversation.tell("hm");
    await settled(() => it_.lines()[1]?.[2] === "queued");
  });

  it("are erased together with what the server holds", async () => {
    await begin();
    it_.gateway.answers.set("/v1/erase", () => Response.json({ erased: true }));
    await it_.memory.erase();
    expect(talksOf(it_.vault.kept).map(lastAt)).toEqual([0]);
  });

  it("but the open one stay when that alone is cleared, and are still replied to", async () => {
    it_.gateway.answers.set("/v1/conversations/*", () => sse([], false));
    await it_.conversation.tell("first");
    await settled(() => streams().length === 1);
    await it_.talks.begin();
    await it_.conversation.ask("known two");
    await it_.memory.clear();
    expect(titles()).toEqual([undefined, "first"]);
    await settled(() => streams().length === 2);
  });

  it("go on under other names where the key was lost", async () => {
    await begin();
    await it_.memory.accept(false);
    const before = talksOf(it_.vault.kept).map(({ conversation_id }) => conversation_id);
    const next = panel({ storage: it_.storage });
    await next.memory.resume();
    const after = talksOf(next.vault.kept);
    expect(after.map(titleOf)).toEqual(["known two", "known one"]);
    expect(after.some(({ conversation_id }) => before.includes(conversation_id))).toBe(false);
  });
});
