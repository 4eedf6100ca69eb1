import { describe, expect, it } from "vitest";
import { Outbox, type Outcome, type Outgoing } from "../../src/vault/outbox.ts";
import { MemoryStore, memoryDatabase, openDatabase } from "../../src/vault/store.ts";

const item = (n: number): Outgoing => ({
  idempotency_key: `k${n}`,
  turn_id: `t_${n}`,
  body: `{"n":${n}}`,
});

function outbox(outcomes: readonly Outcome[], store = new MemoryStore()) {
  const sent: Outgoing[] = [];
  const left = [...outcomes];
  const box = new Outbox(store, {
    send: async (one) => {
      sent.push(one);
      return left.shift() ?? "sent";
    },
    locked: (work) => work(),
  });
  return { box, sent, store };
}

describe("the outbox", () => {
  it("sends the oldest first, each once", async () => {
    const { box, sent } = outbox([]);
    await box.add(item(2));
    await box.add(item(1));
    expect(await box.flush()).toBe(false);
    expect(await box.flush()).toBe(false);
    expect(sent).toEqual([item(1), item(2)]);
  });

  it("keeps what could not be sent, with its key, and stops there", async () => {
    const { box, sent } = outbox(["later"]);
    await box.add(item(1));
    await box.add(item(2));
    expect(await box.flush()).toBe(true);
    expect(sent).toHaveLength(1);
    expect(await box.flush()).toBe(false);
    expect(sent.map(({ idempotency_key }) => idempotency_key)).toEqual(["k1", "k1", "k2"]);
  });

  it("gives up what was refused, and what is not one of ours", async () => {
    const { box, sent, store } = outbox(["refused"]);
    await box.add(item(1));
    await store.put("t_9", { body: 1 });
    expect(await box.flush()).toBe(false);
    expect(sent).toHaveLength(1);
  });

  it("moves what waits to another store", async () => {
    const { box, sent } = outbox([]);
    await box.add(item(1));
    const browser = new MemoryStore();
    await box.moveTo(browser);
    expect(await browser.get("t_1")).toEqual(item(1));
    await box.flush();
    expect(sent).toHaveLength(1);
    expect(await browser.all()).toEqual([]);
  });
});

describe("the stores", () => {
  it("of a visitor who declined are in memory", async () => {
    const database = memoryDatabase();
    await database.keys.put("a", 1);
    expect(await database.keys.get("a")).toBe(1);
    await expect(database.remove()).resolves.toBeUndefined();
  });

  it("cannot be opened where the browser has none", async () => {
    await expect(openDatabase("site_demo")).rejects.toThrow();
  });
});
