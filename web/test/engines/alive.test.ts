/** Whether a worker still runs: by the lock that it holds. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { holdName, type Locks, tellEnd, workerName } from "../../src/engines/alive.ts";

/** Locks as the browser gives them, of which one is held until it is let go. */
function locks(name: string): Locks & { begin(): void; end(): void } {
  let held = false;
  let free: () => void = () => undefined;
  const freed = new Promise<void>((resolve) => {
    free = resolve;
  });
  return {
    begin: () => {
      held = true;
    },
    end: () => {
      held = false;
      free();
    },
    query: async () => ({ held: held ? [{ name: "other" }, { name }] : [{ name: "other" }] }),
    request: async (_name, _options, callback) => {
      await freed;
      return callback();
    },
  };
}

afterEach(() => {
  vi.useRealTimers();
});

describe("a worker", () => {
  it("that ended is told of by an error, once it had begun", async () => {
    vi.useFakeTimers();
    const [worker, browser] = [new EventTarget(), locks("w")];
    const told = vi.fn();
    worker.addEventListener("error", told);
    tellEnd(worker, "w", browser);
    await vi.advanceTimersByTimeAsync(500);
    browser.begin();
    await vi.advanceTimersByTimeAsync(500);
    expect(told).not.toHaveBeenCalled();
    browser.end();
    await vi.advanceTimersByTimeAsync(1);
    expect(told).toHaveBeenCalledOnce();
  });

  it("that never began is not waited for", async () => {
    vi.useFakeTimers();
    const browser = locks("w");
    const asked = vi.spyOn(browser, "query");
    const worker = new EventTarget();
    const told = vi.fn();
    worker.addEventListener("error", told);
    tellEnd(worker, "w", browser);
    await vi.advanceTimersByTimeAsync(40_000);
    const often = asked.mock.calls.length;
    await vi.advanceTimersByTimeAsync(40_000);
    expect(asked.mock.calls.length).toBe(often);
    expect(told).not.toHaveBeenCalled();
  });

  it("holds a name that is nobody else's, where there are locks", () => {
    expect(workerName("wllama")).not.toBe(workerName("wllama"));
    const request = vi.fn(async () => undefined);
    holdName("w", { request } as unknown as LockManager);
    expect(request).toHaveBeenCalledWith("w", expect.any(Function));
    vi.stubGlobal("navigator", {});
    holdName("w");
    tellEnd(new EventTarget(), "w");
    vi.unstubAllGlobals();
  });
});
