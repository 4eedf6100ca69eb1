// @vitest-environment happy-dom
/** Better search on this device: the visitor's word over it, and what it says of a question. */
import { signal } from "@preact/signals";
import { render } from "preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Encoder } from "../../src/engines/encoder/encoder.ts";
import type { EncoderFacts } from "../../src/engines/encoder/protocol.ts";
import type { KbText } from "../../src/engines/kb/protocol.ts";
import type { Kept } from "../../src/engines/weights/client.ts";
import { WeightsError } from "../../src/engines/weights/failure.ts";
import en from "../../src/i18n/device/en.json";
import type { EncoderOffer } from "../../src/panel/config.ts";
import { Meaning, QUESTION_MS } from "../../src/panel/meaning/meaning.ts";
import { KeptVectors } from "../../src/panel/meaning/vectors.ts";
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

  async embed(texts: readonly string[], _purpose: string, signal?: AbortSignal) {
    this.asked.push(...texts);
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
let fails: { fetch?: unknown; start?: unknown; open?: unknown; store?: unknown };
let dropped: number;
let going: AbortSignal | undefined;
let waits: boolean;

function make(): Meaning {
  return new Meaning({
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
            stop.addEventListener("abort", () => reject(stop.reason)),
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
      if (fails.start) throw fails.start;
      return compass as unknown as Encoder;
    },
    texts: async () => ({ release: "r1", texts: TEXTS }),
    vectors: new KeptVectors(caches as unknown as CacheStorage, "kept"),
    storeEngine: async () => {
      if (fails.store) throw fails.store;
      await caches.open("kept");
    },
    drop: async () => {
      dropped += 1;
      await caches.delete("kept");
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
});

afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

describe("the better search", () => {
  it("is not here, and says nothing, until the visitor fetches it", async () => {
    const meaning = make();
    await meaning.look();
    expect(meaning.step.value).toEqual({ step: "absent" });
    expect(await meaning.near("north")).toBeUndefined();
    await meaning.fetch();
    expect(meaning.step.value).toEqual({ step: "ready" });
  });

  it("tells the largest cosine of each entry, of texts in its languages", async () => {
    const meaning = make();
    await meaning.fetch();
    expect(compass.asked).toEqual(["north", "south", "east"]);
    const near = await meaning.near("nearly north");
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
    expect((await again.near("east"))?.cosines.second).toBeCloseTo(1);
  });

  it("says nothing where a question takes too long", async () => {
    const meaning = make();
    await meaning.fetch();
    const began = performance.now();
    expect(await meaning.near("somewhere")).toBeUndefined();
    expect(performance.now() - began).toBeGreaterThan(QUESTION_MS / 2);
  });

  it("says nothing where its weight beside the knowledge base is not known", async () => {
    compass.facts = { ...compass.facts, weights: null };
    const meaning = make();
    await meaning.fetch();
    expect(await meaning.near("north")).toBeUndefined();
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
    expect(await meaning.near("north")).toBeUndefined();
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
    expect(await meaning.near("north")).toBeUndefined();
  });
});

describe("vectors", () => {
  it("of another release, or size, are none", async () => {
    const vectors = new KeptVectors(caches as unknown as CacheStorage, "kept");
    expect(await vectors.read("r1", 2)).toBeUndefined();
    await vectors.keep("r1", Float32Array.of(1, 2));
    expect(await vectors.read("r1", 3)).toBeUndefined();
    expect([...((await vectors.read("r1", 2)) ?? [])]).toEqual([1, 2]);
    await vectors.keep("r2", Float32Array.of(3));
    expect(await vectors.read("r1", 2)).toBeUndefined();
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
    expect(calls).toEqual(["fetch", "pause", "fetch", "remove"]);
  });

  it.each<[Meaning["step"]["value"], string]>([
    [{ step: "reading", done: 1, total: 3 }, en["search.reading"]],
    [{ step: "ready" }, en["search.ready"]],
    [{ step: "starting" }, en.starting],
    [{ step: "kept", why: "engine" }, en["why.engine"]],
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

  it("asks to remember first", async () => {
    const root = await shown(false);
    expect(root.textContent).toContain(en.memory);
    press(root, en.remember);
    await vi.waitFor(() => expect(root.textContent).toContain("Download 23 MB"));
  });
});
