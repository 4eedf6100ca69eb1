// @vitest-environment happy-dom
/** Speaking a question: asked for once, taken down by the browser, sent by nobody but the visitor. */
import { render } from "preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { hearsHere, type RecognitionMaker, spokenIn } from "../../src/panel/listening.ts";
import { recogniser } from "../../src/panel/recognition.ts";
import { Panel } from "../../src/panel/views/panel.tsx";
import { CONFIG, type Harness, panel } from "./panel.ts";

/** The browser's own, with a voice that the test has. */
class Recognition extends EventTarget {
  static made: Recognition[] = [];
  static local = "unavailable";
  static broken = false;
  static async available(): Promise<string> {
    return Recognition.local;
  }
  lang = "";
  interimResults = false;
  processLocally = false;
  stopped = 0;
  constructor() {
    super();
    Recognition.made.push(this);
  }
  start(): void {
    if (Recognition.broken) throw new DOMException("started", "InvalidStateError");
  }
  stop(): void {
    this.stopped += 1;
    this.dispatchEvent(new Event("end"));
  }
  hear(...texts: readonly string[]): void {
    const results = texts.map((transcript) => [{ transcript }]);
    this.dispatchEvent(Object.assign(new Event("result"), { results }));
  }
  fail(error: string): void {
    this.dispatchEvent(Object.assign(new Event("error"), { error }));
    this.dispatchEvent(new Event("end"));
  }
}

let it_: Harness;
let root: HTMLElement;

const field = () => root.querySelector("textarea") as HTMLTextAreaElement;
const microphone = () => root.querySelector<HTMLButtonElement>(".microphone");
const note = () => root.querySelector("fieldset.voice");
const status = () => root.querySelector("p.voice")?.textContent;
const newest = () => Recognition.made.at(-1) as Recognition;

async function mount(voice = true): Promise<void> {
  it_ = panel({ config: { ...CONFIG, voice } });
  root = document.createElement("div");
  document.body.append(root);
  await it_.memory.accept(false);
  render(<Panel services={{ ...it_, close: undefined }} />, root);
  await vi.waitFor(() => expect(document.activeElement === field()).toBe(true));
}

/** Presses the microphone, and agrees where it asks. */
async function speak(): Promise<Recognition> {
  const before = Recognition.made.length;
  await vi.waitFor(() => microphone()?.click());
  await vi.waitFor(() => expect(note() ?? Recognition.made[before]).toBeTruthy());
  note()?.querySelector("button")?.click();
  await vi.waitFor(() => expect(microphone()?.getAttribute("aria-pressed")).toBe("true"));
  return newest();
}

beforeEach(() => {
  Object.assign(Recognition, { made: [], local: "unavailable", broken: false });
  vi.stubGlobal("webkitSpeechRecognition", Recognition);
});

afterEach(() => {
  render(null, root);
  root.remove();
  vi.unstubAllGlobals();
});

describe("the microphone", () => {
  it("is there only where site and browser have it", async () => {
    await mount(false);
    expect(microphone()).toBeNull();
    render(null, root);
    vi.stubGlobal("webkitSpeechRecognition", undefined);
    await mount();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(microphone()).toBeNull();
    expect(recogniser()).toBeUndefined();
  });

  it("says where the sound may go before it goes there, once", async () => {
    await mount();
    await vi.waitFor(() => microphone()?.click());
    await vi.waitFor(() => expect(note()?.textContent).toContain("the browser’s maker"));
    expect(Recognition.made).toEqual([]);
    note()?.querySelectorAll("button")[1]?.click();
    await vi.waitFor(() => expect(note()).toBeNull());
    expect(Recognition.made).toEqual([]);
    (await speak()).stop();
    await vi.waitFor(() => expect(microphone()?.getAttribute("aria-pressed")).toBe("false"));
    microphone()?.click();
    await vi.waitFor(() => expect(Recognition.made).toHaveLength(2));
    expect(note()).toBeNull();
    expect(it_.storage.getItem("fanlight.consent.v1:site_demo")).toContain('"voice":true');
  });

  it("keeps the word only where keeping is allowed", async () => {
    await mount();
    await it_.memory.forget();
    await speak();
    expect(it_.state.voice.value).toBe(true);
    expect(it_.storage.length).toBe(0);
  });

  it("asks nothing where the device does it alone", async () => {
    Recognition.local = "available";
    await mount();
    const made = await speak();
    expect(made.processLocally).toBe(true);
    expect(it_.state.voice.value).toBe(false);
  });
});

describe("what is said", () => {
  it("stands in the field, after what was there, and is not sent", async () => {
    await mount();
    it_.state.draft.value = { text: "Please:" };
    const made = await speak();
    expect(made.interimResults).toBe(true);
    made.hear("when do you");
    made.hear("when do you ", "open");
    await vi.waitFor(() => expect(field().value).toBe("Please: when do you open"));
    made.stop();
    await vi.waitFor(() => expect(microphone()?.getAttribute("aria-pressed")).toBe("false"));
    expect(it_.state.entries.value).toEqual([]);
    expect(document.activeElement === field()).toBe(true);
  });

  it("is as long as a question may be", async () => {
    await mount();
    (await speak()).hear("a".repeat(5000));
    await vi.waitFor(() => expect(field().value).toHaveLength(4000));
  });

  it("ends when the visitor types instead", async () => {
    await mount();
    const made = await speak();
    made.hear("when");
    await vi.waitFor(() => expect(field().value).toBe("when"));
    field().value = "when?";
    field().dispatchEvent(new Event("input", { bubbles: true }));
    await vi.waitFor(() => expect(made.stopped).toBeGreaterThan(0));
  });

  it("ends on Escape, which leaves the panel open", async () => {
    await mount();
    const made = await speak();
    const event = new KeyboardEvent("keydown", { key: "Escape", cancelable: true, bubbles: true });
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "a", bubbles: true }));
    expect(made.stopped).toBe(0);
    document.body.dispatchEvent(event);
    expect(event.defaultPrevented).toBe(true);
    await vi.waitFor(() => expect(made.stopped).toBeGreaterThan(0));
  });

  it("ends when nobody sees the panel, by the button, and with the panel", async () => {
    await mount();
    const first = await speak();
    it_.state.visible.value = false;
    await vi.waitFor(() => expect(first.stopped).toBeGreaterThan(0));
    it_.state.visible.value = true;
    const second = await speak();
    microphone()?.click();
    await vi.waitFor(() => expect(second.stopped).toBeGreaterThan(0));
    const third = await speak();
    render(null, root);
    await vi.waitFor(() => expect(third.stopped).toBeGreaterThan(0));
  });
});

describe("what goes wrong", () => {
  it.each([
    ["not-allowed", "microphone is not allowed"],
    ["service-not-allowed", "microphone is not allowed"],
    ["no-speech", "Nothing was heard"],
    ["network", "speech service cannot be reached"],
    ["language-not-supported", "in this language"],
    ["bad-grammar", "That did not work"],
  ])("%s is said in words", async (error, words) => {
    await mount();
    (await speak()).fail(error);
    await vi.waitFor(() => expect(status()).toContain(words));
    expect(microphone()?.getAttribute("aria-pressed")).toBe("false");
  });

  it("is not said where the visitor ended it", async () => {
    await mount();
    (await speak()).fail("aborted");
    await vi.waitFor(() => expect(microphone()?.getAttribute("aria-pressed")).toBe("false"));
    expect(status()).toBeUndefined();
  });

  it("is said where the browser does not begin", async () => {
    await mount();
    Recognition.broken = true;
    it_.state.voice.value = true;
    await vi.waitFor(() => microphone()?.click());
    await vi.waitFor(() => expect(status()).toContain("That did not work"));
  });
});

describe("the language that is spoken", () => {
  it.each([
    ["en", ["en-GB", "en-US"], "en-GB"],
    ["es", ["en-GB"], "es-ES"],
    ["he", ["he"], "he-IL"],
  ] as const)("%s with %j is %s", (locale, languages, expected) => {
    expect(spokenIn(locale, languages)).toBe(expected);
  });

  it("is heard here only where the browser says so", async () => {
    const maker = Recognition as unknown as RecognitionMaker;
    expect(await hearsHere(maker, "en-GB")).toBe(false);
    Recognition.local = "downloadable";
    expect(await hearsHere(maker, "en-GB")).toBe(false);
    Recognition.local = "available";
    expect(await hearsHere(maker, "en-GB")).toBe(true);
    const failing = { available: () => Promise.reject(new Error("no")) };
    expect(await hearsHere(failing as unknown as RecognitionMaker, "en-GB")).toBe(false);
    expect(await hearsHere(class {} as unknown as RecognitionMaker, "en-GB")).toBe(false);
  });
});
