/** Reading aloud: by a voice of the device alone, one text at a time. */
import { describe, expect, it } from "vitest";
import { Speaker, type Speech, spoken, voiceFor } from "../../src/panel/speech.ts";

function voice(lang: string, localService = true): SpeechSynthesisVoice {
  return { lang, localService, name: lang, default: false, voiceURI: lang };
}

class Utterance extends EventTarget {
  voice: SpeechSynthesisVoice | null = null;
  lang = "";

  constructor(readonly text: string) {
    super();
  }
}

function device(...voices: SpeechSynthesisVoice[]) {
  const said: Utterance[] = [];
  let cancelled = 0;
  const synthesis = Object.assign(new EventTarget(), {
    getVoices: () => voices,
    speak: (utterance: Utterance) => said.push(utterance),
    cancel: () => {
      cancelled += 1;
    },
  });
  const utter = (text: string) => new Utterance(text);
  const speech = { synthesis, utter } as unknown as Speech;
  return { said, speech, synthesis, voices, cancelled: () => cancelled };
}

describe("a voice", () => {
  it.each([
    ["es", ["en-GB", "es-MX"], "es-MX"],
    ["es-ES", ["es-MX", "es-ES"], "es-ES"],
    ["he", ["en-GB"], undefined],
  ])("for %s of %j is %s", (locale, tags, found) => {
    expect(
      voiceFor(
        tags.map((tag) => voice(tag)),
        locale,
      )?.lang,
    ).toBe(found);
  });

  it("that sends the text to a server is none", () => {
    expect(voiceFor([voice("en-US", false)], "en")).toBeUndefined();
  });
});

describe("what is said", () => {
  it.each([
    ["The **answer**, see [the guide](https://x.example).", "The answer, see the guide."],
    ["# Title\n\n- one\n- `two`\n\n```\ncode()\n```", "Title\n\none\ntwo"],
  ])("of %j is its words", (markdown, words) => {
    expect(spoken(markdown)).toBe(words);
  });
});

describe("a speaker", () => {
  it("reads one text at a time, and stops when asked again", () => {
    const { said, speech, cancelled } = device(voice("en-GB"));
    const speaker = new Speaker(speech);
    speaker.toggle("a", "One.", "en");
    speaker.toggle("b", "**Two.**", "en");
    expect(said.map(({ text, lang }) => [text, lang])).toEqual([
      ["One.", "en-GB"],
      ["Two.", "en-GB"],
    ]);
    expect(speaker.speaking.value).toBe("b");
    said[0]?.dispatchEvent(new Event("end"));
    expect(speaker.speaking.value).toBe("b");
    speaker.toggle("b", "**Two.**", "en");
    expect(speaker.speaking.value).toBeUndefined();
    expect([said.length, cancelled()]).toEqual([2, 3]);
  });

  it("is done when the text is", () => {
    const { said, speech } = device(voice("en-GB"));
    const speaker = new Speaker(speech);
    speaker.toggle("a", "One.", "en");
    said[0]?.dispatchEvent(new Event("end"));
    expect(speaker.speaking.value).toBeUndefined();
  });

  it("learns of voices that come later", () => {
    const { speech, synthesis, voices } = device();
    const speaker = new Speaker(speech);
    expect(speaker.can("en")).toBe(false);
    voices.push(voice("en-GB"));
    synthesis.dispatchEvent(new Event("voiceschanged"));
    expect(speaker.can("en")).toBe(true);
  });

  it("without a voice says nothing", () => {
    const { said, speech } = device(voice("en-GB"));
    new Speaker(speech).toggle("a", "Uno.", "es");
    new Speaker(undefined).toggle("a", "Uno.", "es");
    expect(said).toEqual([]);
  });
});
