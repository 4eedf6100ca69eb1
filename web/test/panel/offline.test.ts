/** When the panel stores itself for use without a network, and what it does when that is cut short. */
import { signal } from "@preact/signals";
import { describe, expect, it } from "vitest";
import { keepOffline, type OfflineStep } from "../../src/panel/offline.ts";
import type { Connection } from "../../src/panel/state.ts";
import type { OfflineOutcome } from "../../src/sw/register.ts";
import type { Keeping } from "../../src/vault/vault.ts";

const LOST: OfflineOutcome = { ok: false, reason: "network", message: "gone" };
const FULL: OfflineOutcome = { ok: false, reason: "quota", message: "full" };

function scene() {
  const state = {
    keeping: signal<Keeping>("tab"),
    pack: signal<"absent" | "loading" | "ready" | "failed">("loading"),
    connection: signal<Connection>("online"),
  };
  const steps: (OfflineStep | undefined)[] = [];
  const ends: ((outcome: OfflineOutcome | Error) => void)[] = [];
  const store = () =>
    new Promise<OfflineOutcome>((resolve, reject) => {
      ends.push((outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)));
    });
  const stop = keepOffline(state, store, (step) => steps.push(step));
  /** Ends the last attempt. */
  const end = async (outcome: OfflineOutcome | Error) => {
    ends.at(-1)?.(outcome);
    await new Promise((resolve) => setTimeout(resolve));
  };
  const begin = () => {
    state.keeping.value = "kept";
    state.pack.value = "ready";
  };
  return { state, steps, ends, end, begin, stop };
}

describe("storing the panel", () => {
  it("waits for consent and for Python", () => {
    const { state, steps } = scene();
    state.keeping.value = "kept";
    expect(steps).toEqual([]);
    state.pack.value = "ready";
    expect(steps).toEqual(["storing"]);
  });

  it("is done once", async () => {
    const { state, steps, end, begin } = scene();
    begin();
    await end({ ok: true });
    state.connection.value = "offline";
    state.connection.value = "online";
    expect(steps).toEqual(["storing", "ready"]);
  });

  it.each([
    ["a file", LOST],
    ["its own code", new TypeError("Failed to fetch")],
  ] as const)("is tried again when the network took %s", async (_name, failure) => {
    const { state, steps, end, begin } = scene();
    begin();
    state.connection.value = "offline";
    await end(failure);
    expect(steps).toEqual(["storing", "waiting"]);
    state.connection.value = "unreachable";
    expect(steps).toEqual(["storing", "waiting"]);
    state.connection.value = "online";
    await end({ ok: true });
    expect(steps).toEqual(["storing", "waiting", "storing", "ready"]);
  });

  it("is tried again when the network went and came back before it ended", async () => {
    const { state, ends, end, begin } = scene();
    begin();
    state.connection.value = "offline";
    state.connection.value = "online";
    await end(LOST);
    expect(ends).toHaveLength(2);
  });

  it("does not spin while the network only seems to be there", async () => {
    const { steps, end, begin } = scene();
    begin();
    await end(LOST);
    expect(steps).toEqual(["storing", "waiting"]);
  });

  it("leaves a browser that stores nothing alone", async () => {
    const { state, steps, end, begin } = scene();
    begin();
    await end(FULL);
    state.connection.value = "offline";
    state.connection.value = "online";
    expect(steps).toEqual(["storing", "refused"]);
  });

  it("forgets an attempt whose consent was taken back", async () => {
    const { state, steps, ends, end, begin } = scene();
    begin();
    state.keeping.value = "tab";
    await end({ ok: true });
    expect(steps).toEqual(["storing", undefined]);
    state.keeping.value = "kept";
    expect(ends).toHaveLength(2);
  });

  it("ends with its panel", () => {
    const { steps, begin, stop } = scene();
    stop();
    begin();
    expect(steps).toEqual([]);
  });
});
