/** The words of the room, in the language that was chosen for it and the figures. */

import { PERSONALITY_WORDS, type PersonalityWords } from "../../personality/words";
import { useConsole } from "../context";

export function usePersonalityWords(): PersonalityWords {
  return PERSONALITY_WORDS[useConsole().figures.language.value];
}

/** The `lang` and `dir` of what is told in them. */
export function useSpoken(): { readonly lang: string; readonly dir: "ltr" | "rtl" } {
  const { locale, dir } = usePersonalityWords();
  return { lang: locale.slice(0, 2), dir };
}
