import { signal } from "@preact/signals";
import { describe, expect, it } from "vitest";
import { Asked } from "../../src/panel/asked.ts";
import type { Happening } from "../../src/panel/happenings.ts";
import type { Live } from "../../src/panel/state.ts";
import type { Consent } from "../../src/trust/session.ts";

const NO: Consent = { memory: false, training: false };

async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}

function questions() {
  const state = {
    consent: signal<Consent | undefined>(undefined),
    live: signal<Live | undefined>(undefined),
  };
  const asked: string[] = [];
  const told: Happening[] = [];
  const ask = async (text: string) => void asked.push(text);
  const made = new Asked({ state, ask, tell: (happening) => told.push(happening) });
  return { state, asked, told, made };
}

describe("a question from the host page", () => {
  it("waits for what was kept, and for the visitor's word about memory", async () => {
    const { state, asked, made } = questions();
    made.put("one");
    state.consent.value = NO;
    await settled();
    expect(asked).toEqual([]);
    state.consent.value = undefined;
    made.begin();
    await settled();
    expect(asked).toEqual([]);
    state.consent.value = NO;
    await settled();
    expect(asked).toEqual(["one"]);
  });

  it("waits while another is being answered", async () => {
    const { state, asked, made } = questions();
    state.consent.value = NO;
    state.live.value = { turnId: "t_1", text: "" };
    made.begin();
    made.put("one");
    made.put("two");
    await settled();
    expect(asked).toEqual([]);
    state.live.value = undefined;
    await settled();
    expect(asked).toEqual(["one", "two"]);
  });

  it("is turned down where it is too long, or one of too many", async () => {
    const { asked, told, made } = questions();
    made.put("x".repeat(4001));
    for (let n = 0; n < 6; n += 1) made.put(String(n));
    await settled();
    expect(told).toEqual([
      { type: "error", reason: "long" },
      { type: "error", reason: "limited" },
    ]);
    expect(asked).toEqual([]);
  });
});
