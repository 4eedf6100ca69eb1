/** The words of the room, in the language that was chosen for it and the figures. */

import { PERSONALITY_WORDS, type PersonalityWords } from "../../personality/words";
import { useConsole } from "../context";

export function usePersonalityWords(): PersonalityWords {
  return PERSONALITY_WORDS[useConsole().figures.language.value];
}
