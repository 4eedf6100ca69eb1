/**
 * A personality as it is being written, as values: no signal, no call.
 *
 * Decides: how a document of sections becomes one flat form and back, what must be mended before it can be saved,
 * and whether it differs from what is kept. What is not said is not sent. How long a text may be, the gateway says.
 * Refuses: to drop what it has no field for: a choice that a later gateway knows stays as it is.
 */

/** What a field holds, by its dotted name; a list is a text with a line for each. */
export type Form = Readonly<Record<string, string | boolean>>;
export type Document = Readonly<Record<string, unknown>>;

/** How many letters a text may have, by its field. */
export type Limits = Readonly<Record<string, number>>;

export interface Flaw {
  readonly field: string;
  readonly about: "missing" | "long" | "long_line" | "many" | "told";
  /** The most that there may be; of what was told, nothing. */
  readonly most: number;
  readonly detail: string;
}

export const NAME = "identity.name";
export const LISTS: readonly string[] = ["identity.expertise", "personality_traits"];

export const BLANK: Form = { [NAME]: "" };

/** Sections that a document always has. */
const SECTIONS = ["identity", "communication", "response_behavior", "memory_usage"];

/** These say something only where they are set: off is the same as not said. */
const ONLY_ON: readonly string[] = [
  "communication.use_analogies",
  "communication.use_examples",
  "response_behavior.show_reasoning",
  "response_behavior.step_by_step",
];

export function formOf(document: Document): Form {
  const form: Record<string, string | boolean> = { ...BLANK };
  const put = (name: string, value: unknown): void => {
    if (Array.isArray(value)) form[name] = value.map(String).join("\n");
    else if (typeof value === "string" || typeof value === "boolean") form[name] = value;
  };
  for (const [section, held] of Object.entries(document)) {
    const nested = typeof held === "object" && held !== null && !Array.isArray(held);
    if (!nested) put(section, held);
    else for (const [key, value] of Object.entries(held)) put(`${section}.${key}`, value);
  }
  return form;
}

/** What is sent: in sections, without what is empty. */
export function documentOf(form: Form): Document {
  const made: Record<string, Record<string, unknown> | unknown> = {};
  for (const section of SECTIONS) made[section] = {};
  for (const [name, value] of Object.entries(tidy(form))) {
    const [section = "", key] = name.split(".");
    if (key === undefined) made[section] = value;
    else made[section] = { ...(made[section] as object | undefined), [key]: value };
  }
  return made;
}

export function same(one: Form, other: Form): boolean {
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

/** What must be mended before it can be saved. */
export function flaws(form: Form, limits: Limits, mostTexts: number): readonly Flaw[] {
  const found: Flaw[] = [];
  if (written(form, NAME) === "") found.push(flaw(NAME, "missing", 0));
  for (const [field, most] of Object.entries(limits)) {
    if (LISTS.includes(field)) {
      const lines = linesOf(written(form, field));
      if (lines.length > mostTexts) found.push(flaw(field, "many", mostTexts));
      else if (lines.some((line) => letters(line) > most)) {
        found.push(flaw(field, "long_line", most));
      }
    } else if (letters(written(form, field)) > most) found.push(flaw(field, "long", most));
  }
  return found;
}

/** How many letters are left; below none where there are too many. */
export function left(form: Form, field: string, most: number): number {
  return most - letters(written(form, field));
}

/** A field with another value; without it where that says nothing. */
export function withField(form: Form, name: string, value: string | boolean): Form {
  if (value !== "" || name === NAME) return { ...form, [name]: value };
  const { [name]: _, ...rest } = form;
  return rest;
}

export function written(form: Form, name: string): string {
  const value = form[name];
  return typeof value === "string" ? value.trim() : "";
}

export function linesOf(text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** As the gateway counts: a letter outside of the basic plane is one. */
function letters(text: string): number {
  return [...text].length;
}

function flaw(field: string, about: Flaw["about"], most: number): Flaw {
  return { field, about, most, detail: "" };
}

function tidy(form: Form): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(form)) {
    if (typeof value === "boolean") {
      if (value || !ONLY_ON.includes(name)) made[name] = value;
    } else if (value.trim() !== "") {
      made[name] = LISTS.includes(name) ? linesOf(value) : value.trim();
    }
  }
  return made;
}

function sorted(form: Form): unknown {
  return Object.entries(tidy(form)).sort(([one], [other]) => (one < other ? -1 : 1));
}
