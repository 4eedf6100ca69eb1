// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from "vitest";
import { forPreview, PageStorage } from "../../src/panel/preview.ts";
import { CONFIG, type Harness, panel } from "./panel.ts";

let it_: Harness;

beforeEach(() => {
  it_ = panel({ around: forPreview({ ...CONFIG, preview: true }) });
  it_.loadPack();
});

describe("the panel in the builder's preview", () => {
  it("answers what it knows, and sends nothing", async () => {
    await it_.memory.accept(true);
    it_.warm();
    await it_.conversation.ask("a known thing");
    expect(it_.lines().at(-1)?.[1]).toBe("The **answer**.");
    expect(it_.gateway.seen).toHaveLength(0);
  });

  it("hands over as it would for a visitor, to nobody", async () => {
    await it_.memory.decline();
    await it_.conversation.ask("the moon");
    await vi.waitFor(() => expect(it_.lines().at(-1)?.[2]).toBe("queued"));
    expect(it_.lines().at(-1)?.[1]).toBe("Not sure.");
    expect(it_.gateway.seen).toHaveLength(0);
  });

  it("keeps nothing where the browser keeps things", async () => {
    await it_.memory.accept(false);
    await it_.conversation.ask("a known thing");
    expect(it_.storage.length).toBe(0);
    await it_.memory.erase();
    expect(await it_.memory.held(null, new AbortController().signal)).toEqual({});
    expect(it_.state.notice.value).toBe("notice.erased");
    expect(it_.browser.removals).toBe(0);
    expect(it_.database.removed).toBe(0);
  });
});

it("what a page keeps is a storage", () => {
  const storage = new PageStorage();
  expect(storage.getItem("a")).toBeNull();
  storage.setItem("a", "1");
  storage.setItem("b", "2");
  expect([storage.length, storage.key(1), storage.key(2), storage.getItem("a")]).toEqual([
    2,
    "b",
    null,
    "1",
  ]);
  storage.removeItem("a");
  expect(storage.key(0)).toBe("b");
  storage.clear();
  expect(storage.length).toBe(0);
});
