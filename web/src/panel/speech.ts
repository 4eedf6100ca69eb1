/**
 * Answers read aloud, by a voice of this device.
 *
 * Decides: which voice speaks a language, and what of Markdown is said. Refuses: a voice that sends the text to a
 * server: nothing leaves the device for it.
 */
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";

/** What is taken from the browser, which may have none of it. */
export interface Speech {
  readonly synthesis: SpeechSynthesis;
  readonly utter: (text: string) => SpeechSynthesisUtterance;
}

/** The browser's own, where it has it. */
export function browserSpeech(): Speech | undefined {
  if (!("speechSynthesis" in globalThis)) return undefined;
  return { synthesis: speechSynthesis, utter: (text) => new SpeechSynthesisUtterance(text) };
}

function language(tag: string): string {
  return tag.toLowerCase().split(/[-_]/)[0] ?? "";
}

/** A voice of this device for a language: the one of the same region first. */
export function voiceFor(
  voices: readonly SpeechSynthesisVoice[],
  locale: string,
): SpeechSynthesisVoice | undefined {
  const own = voices.filter(
    ({ lang, localService }) => localService && language(lang) === language(locale),
  );
  return own.find(({ lang }) => lang.toLowerCase() === locale.toLowerCase()) ?? own[0];
}

/** Markdown as it is said: the words of links, no marks, no code. */
export function spoken(markdown: string): string {
  return markdown
    .replace(/```[\s\S]*?(?:```|$)/g, " ")
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/^[ \t]*(?:[#>]+|[-*+]|\d+\.)[ \t]+/gm, "")
    .replace(/[*_`~|]+/g, "")
    .trim();
}

export class Speaker {
  readonly #speaking: Signal<string | undefined> = signal(undefined);
  readonly #voices = signal<readonly SpeechSynthesisVoice[]>([]);

  constructor(private readonly speech: Speech | undefined = browserSpeech()) {
    const read = () => {
      this.#voices.value = speech?.synthesis.getVoices() ?? [];
    };
    read();
    // Chromium knows its voices only later.
    speech?.synthesis.addEventListener?.("voiceschanged", read);
  }

  /** The id of what is being read. */
  get speaking(): ReadonlySignal<string | undefined> {
    return this.#speaking;
  }

  /** Whether this device has a voice for a language. */
  can(locale: string): boolean {
    return voiceFor(this.#voices.value, locale) !== undefined;
  }

  /** Reads a text; what is being read stops, and the same one again only stops. */
  toggle(id: string, markdown: string, locale: string): void {
    const { speech } = this;
    const voice = voiceFor(this.#voices.value, locale);
    const stopped = this.#speaking.value;
    this.stop();
    if (!speech || !voice || stopped === id) return;
    const said = speech.utter(spoken(markdown));
    said.voice = voice;
    said.lang = voice.lang;
    const over = () => {
      if (this.#speaking.value === id) this.#speaking.value = undefined;
    };
    said.addEventListener("end", over);
    said.addEventListener("error", over);
    this.#speaking.value = id;
    speech.synthesis.speak(said);
  }

  stop(): void {
    this.#speaking.value = undefined;
    this.speech?.synthesis.cancel();
  }
}
