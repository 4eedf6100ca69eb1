/**
 * The languages of the figures.
 *
 * Decides: the console's own language unless another was chosen for this page, which is remembered.
 */

import { en, type FigureWords } from "./en";
import { es } from "./es";
import { he } from "./he";

export type { FigureWords };

export const LANGUAGES = { en, es, he };
export type Language = keyof typeof LANGUAGES;

const KEPT = "fanlight.console.figures.language";

export function chosenLanguage(kept: Pick<Storage, "getItem"> | null): Language {
  const said = kept?.getItem(KEPT) ?? "";
  return Object.hasOwn(LANGUAGES, said) ? (said as Language) : "en";
}

export function keepLanguage(kept: Pick<Storage, "setItem"> | null, language: Language): void {
  try {
    kept?.setItem(KEPT, language);
  } catch {
    // storage is full or refused: the choice holds until the page is closed
  }
}
