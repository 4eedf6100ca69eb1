/** The languages of the room; which of them is shown is chosen once for this room and the figures. */

import type { Language } from "../../figures/words";
import { en, type PersonalityWords } from "./en";
import { es } from "./es";
import { he } from "./he";

export type { PersonalityWords };

export const PERSONALITY_WORDS: Readonly<Record<Language, PersonalityWords>> = { en, es, he };
