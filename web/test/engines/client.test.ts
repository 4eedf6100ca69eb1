import { describe, expect, test, vi } from "vitest";
import { KbError, KnowledgeBase, type WorkerLike } from "../../src/engines/kb/client.ts";
import type { KbCall, KbProgress, KbReply, KbRequest } from "../../src/engines/kb/protocol.ts";

const PYTHON = {
  runtime: "/assets/py/r/",
  stdlib: "/assets/py/s.zip",
  lock: { info: { abi_version: "", arch: "", platform: "", python: "" }, packages: {} },
};

const KNOWLEDGE = { index: "/kb/site_demo/r1.idx", embedding: "/kb/embedding/e1.bin" };

const QUESTION: KbRequest = {
  question: "hello",
  locale: "en",
  question_locale: null,
  threshold: 0.55,
  online: true,
  may_clarify: true,
  history: [],
  today: "2026-01-02",
};

const RESPONSE = {
  route: "kb",
  route_reasons: [],
  otherwise: null,
  risk: [],
  reasons: [],
  escalate: false,
  answer: null,
  clarify: null,
  fallback: { text: "f", locale: "en", suggestions: [] },
  gate: { entry_id: null, confidence: 0.1, index_release: "r1" },
} as const;

/** A worker in this thread: answers by `script`, or not at all where that gives nothing. */
class ThreadWorker implements WorkerLike {
  readonly #events = new EventTarget();
  readonly calls: KbCall[] = [];
  terminated = false;

  constructor(private readonly script: (call: KbCall) => readonly KbReply[]) {}

  addEventListener(type: string, listener: (event: never) => void): void {
    this.#events.addEventListener(type, listener as EventListener);
  }

  postMessage(call: KbCall): void {
    this.calls.push(call);
    for (const reply of this.script(call)) queueMicrotask(() => this.emit(reply));
  }

  emit(data: KbReply): void {
    this.#events.dispatchEvent(new MessageEvent("message", { data }));
  }

  crash(): void {
    this.#events.dispatchEvent(new Event("error"));
  }

  terminate(): void {
    this.terminated = true;
  }
}

const progress: KbProgress = { type: "progress", phase: "ready", loaded: 1, total: 1 };

const obliging = ({ id, type }: KbCall): readonly KbReply[] =>
  type === "load"
    ? [progress, { id, type: "loaded", release: "r1", embedding: "e1" }]
    : [{ id, type: "answer", response: RESPONSE }];

const silent = (): readonly KbReply[] => [];
const loadsOnly = (call: KbCall): readonly KbReply[] =>
  call.type === "load" ? obliging(call) : [];

/** A knowledge base whose n-th worker follows the n-th script. */
function base(...scripts: ((call: KbCall) => readonly KbReply[])[]) {
  const workers: ThreadWorker[] = [];
  const kb = new KnowledgeBase({
    python: PYTHON,
    knowledge: KNOWLEDGE,
    askTimeoutMs: 100,
    spawn: () => {
      const worker = new ThreadWorker(scripts[workers.length] ?? silent);
      workers.push(worker);
      return worker;
    },
  });
  const worker = (at: number): ThreadWorker => {
    const found = workers[at];
    if (!found) throw new Error(`no worker ${at}`);
    return found;
  };
  return { kb, workers, worker };
}

const reasonOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "resolved",
    (error: unknown) => (error instanceof KbError ? error.reason : String(error)),
  );

describe("loading", () => {
  test("starts no worker before load, and one for many loads", async () => {
    const { kb, workers } = base(obliging);
    expect(workers).toHaveLength(0);
    expect(await Promise.all([kb.load(), kb.load()])).toEqual(["r1", "r1"]);
    expect(workers).toHaveLength(1);
    expect(kb.ready).toBe(true);
    expect(kb.release).toBe("r1");
  });

  test("asks the worker for both files, and says what came of them", async () => {
    const { kb, worker } = base(silent);
    expect([kb.release, kb.embedding]).toEqual([null, null]);
    const loading = kb.load();
    expect(worker(0).calls).toMatchObject([{ type: "load", knowledge: KNOWLEDGE }]);
    worker(0).emit({ id: 1, type: "loaded", release: "r1", embedding: "e1" });
    expect(await loading).toBe("r1");
    expect([kb.release, kb.embedding]).toEqual(["r1", "e1"]);
  });

  test("passes progress to each waiting listener, and none afterwards", async () => {
    const { kb, worker } = base(obliging);
    const seen: KbProgress[] = [];
    await kb.load((event) => seen.push(event));
    worker(0).emit(progress);
    expect(seen).toEqual([progress]);
  });

  test("rejects with the worker's reason, and the next load tries again", async () => {
    const failing = ({ id }: KbCall): readonly KbReply[] => [
      { id, type: "failed", reason: "index", message: "another version" },
    ];
    const { kb, worker } = base(failing, obliging);
    expect(await reasonOf(kb.load())).toBe("index");
    expect(kb.ready).toBe(false);
    expect(worker(0).terminated).toBe(true);
    expect(await kb.load()).toBe("r1");
  });

  test("refuses a reply of another kind", async () => {
    const confused = ({ id }: KbCall): readonly KbReply[] => [
      { id, type: "answer", response: RESPONSE },
    ];
    const { kb } = base(confused);
    expect(await reasonOf(kb.load())).toBe("python");
  });

  test("an abort stops the worker when nobody else waits", async () => {
    const { kb, worker } = base(silent);
    const stop = new AbortController();
    const loading = kb.load(undefined, stop.signal);
    stop.abort("enough");
    expect(await reasonOf(loading)).toBe("enough");
    expect(worker(0).terminated).toBe(true);
  });

  test("an abort leaves the worker to others who wait", async () => {
    const { kb, worker } = base(silent);
    const stop = new AbortController();
    const gone = kb.load(undefined, stop.signal);
    const stays = kb.load();
    stop.abort("enough");
    expect(await reasonOf(gone)).toBe("enough");
    worker(0).emit({ id: 1, type: "loaded", release: "r1", embedding: null });
    expect(await stays).toBe("r1");
  });

  test("an abort before the start starts nothing", async () => {
    const { kb, workers } = base(obliging);
    expect(await reasonOf(kb.load(undefined, AbortSignal.abort("never")))).toBe("never");
    expect(workers).toHaveLength(0);
  });
});

describe("asking", () => {
  test("gives the response as the worker gave it", async () => {
    const { kb } = base(obliging);
    await kb.load();
    expect(await kb.ask(QUESTION)).toEqual(RESPONSE);
  });

  test("is refused before the load is done", async () => {
    expect(await reasonOf(base(obliging).kb.ask(QUESTION))).toBe("not_loaded");
  });

  test("refuses a reply of another kind", async () => {
    const { kb } = base(({ id }) => [{ id, type: "loaded", release: "r1", embedding: "e1" }]);
    await kb.load();
    expect(await reasonOf(kb.ask(QUESTION))).toBe("python");
  });

  test("ignores replies that nobody waits for", async () => {
    const { kb, worker } = base(obliging);
    await kb.load();
    worker(0).emit({ id: 99, type: "failed", reason: "python", message: "late" });
    worker(0).emit({ id: 99, type: "loaded", release: "r9", embedding: null });
    expect(kb.release).toBe("r1");
  });
});

describe("an encoder", () => {
  test("is told what there is to encode", async () => {
    const texts = [["a", "en", "Is it so?"]] as const;
    const tells = (call: KbCall): readonly KbReply[] =>
      call.type === "texts" ? [{ id: call.id, type: "texts", texts }] : obliging(call);
    const { kb } = base(tells);
    await kb.load();
    expect(await kb.texts()).toEqual(texts);
    const other = base(obliging).kb;
    await other.load();
    await expect(other.texts()).rejects.toThrow("unexpected reply: answer");
  });
});

describe("a dead worker", () => {
  test("whose heir finds no embedding leaves words alone", async () => {
    const wordless = (call: KbCall): readonly KbReply[] =>
      call.type === "load"
        ? [{ id: call.id, type: "loaded", release: "r1", embedding: null }]
        : obliging(call);
    const { kb, worker } = base(loadsOnly, wordless);
    await kb.load();
    expect(kb.embedding).toBe("e1");
    const answer = kb.ask(QUESTION);
    worker(0).crash();
    expect(await answer).toEqual(RESPONSE);
    expect(kb.embedding).toBeNull();
  });

  test("is replaced once, and the question is asked again", async () => {
    const { kb, worker } = base(loadsOnly, obliging);
    await kb.load();
    const answer = kb.ask(QUESTION);
    worker(0).crash();
    expect(await answer).toEqual(RESPONSE);
    expect(worker(0).terminated).toBe(true);
    expect(worker(1).calls.map(({ type }) => type)).toEqual(["load", "ask"]);
  });

  test("during the load is replaced, and the load goes on", async () => {
    const { kb, worker } = base(silent, obliging);
    const loading = kb.load();
    worker(0).crash();
    expect(await loading).toBe("r1");
    expect(worker(1).calls.map(({ type }) => type)).toEqual(["load"]);
  });

  test("a second death is the end of what is under way", async () => {
    const { kb, worker } = base(loadsOnly, loadsOnly);
    await kb.load();
    const answer = reasonOf(kb.ask(QUESTION));
    worker(0).crash();
    worker(1).crash();
    expect(await answer).toBe("python");
    expect(kb.ready).toBe(false);
  });

  test("what a dead worker still says is not heard", async () => {
    const { kb, worker } = base(loadsOnly, obliging);
    await kb.load();
    worker(0).crash();
    worker(0).crash();
    worker(0).emit({ id: 1, type: "loaded", release: "old", embedding: null });
    await vi.waitFor(() => expect(worker(1).calls).toHaveLength(1));
    expect(kb.release).toBe("r1");
  });

  test("one that cannot be replaced says why", async () => {
    const broken = ({ id }: KbCall): readonly KbReply[] => [
      { id, type: "failed", reason: "network", message: "offline" },
    ];
    const { kb, worker } = base(loadsOnly, broken);
    await kb.load();
    const answer = reasonOf(kb.ask(QUESTION));
    worker(0).crash();
    expect(await answer).toBe("network");
  });

  test("one that never answers counts as dead", async () => {
    vi.useFakeTimers();
    try {
      const { kb, workers } = base(loadsOnly, loadsOnly);
      await kb.load();
      const answer = reasonOf(kb.ask(QUESTION));
      await vi.advanceTimersByTimeAsync(100);
      expect(workers).toHaveLength(2);
      await vi.advanceTimersByTimeAsync(100);
      expect(await answer).toBe("python");
    } finally {
      vi.useRealTimers();
    }
  });
});

test("after dispose nothing is answered and nothing starts again", async () => {
  const { kb, worker, workers } = base(loadsOnly, obliging);
  await kb.load();
  const answer = reasonOf(kb.ask(QUESTION));
  kb.dispose();
  expect(await answer).toBe("not_loaded");
  expect(worker(0).terminated).toBe(true);
  expect(await reasonOf(kb.load())).toBe("not_loaded");
  expect(workers).toHaveLength(1);
});
