// @vitest-environment happy-dom
/** Better search on this device: the visitor's word over it, and what it says of a question. */
import { type Signal, signal } from "@preact/signals";
import { render } from "preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Encoder } from "../../src/engines/encoder/encoder.ts";
import type { EncoderFacts } from "../../src/engines/encoder/protocol.ts";
import type { KbText } from "../../src/engines/kb/protocol.ts";
import type { Kept } from "../../src/engines/weights/client.ts";
import { WeightsError } from "../../src/engines/weights/failure.ts";
import en from "../../src/i18n/device/en.json";
import type { EncoderOffer } from "../../src/panel/config.ts";
import { IDLE_MS } from "../../src/panel/device/device.ts";
import { Meaning, MOST_MISSES, QUESTION_MS } from "../../src/panel/meaning/meaning.ts";
import { KeptVectors, PIECE } from "../../src/panel/meaning/vectors.ts";
import type { PanelState } from "../../src/panel/state.ts";
import { Panel } from "../../src/panel/views/panel.tsx";
import { MemoryCaches } from "../sw/memory_caches.ts";
import { CONFIG, type Harness, panel } from "./panel.ts";

const OFFER: EncoderOffer = {
  id: "small",
  name: "Small",
  licence: "MIT",
  manifest: "/m/sha256/e",
  sha256: "e",
  bytes: 23e6,
  memory: 4e8,
};
const ALL: Kept = { done: OFFER.bytes, total: OFFER.bytes };
const NONE: Kept = { done: 0, total: 0 };
const TEXTS: readonly KbText[] = [
  ["first", "en", "north"],
  ["first", "en", "south"],
  ["second", "en", "east"],
  ["second", "es", "este"],
];
const PLACES: Readonly<Record<string, readonly [number, number]>> = {
  north: [0, 1],
  south: [0, -1],
  east: [1, 0],
  este: [1, 0],
  "nearly north": [0.6, 0.8],
};

/** Directions as vectors; what is no direction is never answered. */
class Compass {
  facts: EncoderFacts = {
    dimensions: 2,
    context: 8,
    query: "",
    passage: "",
    weights: { kb: 0.5, near: 11, languages: ["en"] },
  };
  readonly dimensions = 2;
  readonly asked: string[] = [];
  unloads = 0;
  onLost: (() => void) | undefined;
  /** Called before each of the site's texts is read. */
  reads: () => void = () => undefined;

  async embed(texts: readonly string[], purpose: string, signal?: AbortSignal) {
    this.asked.push(...texts);
    if (purpose === "passage") this.reads();
    signal?.throwIfAborted();
    if (texts.some((text) => !PLACES[text])) {
      await new Promise((_, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason));
      });
    }
    return texts.map((text) => Float32Array.from(PLACES[text] ?? []));
  }

  unload(): void {
    this.unloads += 1;
  }
}

let compass: Compass;
let kept: Kept;
let caches: MemoryCaches;
let fails: { fetch?: unknown; start?: unknown; open?: unknown; store?: unknown; texts?: unknown };
let dropped: number;
let going: AbortSignal | undefined;
let waits: boolean;
let texts: readonly KbText[];
let around: {
  visible: Signal<boolean>;
  pack: PanelState["pack"];
  connection: PanelState["connection"];
};
let starts: number;
let others: number;
let stored: () => Promise<void>;
/** What a stopped fetch still waits for. */
let winding: Promise<void>;

function make(): Meaning {
  return new Meaning({
    state: around,
    offer: OFFER,
    site: "site_a",
    weights: {
      here: async () => kept,
      fetch: async (_wanted, told, stop) => {
        going = stop;
        if (fails.fetch) throw fails.fetch;
        told({ done: 5e6, total: OFFER.bytes });
        if (waits) {
          await new Promise((_, reject) =>
            stop.addEventListener("abort", () => void winding.then(() => reject(stop.reason))),
          );
        }
        return ALL;
      },
      open: async () => {
        if (fails.open) throw fails.open;
        return new Blob();
      },
    },
    start: async () => {
      starts += 1;
      if (fails.start) throw fails.start;
      return compass as unknown as Encoder;
    },
    texts: async () => {
      if (fails.texts) throw fails.texts;
      return { release: "r1", texts };
    },
    vectors: new KeptVectors(caches as unknown as CacheStorage, "kept"),
    storeEngine: async () => {
      if (fails.store) throw fails.store;
      await stored();
      await caches.open("kept");
    },
    drop: async () => {
      dropped += 1;
      await caches.delete("kept");
    },
    dropOthers: async () => {
      others += 1;
    },
  });
}

beforeEach(() => {
  compass = new Compass();
  kept = NONE;
  caches = new MemoryCaches("https://chat.example");
  fails = {};
  dropped = 0;
  going = undefined;
  waits = false;
  texts = TEXTS;
  around = { visible: signal(true), pack: signal("ready"), connection: signal("online") };
  starts = 0;
  others = 0;
  stored = async () => undefined;
  winding = Promise.resolve();
});

const never = new AbortController().signal;
/** So many texts of one entry. */
const many = (count: number): readonly KbText[] =>
  Array.from({ length: count }, () => ["first", "en", "north"] as const);

afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

describe("the better search", () => {
  it("is not here, and says nothing, until the visitor fetches it", async () => {
    const meaning = make();
    await meaning.look();
    expect(meaning.step.value).toEqual({ step: "absent" });
    expect(await meaning.near("north", never)).toBeUndefined();
    await meaning.fetch();
    expect(meaning.step.value).toEqual({ step: "ready" });
  });

  it("tells the largest cosine of each entry, of texts in its languages", async () => {
    const meaning = make();
    await meaning.fetch();
    expect(compass.asked).toEqual(["north", "south", "east"]);
    const near = await meaning.near("nearly north", never);
    expect(near).toMatchObject({ kb: 0.5, near: 11, languages: ["en"] });
    expect(near?.cosines.first).toBeCloseTo(0.8);
    expect(near?.cosines.second).toBeCloseTo(0.6);
  });

  it("reads the texts once", async () => {
    await make().fetch();
    kept = ALL;
    compass = new Compass();
    const again = make();
    await again.look();
    expect(again.step.value).toEqual({ step: "ready" });
    expect(compass.asked).toEqual([]);
    expect((await again.near("east", never))?.cosines.second).toBeCloseTo(1);
  });

  it("says nothing where a question takes too long", async () => {
    const meaning = make();
    await meaning.fetch();
    const began = performance.now();
    expect(await meaning.near("somewhere", never)).toBeUndefined();
    expect(performance.now() - began).toBeGreaterThan(QUESTION_MS / 2);
  });

  it("reads nothing where its weight beside the knowledge base is not known", async () => {
    compass.facts = { ...compass.facts, weights: null };
    const meaning = make();
    await meaning.fetch();
    expect(meaning.step.value).toEqual({ step: "kept", why: "engine" });
    expect([compass.asked, compass.unloads]).toEqual([[], 1]);
    expect(await meaning.near("north", never)).toBeUndefined();
  });

  it("can be paused, and goes on", async () => {
    waits = true;
    const meaning = make();
    const running = meaning.fetch();
    await vi.waitFor(() => expect(going).toBeDefined());
    meaning.pause();
    await running;
    expect(meaning.step.value).toEqual({ step: "paused", done: 5e6, total: OFFER.bytes });
    waits = false;
    await meaning.fetch();
    expect(meaning.step.value.step).toBe("ready");
  });

  it("goes on later where it was begun", async () => {
    kept = { done: 7, total: 9 };
    const meaning = make();
    await meaning.look();
    expect(meaning.step.value).toEqual({ step: "paused", done: 7, total: 9 });
  });

  it.each([
    ["it is not what was promised", { fetch: new WeightsError("tampered", "t") }, "tampered"],
    ["the browser gives no room", { store: new WeightsError("quota", "q") }, "quota"],
    ["the browser lost a part", { open: new WeightsError("storage", "s") }, "storage"],
    ["something else fails", { fetch: new Error("?") }, "code"],
  ])("says why where %s", async (_why, how, why) => {
    fails = how;
    const meaning = make();
    await meaning.fetch();
    expect(meaning.step.value).toMatchObject({ step: "failed", why });
    expect(await meaning.near("north", never)).toBeUndefined();
  });

  it("says so where a lost part is found out at the start", async () => {
    kept = ALL;
    fails = { open: new WeightsError("storage", "s") };
    const meaning = make();
    await meaning.look();
    expect(meaning.step.value).toMatchObject({ step: "failed", why: "storage" });
  });

  it("stays here where it cannot be started", async () => {
    fails = { start: new Error("no") };
    const meaning = make();
    await meaning.fetch();
    expect(meaning.step.value).toEqual({ step: "kept", why: "engine" });
  });

  it("leaves nothing when it is removed, or consent is taken back", async () => {
    const meaning = make();
    await meaning.leave();
    expect(dropped).toBe(0);
    await meaning.fetch();
    await meaning.leave();
    expect([compass.unloads, dropped, await caches.keys()]).toEqual([1, 1, []]);
    expect(await meaning.near("north", never)).toBeUndefined();
  });
});

describe("a question", () => {
  /** Asks, and waits as long as a question does. */
  async function late(meaning: Meaning): Promise<void> {
    vi.spyOn(AbortSignal, "timeout").mockReturnValueOnce(AbortSignal.abort(new Error("late")));
    expect(await meaning.near("somewhere", never)).toBeUndefined();
  }

  async function troubled(meaning: Meaning): Promise<void> {
    for (let miss = 0; miss < MOST_MISSES; miss += 1) await late(meaning);
  }

  it("that is late again and again has it started once more, and then no more", async () => {
    const meaning = make();
    await meaning.fetch();
    await troubled(meaning);
    await vi.waitFor(() => expect(meaning.step.value).toEqual({ step: "ready" }));
    expect([starts, compass.unloads]).toEqual([2, 1]);
    // What was read before is not read again.
    expect(compass.asked.filter((text) => text === "north")).toHaveLength(1);
    await troubled(meaning);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(meaning.step.value).toEqual({ step: "kept", why: "engine" });
    expect([starts, compass.unloads]).toEqual([2, 2]);
  });

  it("in time forgives those that were late", async () => {
    const meaning = make();
    await meaning.fetch();
    for (let round = 0; round < 2; round += 1) {
      for (let miss = 1; miss < MOST_MISSES; miss += 1) await late(meaning);
      expect(await meaning.near("north", never)).toBeDefined();
    }
    expect(starts).toBe(1);
  });

  it("that nobody waits for any more is not late", async () => {
    const meaning = make();
    await meaning.fetch();
    const stop = new AbortController();
    for (let asked = 0; asked < 2 * MOST_MISSES; asked += 1) {
      const near = meaning.near("somewhere", stop.signal);
      stop.abort();
      expect(await near).toBeUndefined();
    }
    expect([meaning.step.value.step, starts]).toEqual(["ready", 1]);
  });

  it("goes without once its worker has died twice", async () => {
    const meaning = make();
    await meaning.fetch();
    compass.onLost?.();
    expect(await meaning.near("north", never)).toBeUndefined();
    await vi.waitFor(() => expect(meaning.step.value).toEqual({ step: "ready" }));
    compass.onLost?.();
    expect(meaning.step.value).toEqual({ step: "kept", why: "engine" });
    expect(starts).toBe(2);
  });
});

describe("its time in memory", () => {
  it("begins when somebody looks and the knowledge base is there", async () => {
    around.visible.value = false;
    around.pack.value = "loading";
    kept = ALL;
    const meaning = make();
    await meaning.look();
    expect(meaning.step.value).toEqual({ step: "kept" });
    around.visible.value = true;
    await new Promise((resolve) => setTimeout(resolve));
    expect(starts).toBe(0);
    around.pack.value = "ready";
    await vi.waitFor(() => expect(meaning.step.value).toEqual({ step: "ready" }));
  });

  it("waits where the visitor saves data, but for the visitor's word", async () => {
    around.pack.value = "absent";
    kept = ALL;
    const meaning = make();
    await meaning.look();
    await new Promise((resolve) => setTimeout(resolve));
    expect([meaning.step.value, starts]).toEqual([{ step: "kept" }, 0]);
    await meaning.again();
    expect(meaning.step.value).toEqual({ step: "ready" });
  });

  it("ends when nobody has looked for long, and begins anew", async () => {
    vi.useFakeTimers();
    const meaning = make();
    await meaning.fetch();
    around.visible.value = false;
    await vi.advanceTimersByTimeAsync(IDLE_MS / 2);
    around.visible.value = true;
    around.visible.value = false;
    await vi.advanceTimersByTimeAsync(IDLE_MS - 1);
    expect(meaning.step.value).toEqual({ step: "ready" });
    await vi.advanceTimersByTimeAsync(1);
    expect([meaning.step.value, compass.unloads]).toEqual([{ step: "kept" }, 1]);
    around.visible.value = true;
    await vi.advanceTimersByTimeAsync(10);
    expect([meaning.step.value, starts]).toEqual([{ step: "ready" }, 2]);
  });
});

describe("reading the site's texts", () => {
  it("goes on where the page before it ended, and tells how far it is", async () => {
    texts = many(PIECE * 2 + 5);
    const first = make();
    compass.reads = () => {
      // The visitor navigates within the second piece.
      if (compass.asked.length > PIECE + 10) around.visible.value = false;
    };
    void first.fetch();
    await vi.waitFor(() => expect(around.visible.value).toBe(false));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const read = compass.asked.length;
    expect(read).toBeLessThan(texts.length);
    expect(caches.paths("kept")).toEqual(["/m/kept/vectors/r1/0"]);

    kept = ALL;
    compass = new Compass();
    around = { ...around, visible: signal(true) };
    const second = make();
    const steps: unknown[] = [];
    second.step.subscribe((step) => steps.push(step));
    await second.look();
    expect(steps).toContainEqual({ step: "reading", done: PIECE, total: texts.length });
    expect(compass.asked).toHaveLength(PIECE + 5);
    expect((await second.near("north", never))?.cosines.first).toBeCloseTo(1);
  });

  it("stands still while nobody looks", async () => {
    texts = many(40);
    compass.reads = () => {
      around.visible.value = false;
    };
    const meaning = make();
    void meaning.fetch();
    await vi.waitFor(() => expect(compass.asked).toHaveLength(8));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(compass.asked).toHaveLength(8);
    compass.reads = () => undefined;
    around.visible.value = true;
    await vi.waitFor(() => expect(meaning.step.value).toEqual({ step: "ready" }));
  });
});

describe("the visitor's word", () => {
  it("to pause counts at once, while its engine is still being stored", async () => {
    stored = () => new Promise(() => undefined);
    const meaning = make();
    void meaning.fetch();
    meaning.pause();
    expect(meaning.step.value).toEqual({ step: "paused", done: 0, total: OFFER.bytes });
    stored = async () => undefined;
    await meaning.again();
    expect(meaning.step.value).toEqual({ step: "ready" });
  });

  it("to delete is obeyed after the last write, and to download after that", async () => {
    let end: () => void = () => undefined;
    winding = new Promise((resolve) => {
      end = resolve;
    });
    waits = true;
    const meaning = make();
    void meaning.fetch();
    await vi.waitFor(() => expect(going).toBeDefined());
    const removed = meaning.remove();
    expect(meaning.step.value).toEqual({ step: "absent" });
    waits = false;
    const again = meaning.fetch();
    expect(meaning.step.value.step).toBe("fetching");
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect([dropped, starts]).toEqual([0, 0]);
    end();
    await removed;
    expect(dropped).toBe(1);
    await again;
    expect([meaning.step.value.step, await caches.keys()]).toEqual(["ready", ["kept"]]);
  });

  it("has what the site offers no more dropped", async () => {
    await make().fetch();
    expect(others).toBe(1);
  });
});

describe("a knowledge base that cannot be had", () => {
  it("is named, and asked again on the visitor's word", async () => {
    fails = { texts: new Error("no index") };
    const meaning = make();
    await meaning.fetch();
    expect(meaning.step.value).toEqual({ step: "kept", why: "knowledge" });
    await new Promise((resolve) => setTimeout(resolve));
    expect([meaning.step.value, starts]).toEqual([{ step: "kept", why: "knowledge" }, 0]);
    fails = {};
    await meaning.again();
    expect(meaning.step.value).toEqual({ step: "ready" });
  });

  it("is asked again when the connection returns, once", async () => {
    around.connection.value = "offline";
    fails = { texts: new Error("no network") };
    kept = ALL;
    const meaning = make();
    await meaning.look();
    expect(meaning.step.value).toEqual({ step: "kept", why: "knowledge" });
    const asked = vi.fn();
    meaning.step.subscribe(({ step }) => step === "starting" && asked());
    around.connection.value = "online";
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(asked).toHaveBeenCalledTimes(1);
    expect(meaning.step.value).toEqual({ step: "kept", why: "knowledge" });
    around.connection.value = "unreachable";
    fails = {};
    around.connection.value = "online";
    await vi.waitFor(() => expect(meaning.step.value).toEqual({ step: "ready" }));
  });
});

describe("vectors", () => {
  const made = () => new KeptVectors(caches as unknown as CacheStorage, "kept");
  const numbers = async (vectors: KeptVectors, release: string, count: number) =>
    (await vectors.read(release, count, 1)).map((piece) => [...piece]);
  const full = new Float32Array(PIECE).fill(1);

  it("are kept in pieces, as far as they are whole", async () => {
    await caches.open("kept");
    const vectors = made();
    expect(await numbers(vectors, "r1", 2 * PIECE)).toEqual([]);
    await vectors.keep("r1", 1, full);
    expect(await numbers(made(), "r1", 2 * PIECE)).toEqual([]);
    await vectors.keep("r1", 0, full);
    expect(await numbers(made(), "r1", 2 * PIECE)).toEqual([[...full], [...full]]);
    expect(await numbers(made(), "r1", PIECE + 1)).toEqual([[...full]]);
  });

  it("of another release are dropped", async () => {
    await caches.open("kept");
    const vectors = made();
    await vectors.read("r1", 1, 1);
    await vectors.keep("r1", 0, Float32Array.of(1));
    expect(await numbers(made(), "r2", 1)).toEqual([]);
    expect(caches.paths("kept")).toEqual([]);
  });

  it("do not bring back a cache that was deleted", async () => {
    await caches.open("kept");
    const vectors = made();
    await vectors.read("r1", 1, 1);
    await caches.delete("kept");
    await vectors.keep("r1", 0, Float32Array.of(1));
    expect(await caches.keys()).toEqual([]);
    expect(await vectors.read("r1", 1, 1)).toEqual([]);
    await vectors.keep("r1", 0, Float32Array.of(1));
    expect(await caches.keys()).toEqual([]);
  });
});

describe("its part of the sheet", () => {
  let it_: Harness;
  let step: Meaning["step"];
  const calls: string[] = [];

  async function shown(memory = true): Promise<HTMLElement> {
    step = signal({ step: "absent" }) as Meaning["step"];
    const meaning = {
      offer: OFFER,
      step,
      fetch: async () => void calls.push("fetch"),
      again: async () => void calls.push("again"),
      pause: () => void calls.push("pause"),
      remove: async () => void calls.push("remove"),
    } as unknown as Meaning;
    it_ = panel({
      config: { ...CONFIG, encoder: OFFER },
      around: { meaning: async () => meaning },
    });
    await it_.memory.accept(false);
    if (!memory) it_.state.consent.value = { memory: false, training: false };
    const root = document.createElement("div");
    document.body.append(root);
    render(<Panel services={{ ...it_, close: undefined }} />, root);
    it_.state.opened.value = "device";
    await vi.waitFor(() => expect(root.textContent).toContain("23 MB to download"));
    return root;
  }

  const press = (root: HTMLElement, text: string) =>
    [...root.querySelectorAll("button")].find((one) => one.textContent === text)?.click();

  it("offers it with its size, and obeys", async () => {
    calls.length = 0;
    const root = await shown();
    expect(root.textContent).toContain(en["search.title"]);
    expect(root.textContent).not.toContain(en.often_wrong);
    press(root, "Download 23 MB");
    step.value = { step: "fetching", done: 1e6, total: 23e6, rate: 1e6, left: 22 };
    await vi.waitFor(() => expect(root.textContent).toContain("1 MB of 23 MB"));
    press(root, en.pause);
    step.value = { step: "paused", done: 1e6, total: 23e6 };
    await vi.waitFor(() => expect(root.textContent).toContain("Paused at 1 MB of 23 MB"));
    press(root, en.resume);
    press(root, en.remove);
    expect(calls).toEqual(["fetch", "pause", "again", "remove"]);
  });

  it.each<[Meaning["step"]["value"], string]>([
    [{ step: "reading", done: 120, total: 900 }, "Reading the site’s answers: 120 of 900."],
    [{ step: "kept" }, en["search.kept"]],
    [{ step: "ready" }, en["search.ready"]],
    [{ step: "starting" }, en.starting],
    [{ step: "kept", why: "engine" }, en["search.engine"]],
    [{ step: "failed", why: "gone", done: 0, total: 9 }, en["why.gone"]],
  ])("says what is: %j", async (now, said) => {
    const root = await shown();
    step.value = now;
    await vi.waitFor(() => expect(root.textContent).toContain(said));
    const again = [...root.querySelectorAll("button")].some(
      ({ textContent }) => textContent === en.again,
    );
    expect(again).toBe(false);
  });

  it("counts what is read, and does not say each number aloud", async () => {
    const root = await shown();
    step.value = { step: "reading", done: 8, total: 900 };
    await vi.waitFor(() => expect(root.textContent).toContain("8 of 900"));
    const aloud = [...root.querySelectorAll("[role=status]")].map(({ textContent }) => textContent);
    expect(aloud).toContain(en["search.once"]);
    expect(aloud.join(" ")).not.toContain("900");
  });

  it("says that the knowledge base is missing, and tries again", async () => {
    calls.length = 0;
    const root = await shown();
    step.value = { step: "kept", why: "knowledge" };
    await vi.waitFor(() => expect(root.textContent).toContain(en["search.knowledge"]));
    press(root, en.again);
    expect(calls).toEqual(["again"]);
  });

  it("asks to remember first", async () => {
    const root = await shown(false);
    expect(root.textContent).toContain(en.memory);
    press(root, en.remember);
    await vi.waitFor(() => expect(root.textContent).toContain("Download 23 MB"));
  });
});
