/** A question to the knowledge base where an encoder is here: who is asked, when, and how often. */
import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { KbNear, KbRequest, KbResponse } from "../../src/engines/kb/protocol.ts";
import { ONLINE_WAIT_MS } from "../../src/panel/knowledge.ts";
import { askWith, type NearTo } from "../../src/panel/meaning/asking.ts";

const wired = new URL("../../../tests/wire/kb_request_near.json", import.meta.url);
const { near, ...REQUEST } = JSON.parse(await readFile(wired, "utf8")) as KbRequest & {
  readonly near: KbNear;
};

const UNSURE = {
  route: "cloud",
  answer: null,
  fallback: { text: "alone" },
} as unknown as KbResponse;
const SURE = { ...UNSURE, route: "kb", answer: { text: "It is so." } } as unknown as KbResponse;

let asked: KbRequest[];
/** What each question in turn is answered, and after how long. */
let answers: readonly (readonly [KbResponse | Error, number])[];

const after = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

function ask(nearing: NearTo, request: KbRequest = REQUEST): Promise<KbResponse> {
  const knowledge = {
    ask: async (given: KbRequest) => {
      asked.push(given);
      const [answer, ms] = answers[asked.length - 1] ?? [UNSURE, 0];
      await after(ms);
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  askWith(knowledge, nearing);
  return knowledge.ask(request);
}

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
});

afterEach(() => {
  vi.useRealTimers();
});

describe("a question with an encoder here", () => {
  it("that the knowledge base answers waits for nobody", async () => {
    answers = [[SURE, 10]];
    let stopped: AbortSignal | undefined;
    const answering = ask((_question, stop) => {
      stopped = stop;
      return new Promise(() => undefined);
    });
    await vi.advanceTimersByTimeAsync(10);
    expect(await answering).toBe(SURE);
    expect(asked).toEqual([REQUEST]);
    expect(stopped?.aborted).toBe(true);
  });

  it("that it does not is asked again with what the encoder says", async () => {
    answers = [
      [UNSURE, 10],
      [SURE, 10],
    ];
    const answering = ask(async (question) => {
      expect(question).toBe(REQUEST.question);
      await after(200);
      return near;
    });
    await vi.advanceTimersByTimeAsync(210);
    expect(await answering).toBe(SURE);
    expect(asked).toEqual([REQUEST, { ...REQUEST, near }]);
  });

  it("goes without where the encoder says nothing", async () => {
    answers = [[UNSURE, 10]];
    const answering = ask(async () => undefined);
    await vi.advanceTimersByTimeAsync(10);
    expect(await answering).toBe(UNSURE);
    expect(asked).toEqual([REQUEST]);
  });

  it("keeps its first answer where a second would come too late", async () => {
    answers = [[UNSURE, ONLINE_WAIT_MS / 2]];
    const late = ask(async () => near, { ...REQUEST, online: true });
    await vi.advanceTimersByTimeAsync(ONLINE_WAIT_MS / 2);
    expect(await late).toBe(UNSURE);
    expect(asked).toHaveLength(1);
    // Without a network nobody else is asked: there is time.
    asked = [];
    answers = [...answers, [SURE, 0]];
    const patient = ask(async () => near, { ...REQUEST, online: false });
    await vi.advanceTimersByTimeAsync(ONLINE_WAIT_MS);
    expect(await patient).toBe(SURE);
  });

  it("stops an encoder that is not there while there is time", async () => {
    answers = [[UNSURE, 500]];
    const answering = ask(
      (_question, stop) =>
        new Promise((resolve) => stop.addEventListener("abort", () => resolve(undefined))),
      { ...REQUEST, online: true },
    );
    await vi.advanceTimersByTimeAsync(ONLINE_WAIT_MS - 500);
    expect(await answering).toBe(UNSURE);
  });

  it("keeps its first answer where the second fails", async () => {
    answers = [
      [UNSURE, 0],
      [new Error("no"), 0],
    ];
    const answering = ask(async () => near);
    await vi.advanceTimersByTimeAsync(1);
    expect(await answering).toBe(UNSURE);
    expect(asked).toHaveLength(2);
  });
});
