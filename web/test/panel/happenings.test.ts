// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Happening } from "../../src/panel/happenings.ts";
import { event, problem, sse } from "../trust/gateway.ts";
import { type Harness, panel } from "./panel.ts";

let it_: Harness;
let told: Happening[];

beforeEach(async () => {
  it_ = panel();
  told = [];
  it_.happenings.follow((happening) => told.push(happening));
  it_.loadPack();
  await it_.memory.decline();
});

const SAID: readonly Happening[] = [
  { type: "message", from: "visitor" },
  { type: "message", from: "chat" },
];

describe("what the host page is told", () => {
  it("is that the visitor asked and the chat answered, and no word of it", async () => {
    await it_.conversation.ask("the known secret");
    expect(told).toEqual(SAID);
  });

  it("is that a question went to a person, once the gateway has it", async () => {
    it_.gateway.answers.set("/v1/escalations", () => problem(503));
    await it_.conversation.tell("hm");
    await vi.waitFor(() => expect(it_.gateway.calls("/v1/escalations")).toHaveLength(1));
    expect(told).toEqual(SAID);
    it_.gateway.answers.set("/v1/escalations", () =>
      Response.json({ escalated: true, escalation_id: "e_1", status: "queued" }, { status: 202 }),
    );
    await it_.escalations.flush();
    await vi.waitFor(() => expect(told).toEqual([...SAID, { type: "escalated" }]));
  });

  it("is that a person answered", async () => {
    it_.gateway.answers.set("/v1/conversations/*", () => {
      const turn_id = it_.state.entries.value[0]?.turn_id;
      const reply = { escalation_id: "e_1", turn_id, content: "A secret.", author: "Dana" };
      return sse([event("human_reply", reply, 2)]);
    });
    await it_.conversation.tell("hm");
    await vi.waitFor(() => expect(told).toHaveLength(5));
    expect(told.slice(3)).toEqual([{ type: "message", from: "person" }, { type: "reply" }]);
    it_.replies.stop();
  });

  it("is that a question was turned down", async () => {
    it_.gateway.answers.set("/v1/chat", () => problem(429, {}, { "Retry-After": "12" }));
    await it_.conversation.ask("hm");
    expect(told.at(-1)).toEqual({ type: "error", reason: "limited" });
  });
});
