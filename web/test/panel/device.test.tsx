// @vitest-environment happy-dom
/** A model on this device: the visitor's word over it, what it answers, and who is asked where it cannot. */
import { render } from "preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  type Engine,
  EngineError,
  type GpuForm,
  type LocalModel,
  type Piece,
} from "../../src/engines/engine.ts";
import type { Way } from "../../src/engines/table.ts";
import type { Kept } from "../../src/engines/weights/client.ts";
import { WeightsError } from "../../src/engines/weights/failure.ts";
import en from "../../src/i18n/device/en.json";
import es from "../../src/i18n/device/es.json";
import he from "../../src/i18n/device/he.json";
import { Device, IDLE_MS } from "../../src/panel/device/device.ts";
import { PaceMeter } from "../../src/panel/device/pace.ts";
import { duration, size } from "../../src/panel/device/words.ts";
import { Panel } from "../../src/panel/views/panel.tsx";
import { sse } from "../trust/gateway.ts";
import { CONFIG, done, type Harness, panel, testGateway, unknown } from "./panel.ts";

const MODEL: LocalModel = {
  id: "small",
  name: "Small",
  licence: "MIT",
  manifest: "/m/sha256/a",
  sha256: "a",
  bytes: 145e6,
  parameters: 135e6,
  memory: 6e8,
  context: 512,
};
const GPU: GpuForm = {
  manifest: "/m/sha256/g",
  sha256: "g",
  bytes: 77e6,
  memory: 3e8,
  quantisation: "q4f16_1",
  shader_f16: true,
  buffer: 1,
  library: true,
};
const LARGE: LocalModel = { ...MODEL, id: "large", name: "Large", sha256: "l", bytes: 9e8 };
const ALL: Kept = { done: MODEL.bytes, total: MODEL.bytes };
const QUESTION = "go on then";

/** An engine that says what it is given to say. */
class TestEngine implements Engine {
  says: readonly string[] = ["It ", "is so."];
  loads = 0;
  unloads = 0;
  fails: Error | undefined;
  stuck = false;
  spoken = 0;

  async load(): Promise<void> {
    this.loads += 1;
    if (this.fails) throw this.fails;
  }

  async *generate(
    _messages: unknown,
    _options: unknown,
    signal: AbortSignal,
  ): AsyncGenerator<Piece> {
    for (const text of this.says) {
      signal.throwIfAborted();
      this.spoken += 1;
      yield { text, logprobs: [-0.1] };
    }
    if (this.stuck) throw new EngineError("timeout", "stuck");
  }

  async unload(): Promise<void> {
    this.unloads += 1;
  }
}

let it_: Harness;
let engine: TestEngine;
let kept: Kept;
let coming: {
  told: (kept: Kept) => void;
  end: (error?: unknown) => void;
  signal: AbortSignal;
};
let dropped: (string | undefined)[];
let unfit: "browser" | "memory" | undefined;
let several: boolean;
let gpu: TestEngine | undefined;
let gpuKept: Kept;
let stored: () => Promise<void>;
let opened: () => Promise<Blob>;

const textOf = ({ textContent }: Element) => textContent?.trim();

/** How the model can be run: on the graphics processor where there is one, and on the processor. */
function ways(model: LocalModel): readonly [Way, ...Way[]] {
  const cpu: Way = { name: "wllama", form: model, threads: 1, open: async () => engine };
  const found = gpu;
  if (!found) return [cpu];
  return [{ name: "webllm", form: GPU, threads: 1, open: async () => found }, cpu];
}

function withDevice(): Harness {
  const config = { ...CONFIG, local_models: [MODEL] };
  const weights = {
    here: async ({ sha256 }: { sha256: string }) => (sha256 === GPU.sha256 ? gpuKept : kept),
    open: () => opened(),
    fetch: (_wanted: unknown, told: (kept: Kept) => void, signal: AbortSignal) =>
      new Promise<Kept>((resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
        const end = (error?: unknown) => (error ? reject(error) : resolve(ALL));
        coming = { told, end, signal };
      }),
  };
  const made: Harness = panel({
    config,
    gateway: testGateway(),
    around: {
      device: async (around) => {
        const device = new Device({
          ...around,
          model: MODEL,
          models: several ? [MODEL, LARGE] : [MODEL],
          weights,
          choose: async (model) =>
            unfit ? { ok: false, why: unfit } : { ok: true, ways: [...ways(model)] },
          storeEngine: () => stored(),
          drop: async (but) => void dropped.push(but),
        });
        await device.look();
        return device;
      },
    },
  });
  made.loadPack();
  return made;
}

const steps = async () => (await it_.local.device()).step.value;
const last = () => it_.state.entries.value.at(-1);

async function offline(): Promise<void> {
  it_.browser.online = false;
  it_.network.refresh();
}

beforeEach(async () => {
  engine = new TestEngine();
  several = false;
  gpu = undefined;
  gpuKept = { done: 0, total: 0 };
  kept = ALL;
  dropped = [];
  coming = undefined as never;
  unfit = undefined;
  stored = async () => undefined;
  opened = async () => new Blob(["weights"]);
  it_ = withDevice();
  await it_.memory.accept(false);
  it_.memory.wantModel("small");
});

afterEach(() => {
  vi.useRealTimers();
});

describe("a question that the device is to answer", () => {
  it("is answered here, marked as written here, and sent nowhere", async () => {
    await it_.local.device();
    await offline();
    await it_.conversation.ask(QUESTION);
    expect(last()).toMatchObject({ content: "It is so.", source: "local", here: true });
    expect(last()).toMatchObject({ confidence: 0.8, citations: [{ url: "/guide" }] });
    expect(it_.gateway.calls("/v1/chat")).toEqual([]);
    expect(it_.state.engine.value).toBe("ready");
    expect(engine.loads).toBe(1);
  });

  it.each([
    ["is not sure enough of", { says: ["A doubtful thing."] }],
    ["says nothing to", { says: [] }],
    ["gets stuck at", { stuck: true }],
    ["cannot be started for", { fails: new EngineError("load", "no") }],
  ])("goes to a person where the model %s it", async (_name, change) => {
    Object.assign(engine, change);
    await it_.local.device();
    await offline();
    await it_.conversation.ask(QUESTION);
    expect(last()).toMatchObject({ source: "fallback", content: "No network." });
    expect(last()?.escalation).toMatchObject({ reason: "low_confidence", status: "unsent" });
    expect(it_.state.engine.value).not.toBe("busy");
  });

  it("goes to the gateway where there is one and the model is not sure", async () => {
    engine.says = ["doubtful"];
    it_.gateway.answers.set("/v1/chat", () => sse([done({ reply: "Sure.", confidence: 0.9 })]));
    await it_.local.device();
    await it_.conversation.ask(QUESTION);
    expect(last()).toMatchObject({ source: "cloud", content: "Sure." });
  });

  it("ends where the model says the same over and over", async () => {
    engine.says = Array.from({ length: 50 }, () => "The same thing again. ");
    await it_.local.device();
    await offline();
    const judged = vi.spyOn(it_.knowledge, "judge");
    await it_.conversation.ask(QUESTION);
    expect(engine.spoken).toBeLessThan(10);
    expect(judged.mock.calls[0]?.[0]).toMatchObject({ finish: "length", threshold: 0.55 });
  });

  it("is answered here where the gateway fell silent and the device is next", async () => {
    await it_.local.device();
    await offline();
    await vi.waitFor(() => expect(it_.state.engine.value).toBe("ready"));
    it_.browser.online = true;
    it_.network.refresh();
    it_.knowledge.ask = async () => ({ ...unknown("cloud"), otherwise: "local" });
    it_.gateway.answers.set("/v1/chat", () => Promise.reject(new TypeError("gone")) as never);
    await it_.conversation.ask("anything");
    expect(last()).toMatchObject({ source: "local", content: "It is so." });
  });

  it("is nobody's where nothing grounds an answer", async () => {
    await it_.local.device();
    await offline();
    await it_.conversation.ask("unheard of: go on");
    expect(last()).toMatchObject({ source: "fallback" });
  });

  it("stops when the visitor does; what was written of it stays, as the device's", async () => {
    await it_.local.device();
    await offline();
    engine.generate = async function* (_messages, _options, signal) {
      yield { text: "Half", logprobs: [] };
      await new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason)),
      );
    };
    const asking = it_.conversation.ask(QUESTION);
    await vi.waitFor(() => expect(it_.state.live.value?.text).toBe("Half"));
    it_.conversation.stop();
    await asking;
    expect(last()).toMatchObject({ content: "Half", source: "local", stopped: true });
  });

  it("is answered by others where the code cannot be fetched", async () => {
    const bare = panel();
    bare.loadPack();
    bare.state.engine.value = "kept";
    await bare.conversation.ask(QUESTION);
    expect(bare.state.entries.value.at(-1)).toMatchObject({ source: "fallback" });
  });
});

describe("an engine that fails", () => {
  beforeEach(() => {
    gpu = new TestEngine();
    gpu.says = ["From the GPU."];
    gpuKept = ALL;
  });

  it("comes first where its form is kept, and answers", async () => {
    await it_.local.device();
    await offline();
    await it_.conversation.ask(QUESTION);
    expect(last()).toMatchObject({ content: "From the GPU.", source: "local" });
    expect(engine.loads).toBe(0);
  });

  it("is followed by the next one where its library is missing", async () => {
    Object.assign(gpu ?? {}, { fails: new EngineError("library", "MissingModelWasmError") });
    const device = await it_.local.device();
    await offline();
    await it_.conversation.ask(QUESTION);
    expect(last()).toMatchObject({ content: "It is so.", source: "local" });
    expect(device.fell.value).toMatchObject({ reason: "library" });
    expect(device.way.value?.name).toBe("wllama");
  });

  it("leaves the next form to the visitor's word where it is not here", async () => {
    Object.assign(gpu ?? {}, { fails: new EngineError("library", "no") });
    kept = { done: 0, total: 0 };
    await it_.local.device();
    await offline();
    await it_.conversation.ask(QUESTION);
    expect(last()).toMatchObject({ source: "fallback" });
    expect(await steps()).toEqual({ step: "absent" });
    expect(coming).toBeUndefined();
  });

  it.each([
    [1, "From the GPU.", "webllm", 2],
    [2, "It is so.", "wllama", 2],
  ])("whose processor was lost %i times: the answer is %s", async (losses, says, name, loads) => {
    const test = gpu as TestEngine;
    const generate = test.generate.bind(test);
    let lost = 0;
    test.generate = async function* (...given) {
      if (lost < losses) {
        lost += 1;
        yield { text: "Half a", logprobs: [] };
        throw new EngineError("lost", "the device was lost");
      }
      yield* generate(...given);
    };
    const device = await it_.local.device();
    await offline();
    await it_.conversation.ask(QUESTION);
    expect(last()).toMatchObject({ content: says, source: "local" });
    expect(device.way.value?.name).toBe(name);
    expect(test.loads).toBe(loads);
  });
});

describe("an engine that gets stuck", () => {
  beforeEach(() => {
    gpu = new TestEngine();
    gpu.stuck = true;
    gpuKept = ALL;
  });

  it("is forgiven once, and then followed by the next one", async () => {
    const device = await it_.local.device();
    await offline();
    await it_.conversation.ask(QUESTION);
    expect(last()).toMatchObject({ source: "fallback" });
    expect(device.way.value?.name).toBe("webllm");
    await it_.conversation.ask(QUESTION);
    expect(device.fell.value).toMatchObject({ reason: "timeout" });
    await it_.conversation.ask(QUESTION);
    expect(last()).toMatchObject({ content: "It is so.", source: "local" });
    expect(device.way.value?.name).toBe("wllama");
  });

  it("is not blamed for a prompt that is too long", async () => {
    const device = await it_.local.device();
    const test = gpu as TestEngine;
    test.generate = async function* () {
      yield* [];
      throw new EngineError("context", "too long");
    };
    await offline();
    for (let time = 0; time < 3; time += 1) await it_.conversation.ask(QUESTION);
    expect(device.fell.value).toBeUndefined();
    expect(device.way.value?.name).toBe("webllm");
  });
});

describe("the model's memory", () => {
  it("is not taken on a low battery while the gateway answers", async () => {
    await it_.local.device();
    it_.state.around.value = { battery: 0.12 };
    it_.gateway.answers.set("/v1/chat", () => sse([done({ reply: "Sure.", confidence: 0.9 })]));
    it_.knowledge.ask = async () => unknown("cloud");
    await it_.conversation.ask("anything");
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(engine.loads).toBe(0);
    it_.state.around.value = { battery: null };
    await vi.waitFor(() => expect(engine.loads).toBe(1));
  });

  it("is taken when the network goes, and given back when nobody has looked for long", async () => {
    await it_.local.device();
    expect(engine.loads).toBe(0);
    vi.useFakeTimers();
    await offline();
    await vi.waitFor(() => expect(it_.state.engine.value).toBe("ready"));
    await vi.advanceTimersByTimeAsync(IDLE_MS);
    expect(engine.unloads).toBe(0);
    it_.state.visible.value = false;
    await vi.advanceTimersByTimeAsync(IDLE_MS);
    expect(engine.unloads).toBe(1);
    expect(it_.state.engine.value).toBe("kept");
  });

  it("is not taken where something of the model is missing: that is said", async () => {
    opened = async () => {
      throw new WeightsError("storage", "2 blocks are missing");
    };
    kept = { done: 1e6, total: MODEL.bytes };
    it_.state.engine.value = "kept";
    const device = await it_.local.device();
    device.step.value = { step: "kept" };
    await offline();
    await vi.waitFor(async () =>
      expect(await steps()).toMatchObject({ step: "failed", why: "storage", done: 1e6 }),
    );
  });
});

describe("the sheet", () => {
  let root: HTMLElement;
  const shown = () => root.textContent ?? "";

  function press(words: string): void {
    const all = [...root.querySelectorAll("button")];
    const found = all.find(({ textContent }) => textContent === words);
    if (!found) throw new Error(`no ${words} in ${shown()}`);
    found.click();
  }

  async function open(): Promise<void> {
    root = document.createElement("div");
    document.body.append(root);
    HTMLDialogElement.prototype.showModal ??= () => undefined;
    const icon = document.createElement("link");
    document.head.append(icon);
    render(<Panel services={{ ...it_, close: undefined }} />, root);
    it_.state.opened.value = "device";
    await vi.waitFor(() => expect(shown()).toContain("Small"));
  }

  beforeEach(() => {
    kept = { done: 0, total: 0 };
  });

  afterEach(() => {
    render(null, root);
    root.remove();
  });

  it("offers it with its size; the visitor's no fetches nothing", async () => {
    it_.memory.wantModel(undefined);
    await open();
    expect(shown()).toContain("Small: 145 MB to download");
    press("No, thank you");
    expect(coming).toBeUndefined();
    expect(it_.state.model.value).toBeUndefined();
  });

  it("downloads on the visitor's word, pauses, goes on, and deletes", async () => {
    await open();
    press("Download 145 MB");
    await vi.waitFor(() => expect(coming).toBeDefined());
    expect(it_.state.engine.value).toBe("loading");
    coming.told({ done: 29e6, total: 145e6 });
    await vi.waitFor(() => expect(shown()).toContain("29 MB of 145 MB"));
    press("Pause");
    await vi.waitFor(() => expect(shown()).toContain("Paused at 29 MB of 145 MB."));
    expect(coming.signal.aborted).toBe(true);
    press("Go on");
    await vi.waitFor(() => expect(coming.signal.aborted).toBe(false));
    coming.end();
    await vi.waitFor(() => expect(shown()).toContain(en.kept));
    expect(dropped).toEqual(["a"]);
    expect(JSON.parse(it_.storage.getItem("fanlight.consent.v1:site_demo") ?? "{}").model).toBe(
      "small",
    );
    press(en.remove);
    await vi.waitFor(() => expect(shown()).toContain("Download 145 MB"));
    expect(dropped).toEqual(["a", undefined]);
    expect(it_.state.model.value).toBeUndefined();
  });

  it.each([
    ["quota", en["why.quota"]],
    ["tampered", en["why.tampered"]],
    ["gone", en["why.gone"]],
  ] as const)("says why it failed: %s", async (reason, words) => {
    await open();
    press("Download 145 MB");
    await vi.waitFor(() => expect(coming.signal.aborted).toBe(false));
    coming.end(new WeightsError(reason, "no"));
    await vi.waitFor(() => expect(shown()).toContain(words));
    expect(shown().includes(en.again)).toBe(reason !== "gone");
  });

  it("is paused at once while its engine is still being stored, and goes on", async () => {
    stored = () => new Promise(() => undefined);
    await open();
    press("Download 145 MB");
    await vi.waitFor(() => expect(shown()).toContain(en.fetching));
    press("Pause");
    await vi.waitFor(() => expect(shown()).toContain("Paused at 0 MB of 145 MB."));
    stored = async () => undefined;
    press("Go on");
    await vi.waitFor(() => expect(coming).toBeDefined());
    coming.end();
    await vi.waitFor(() => expect(shown()).toContain(en.kept));
  });

  it("is downloaded anew right after it was deleted", async () => {
    stored = () => new Promise(() => undefined);
    await open();
    press("Download 145 MB");
    await vi.waitFor(() => expect(shown()).toContain(en.fetching));
    press(en.remove);
    await vi.waitFor(() => expect(shown()).toContain("Download 145 MB"));
    stored = async () => undefined;
    press("Download 145 MB");
    await vi.waitFor(() => expect(coming).toBeDefined());
    expect(dropped).toEqual([undefined]);
    coming.end();
    await vi.waitFor(() => expect(shown()).toContain(en.kept));
  });

  it("goes on by itself when the network is back", async () => {
    await open();
    press("Download 145 MB");
    await vi.waitFor(() => expect(coming.signal.aborted).toBe(false));
    const before = coming;
    await offline();
    before.end(new WeightsError("network", "cut"));
    await vi.waitFor(() => expect(shown()).toContain(en["why.network"]));
    it_.browser.online = true;
    it_.network.refresh();
    await vi.waitFor(() => expect(coming).not.toBe(before));
  });

  it("warns where data is saved, and asks for memory where there is none", async () => {
    vi.stubGlobal("navigator", Object.assign(navigator, { connection: { saveData: true } }));
    it_.memory.wantModel(undefined);
    it_.state.consent.value = { memory: false, training: false };
    await open();
    expect(shown()).toContain(en.memory);
    press(en.remember);
    await vi.waitFor(() => expect(shown()).toContain("Download 145 MB anyway"));
    expect(shown()).toContain(en.metered);
    Object.assign(navigator, { connection: undefined });
  });

  it("lists what the site offers; another is chosen, and stays one only where it is taken", async () => {
    several = true;
    it_.memory.wantModel("small");
    await open();
    const radios = () => [...root.querySelectorAll<HTMLInputElement>('input[type="radio"]')];
    await vi.waitFor(() => expect(radios().map(({ checked }) => checked)).toEqual([true, false]));
    radios()[1]?.click();
    await vi.waitFor(() => expect(shown()).toContain("Large: 900 MB to download"));
    const device = await it_.local.device();
    expect(device.model.id).toBe("large");
    it_.state.opened.value = undefined;
    await vi.waitFor(() => expect(device.model.id).toBe("small"));
    it_.state.opened.value = "device";
    await vi.waitFor(() => expect(radios()).toHaveLength(2));
    radios()[1]?.click();
    await vi.waitFor(() => expect(device.step.value.step).toBe("absent"));
    await vi.waitFor(() => expect(device.model.id).toBe("large"));
    void device.fetch();
    await vi.waitFor(() => expect(it_.state.model.value).toBe("large"));
    await device.turnTo("small");
    expect(device.model.id).toBe("large");
  });

  it("says of each model what it would bring: the form of the engine that would run it", async () => {
    several = true;
    gpu = new TestEngine();
    it_.memory.wantModel("small");
    await open();
    const labels = () => [...root.querySelectorAll("fieldset.models label")].map(textOf);
    await vi.waitFor(() => expect(labels()).toEqual(["Small · 77 MB", "Large · 77 MB"]));
    expect(shown()).toContain("Small: 77 MB to download");
  });

  it("says which power and which network count now", async () => {
    it_.state.around.value = { battery: 0.12, data_saver: true, metered: true, network: "slow" };
    it_.state.routed.value = ["no_cloud_model"];
    await open();
    await vi.waitFor(() => expect(shown()).toContain("On battery at 12%"));
    for (const code of ["data_saver", "metered", "slow_network", "no_cloud_model"] as const) {
      expect(shown()).toContain(en[`route.${code}`]);
    }
  });

  it("does not go on by itself where the visitor may pay for it", async () => {
    it_.state.around.value = { metered: true };
    await open();
    press("Download 145 MB anyway");
    await vi.waitFor(() => expect(coming?.signal.aborted).toBe(false));
    const before = coming;
    await offline();
    before.end(new WeightsError("network", "cut"));
    await vi.waitFor(() => expect(shown()).toContain(en["why.network"]));
    it_.browser.online = true;
    it_.network.refresh();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(coming).toBe(before);
  });

  it("says that this device cannot run it", async () => {
    unfit = "memory";
    await open();
    expect(shown()).toContain(en["unfit.memory"]);
    expect(it_.state.engine.value).toBe("none");
  });

  it("is in the visitor's language", async () => {
    await it_.memory.chooseLocale("es");
    await open();
    await vi.waitFor(() => expect(shown()).toContain(es.lead));
  });
});

describe("taking consent back", () => {
  it("deletes the model too", async () => {
    await it_.local.device();
    await it_.memory.forget();
    await vi.waitFor(async () => expect(await steps()).toEqual({ step: "absent" }));
    expect(dropped).toEqual([undefined]);
  });
});

describe("what is said", () => {
  it("is there in every language, with the same names", () => {
    const names = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
    for (const words of [es, he]) {
      expect(Object.keys(words)).toEqual(Object.keys(en));
      for (const [key, text] of Object.entries(en)) {
        expect(names(words[key as keyof typeof en])).toEqual(names(text));
      }
    }
  });

  it("has sizes and times as people read them", () => {
    expect(size(144_811_072, "en")).toBe("145 MB");
    expect(size(2_300_000, "en")).toBe("2.3 MB");
    expect(size(1_500_000_000, "en")).toBe("1.5 GB");
    expect(duration(12.4, "en")).toBe("12 seconds");
    expect(duration(0.2, "en")).toBe("1 second");
    expect(duration(150, "en")).toBe("3 minutes");
  });

  it("has a rate once there is enough to tell", () => {
    let now = 0;
    const pace = new PaceMeter(() => now);
    expect(pace.at(0, 100)).toEqual({ rate: undefined, left: undefined });
    now = 2000;
    expect(pace.at(20, 100)).toEqual({ rate: 10, left: 8 });
    now = 9000;
    expect(pace.at(20, 100)).toEqual({ rate: undefined, left: undefined });
  });
});
