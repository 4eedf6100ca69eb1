/** What a field's value is called; one that nobody here knows is shown, made readable. */

import type { Form } from "../../personality/form";
import type { PersonalityWords } from "../../personality/words";
import { readable } from "../../words";

export function optionWord(words: PersonalityWords, field: string, value: string): string {
  return words.words[field]?.[value] ?? readable(value);
}

export function labelOf(words: PersonalityWords, field: string): string {
  return words.fields[field]?.[0] ?? readable(field.split(".").at(-1) ?? field);
}

export function hintOf(words: PersonalityWords, field: string): string {
  return words.fields[field]?.[1] ?? "";
}

/** The value of a choice or a flag as a word; "" where nothing is said. */
export function heldBy(form: Form, field: string): string {
  const value = form[field];
  return value === undefined ? "" : String(value);
}
