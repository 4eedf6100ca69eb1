// @vitest-environment happy-dom
import { render } from "preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { exchanges, withEntry } from "../../src/panel/lines.ts";
import { Panel } from "../../src/panel/views/panel.tsx";
import { DRAWN } from "../../src/panel/views/stretch.ts";
import type { Entry } from "../../src/vault/entry.ts";
import { type Harness, panel } from "./panel.ts";

const TURNS = 2 * DRAWN + 20;

function id(turn: number): string {
  return `t_${String(turn).padStart(4, "0")}`;
}

function line(turn: number, role: Entry["role"], more: Partial<Entry> = {}): Entry {
  const at = turn * 1000 + (role === "user" ? 0 : 1);
  return { id: `${id(turn)}:${role}`, turn_id: id(turn), role, content: role, at, rev: 1, ...more };
}

function talk(turns: number): readonly Entry[] {
  return Array.from({ length: turns }, (_, turn) => [
    line(turn, "user"),
    line(turn, "assistant", { source: "kb" }),
  ]).flat();
}

describe("exchanges", () => {
  it("stay the same objects until one of their lines changes", () => {
    const entries = talk(3);
    const before = exchanges(entries);
    const reply = line(1, "person");
    const after = exchanges([...entries, reply], before);
    expect(after[0]).toBe(before[0]);
    expect(after[2]).toBe(before[2]);
    expect(after[1]?.replies).toEqual([reply]);
    expect(exchanges([...entries, reply], after)).toEqual(after);
    expect(exchanges([...entries, reply], after)[1]).toBe(after[1]);
    const mended = exchanges([...entries, { ...reply, content: "mended" }], after);
    expect(mended[1]?.replies[0]?.content).toBe("mended");
    const answered = exchanges(
      entries.map((entry) => (entry.turn_id === id(0) ? { ...entry, content: "other" } : entry)),
      before,
    );
    expect(answered[0]?.answer?.content).toBe("other");
  });
});

describe("a long talk", () => {
  let services: Harness;
  let root: HTMLElement;

  const drawn = () => [...root.querySelectorAll(".exchange")].map((one) => one.id);
  const log = () => root.querySelector("[role=log]");
  const earlier = () => root.querySelector<HTMLButtonElement>(".earlier");
  const soon = () => new Promise((resolve) => setTimeout(resolve));

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ["setTimeout"], shouldAdvanceTime: true });
    services = panel();
    root = document.createElement("div");
    document.body.append(root);
    render(<Panel services={{ ...services, close: undefined }} />, root);
    services.state.consent.value = { memory: false, training: false };
    await services.vault.update((kept) => ({ ...kept, entries: talk(TURNS) }));
    await vi.waitFor(() => expect(drawn()).toHaveLength(DRAWN));
  });

  afterEach(() => {
    vi.useRealTimers();
    render(null, root);
    root.remove();
  });

  it("draws its end, and earlier exchanges by the visitor's wish", async () => {
    expect(drawn()[0]).toBe(id(TURNS - DRAWN));
    earlier()?.click();
    await vi.waitFor(() => expect(drawn()).toHaveLength(2 * DRAWN));
    earlier()?.click();
    await vi.waitFor(() => expect(drawn()).toHaveLength(TURNS));
    expect(drawn()[0]).toBe(id(0));
    expect(earlier()).toBeNull();
  });

  it("keeps the focus and says nothing when earlier ones appear", async () => {
    expect(log()?.getAttribute("aria-live")).toBe("polite");
    earlier()?.click();
    expect(document.activeElement?.id).toBe(id(TURNS - DRAWN));
    await vi.waitFor(() => expect(log()?.getAttribute("aria-live")).toBe("off"));
    await vi.advanceTimersByTimeAsync(1100);
    await vi.waitFor(() => expect(log()?.getAttribute("aria-live")).toBe("polite"));
  });

  it("keeps what is read in its place", async () => {
    const view = root.querySelector<HTMLElement>(".log");
    if (!view) throw new Error("no log");
    const height = vi.spyOn(view, "scrollHeight", "get").mockReturnValue(5000);
    view.scrollTop = 400;
    earlier()?.click();
    height.mockReturnValue(9000);
    await vi.waitFor(() => expect(drawn()).toHaveLength(2 * DRAWN));
    expect(view.scrollTop).toBe(4400);
  });

  it("draws the end alone again once something is asked", async () => {
    earlier()?.click();
    await vi.waitFor(() => expect(drawn()).toHaveLength(2 * DRAWN));
    await services.vault.update((kept) => withEntry(kept, line(TURNS, "user")));
    await vi.waitFor(() => expect(drawn()).toHaveLength(DRAWN));
    expect(drawn().at(-1)).toBe(id(TURNS));
  });

  it("leads to a reply to a question that is not drawn", async () => {
    await services.vault.update((kept) => withEntry(kept, line(3, "person", { id: "r_1" })));
    await vi.waitFor(() => expect(root.querySelector(".new-reply")).not.toBeNull());
    expect(document.getElementById("r_1")).toBeNull();
    root.querySelector<HTMLElement>(".new-reply")?.click();
    await vi.waitFor(() => expect(document.getElementById("r_1")).not.toBeNull());
    expect(drawn()[0]).toBe(id(3));
    await soon();
    expect(root.querySelector(".new-reply")).toBeNull();
  });
});
