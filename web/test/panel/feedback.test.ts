// @vitest-environment happy-dom
/** Marks of answers: who may give them, and how they reach the gateway. */
import { beforeEach, describe, expect, it, vi } from "vitest";
import { canMark } from "../../src/panel/feedback.ts";
import type { Entry } from "../../src/vault/entry.ts";
import { problem, sse } from "../trust/gateway.ts";
import { done, type Harness, panel } from "./panel.ts";

let it_: Harness;

const marks = () => it_.gateway.calls("/v1/feedback");
const answer = () => it_.state.entries.value.find(({ role }) => role === "assistant");
const turnId = () => answer()?.turn_id ?? "";

beforeEach(async () => {
  it_ = panel();
  it_.gateway.answers.set("/v1/chat", () => sse([done({ reply: "Yes.", confidence: 0.9 })]));
  it_.gateway.answers.set("/v1/feedback", () => Response.json({ turn_id: "t" }));
  await it_.memory.accept(false);
  await it_.conversation.ask("hm");
});

describe("a mark", () => {
  it("is shown at once and sent, signed, once", async () => {
    await it_.feedback.mark(turnId(), "up");
    expect(answer()?.mark).toBe("up");
    await vi.waitFor(() => expect(marks()).toHaveLength(1));
    expect(marks()[0]?.body).toEqual({ turn_id: turnId(), signal: "up" });
    await it_.feedback.flush();
    expect(marks()).toHaveLength(1);
  });

  it("waits for the network, and the last one counts", async () => {
    it_.browser.online = false;
    it_.network.refresh();
    await it_.feedback.mark(turnId(), "up");
    await it_.feedback.mark(turnId(), "down");
    expect(marks()).toEqual([]);
    expect(await it_.database.feedback.all()).toHaveLength(1);
    it_.browser.online = true;
    it_.network.refresh();
    await it_.feedback.flush();
    expect(marks().map(({ body }) => body.signal)).toEqual(["down"]);
    expect(await it_.database.feedback.all()).toEqual([]);
  });

  it("that is given while another is on its way is sent after it", async () => {
    let arrive = (_: Response): void => undefined;
    it_.gateway.answers.set(
      "/v1/feedback",
      () => new Promise((resolve) => (arrive = resolve as typeof arrive)),
    );
    await it_.feedback.mark(turnId(), "up");
    await vi.waitFor(() => expect(marks()).toHaveLength(1));
    void it_.feedback.mark(turnId(), "down");
    await vi.waitFor(() => expect(answer()?.mark).toBe("down"));
    it_.gateway.answers.set("/v1/feedback", () => Response.json({}));
    arrive(Response.json({}));
    await vi.waitFor(async () => {
      await it_.feedback.flush();
      expect(marks().map(({ body }) => body.signal)).toEqual(["up", "down"]);
    });
  });

  it("that the gateway has no answer for is taken back", async () => {
    it_.gateway.answers.set("/v1/feedback", () => problem(404));
    await it_.feedback.mark(turnId(), "up");
    await vi.waitFor(() => expect(answer()?.mark).toBeUndefined());
    expect(await it_.database.feedback.all()).toEqual([]);
  });

  it("goes with the memory", async () => {
    it_.browser.online = false;
    it_.network.refresh();
    await it_.feedback.mark(turnId(), "up");
    await it_.memory.forget();
    it_.browser.online = true;
    it_.network.refresh();
    await it_.feedback.flush();
    expect(marks()).toEqual([]);
  });
});

const ANSWER: Entry = {
  ...{ id: "t_1:a", turn_id: "t_1", role: "assistant", content: "Yes.", at: 1, rev: 1 },
  source: "cloud",
};
const MEMORY = { memory: true, training: false };

describe("an answer can be marked", () => {
  it.each([
    ["by a visitor with memory", ANSWER, MEMORY, true],
    ["not without memory: the gateway holds none", ANSWER, { ...MEMORY, memory: false }, false],
    ["not before the visitor chose", ANSWER, undefined, false],
    ["not when it was made on this device", { ...ANSWER, source: "kb" }, MEMORY, false],
    ["not when it was stopped", { ...ANSWER, stopped: true }, MEMORY, false],
  ] as const)("%s", (_name, given, consent, can) => {
    expect(canMark(given, consent)).toBe(can);
  });
});
