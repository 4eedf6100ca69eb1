/**
 * What the visitor says, taken down by the browser.
 *
 * Decides: that it is done on this device where the browser can, and what went wrong in words that can be said. Refuses: to
 * send anything: what was heard is text in a field, like text that was typed.
 */
import type { Locale } from "../i18n/locale.ts";
import type { StringKey } from "../i18n/strings.ts";

interface Heard {
  readonly results: ArrayLike<ArrayLike<{ readonly transcript: string }>>;
}

/** As far as it is used; TypeScript's own library does not know it. */
export interface Recognition extends EventTarget {
  lang: string;
  interimResults: boolean;
  processLocally?: boolean;
  start(): void;
  stop(): void;
  abort(): void;
}

interface Query {
  readonly langs: readonly string[];
  readonly processLocally: boolean;
}

export interface RecognitionMaker {
  new (): Recognition;
  /** Of newer browsers: whether they can do it on this device. */
  available?(query: Query): Promise<string>;
}

export interface Hearing {
  /** All that was understood so far. */
  readonly heard: (text: string) => void;
  readonly over: (trouble: StringKey | undefined) => void;
}

const REGIONS: Readonly<Record<Locale, string>> = { en: "en-US", es: "es-ES", he: "he-IL" };
const TROUBLES: Readonly<Record<string, StringKey | undefined>> = {
  aborted: undefined,
  "not-allowed": "voice.denied",
  "service-not-allowed": "voice.denied",
  "audio-capture": "voice.denied",
  "no-speech": "voice.silence",
  network: "voice.network",
  "language-not-supported": "voice.language",
};

/** The visitor's own kind of a language, where the browser says which. */
export function spokenIn(locale: Locale, languages: readonly string[]): string {
  return languages.find((one) => one.toLowerCase().startsWith(`${locale}-`)) ?? REGIONS[locale];
}

/** Whether this device does it alone: then no sound leaves it. */
export async function hearsHere(maker: RecognitionMaker, lang: string): Promise<boolean> {
  try {
    const answer = await maker.available?.({ langs: [lang], processLocally: true });
    return answer === "available";
  } catch {
    return false;
  }
}

/** Listens once, until the visitor pauses; what it gives ends that. */
export function listen(
  made: Recognition,
  lang: string,
  here: boolean,
  { heard, over }: Hearing,
): () => void {
  let trouble: StringKey | undefined;
  made.lang = lang;
  made.interimResults = true;
  if (here) made.processLocally = true;
  made.addEventListener("result", (event) => {
    const { results } = event as unknown as Heard;
    heard(Array.from(results, (result) => result[0]?.transcript ?? "").join(""));
  });
  made.addEventListener("error", (event) => {
    const { error } = event as unknown as { readonly error: string };
    trouble = error in TROUBLES ? TROUBLES[error] : "voice.failed";
  });
  made.addEventListener("end", () => over(trouble));
  try {
    made.start();
  } catch {
    over("voice.failed");
  }
  return () => made.stop();
}
