/** The words of the figures, in the language that was chosen for them. */

import { type FigureWords, LANGUAGES } from "../../figures/words";
import { useConsole } from "../context";

export function useFigureWords(): FigureWords {
  return LANGUAGES[useConsole().figures.language.value];
}
