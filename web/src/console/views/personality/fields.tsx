/** The fields of a personality: those that owners come for, and the rest folded. */

import { useRef } from "preact/hooks";
import { type Flaw, LISTS, left, NAME, withField } from "../../personality/form";
import { NEW } from "../../personality/place";
import { useFocusWhenWanted } from "../commands";
import { useConsole } from "../context";
import { usePersonalityWords } from "./context";
import { heldBy, hintOf, labelOf, optionWord } from "./words";

/** Letters left are said from here on. */
const NEAR = 200;

const MORE: readonly (readonly [string, readonly string[]])[] = [
  ["who", ["identity.expertise", "personality_traits", "identity.background"]],
  [
    "how",
    [
      "communication.use_humor",
      "response_behavior.clarification",
      "response_behavior.prioritize",
      "response_behavior.citation_style",
      "communication.use_examples",
      "communication.use_analogies",
      "response_behavior.step_by_step",
      "response_behavior.show_reasoning",
    ],
  ],
  [
    "before",
    ["memory_usage.priority", "memory_usage.historical_context", "memory_usage.pattern_trust"],
  ],
  ["layout", ["formatting.structure", "formatting.emphasis", "formatting.code_blocks"]],
];

const AREAS: readonly string[] = [...LISTS, "identity.background", "custom_instructions"];

export function Fields() {
  const words = usePersonalityWords();
  const groups = words.groups as Record<string, string>;
  return (
    <div class="entry-fields">
      <div class="manner-pair">
        <Line field={NAME} required />
        <Line field="identity.role" />
      </div>
      <Segments field="communication.tone" />
      <Segments field="communication.verbosity" />
      <Segments field="communication.formality" />
      <Area field="custom_instructions" rows={5} />
      <details class="manner-more">
        <summary>
          {words.more} <span class="hint">{words.moreHint}</span>
        </summary>
        {MORE.map(([group, fields]) => (
          <fieldset key={group} class="manner-group">
            <legend>{groups[group]}</legend>
            {fields.map((field) => (
              <Any key={field} field={field} />
            ))}
          </fieldset>
        ))}
      </details>
    </div>
  );
}

function Any({ field }: { field: string }) {
  const words = usePersonalityWords();
  if (AREAS.includes(field)) return <Area field={field} rows={LISTS.includes(field) ? 2 : 3} />;
  return field in words.words ? <Select field={field} /> : <Flag field={field} />;
}

function useField(field: string) {
  const { personality } = useConsole();
  const form = personality.form.value ?? {};
  const flaw = personality.flaws.value.find((one) => one.field === field);
  const write = (value: string | boolean): void =>
    personality.write(withField(personality.form.value ?? {}, field, value));
  return { id: `manner-${field.replaceAll(".", "-")}`, form, flaw, write };
}

/** What is wrong with a field. What the gateway says of it is English, whatever language the room speaks. */
function Wrong({ id, flaw }: { id: string; flaw: Flaw | undefined }) {
  const { flaws } = usePersonalityWords();
  return (
    <p id={`${id}-error`} class="error" role="alert">
      {flaw?.about === "told" && <bdi lang="en">{flaw.detail}</bdi>}
      {flaw?.about === "missing" && flaws.missing}
      {flaw && flaw.about !== "told" && flaw.about !== "missing" && flaws[flaw.about](flaw.most)}
    </p>
  );
}

function Line({ field, required = false }: { field: string; required?: boolean }) {
  const words = usePersonalityWords();
  const { id, form, flaw, write } = useField(field);
  const input = useRef<HTMLInputElement>(null);
  // Whoever begins a new one begins with its name.
  useFocusWhenWanted(input, "entry", required ? NEW : field);
  return (
    <div class="field">
      <label for={id}>{labelOf(words, field)}</label>
      <input
        ref={input}
        id={id}
        class="input"
        dir="auto"
        autocomplete="off"
        value={heldBy(form, field)}
        aria-required={required ? "true" : undefined}
        aria-invalid={flaw ? "true" : undefined}
        aria-describedby={`${id}-hint ${id}-error`}
        onInput={(event) => write(event.currentTarget.value)}
      />
      <Wrong id={id} flaw={flaw} />
      <p id={`${id}-hint`} class="hint">
        {hintOf(words, field)}
      </p>
    </div>
  );
}

function Area({ field, rows }: { field: string; rows: number }) {
  const { personality } = useConsole();
  const words = usePersonalityWords();
  const { id, form, flaw, write } = useField(field);
  const { value: shown } = personality.shown.value;
  const hint = LISTS.includes(field)
    ? `${hintOf(words, field)} ${words.listHint(shown?.mostTexts ?? 0)}`.trim()
    : hintOf(words, field);
  return (
    <div class="field">
      <label for={id}>{labelOf(words, field)}</label>
      <textarea
        id={id}
        class="input manner-area"
        dir="auto"
        rows={rows}
        value={heldBy(form, field)}
        aria-invalid={flaw ? "true" : undefined}
        aria-describedby={`${id}-hint ${id}-left ${id}-error`}
        onInput={(event) => write(event.currentTarget.value)}
      />
      <Wrong id={id} flaw={flaw} />
      <div class="manner-under">
        <p id={`${id}-hint`} class="hint">
          {hint}
        </p>
        <Left field={field} id={`${id}-left`} />
      </div>
    </div>
  );
}

/** How many letters are left; always of the instructions, of others once they are few. */
function Left({ field, id }: { field: string; id: string }) {
  const { personality } = useConsole();
  const words = usePersonalityWords();
  const most = personality.shown.value.value?.limits[field];
  if (most === undefined || LISTS.includes(field)) return <span id={id} hidden />;
  const count = left(personality.form.value ?? {}, field, most);
  const says = field === "custom_instructions" || count <= NEAR;
  return (
    <p id={id} class={count < 0 ? "manner-left error" : "manner-left hint"}>
      {says && (count < 0 ? words.over(-count) : words.left(count))}
    </p>
  );
}

/** One of a few words, or none of them. */
function Segments({ field }: { field: string }) {
  const words = usePersonalityWords();
  const { id, form, write } = useField(field);
  const value = heldBy(form, field);
  return (
    <fieldset class="field">
      <legend>{labelOf(words, field)}</legend>
      <div class="segments manner-segments">
        {optionsOf(words.words[field] ?? {}, value).map((option) => (
          <label key={option}>
            <input
              type="radio"
              name={id}
              value={option}
              checked={option === value}
              onChange={() => write(option)}
            />
            <span>{option === "" ? words.any : optionWord(words, field, option)}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function Select({ field }: { field: string }) {
  const words = usePersonalityWords();
  const { id, form, write } = useField(field);
  const value = heldBy(form, field);
  const chosen = (option: string): string | boolean =>
    option === "true" || option === "false" ? option === "true" : option;
  return (
    <div class="field manner-row">
      <label for={id}>{labelOf(words, field)}</label>
      <div class="select">
        <select
          id={id}
          value={value}
          onChange={(event) => write(chosen(event.currentTarget.value))}
        >
          {optionsOf(words.words[field] ?? {}, value).map((option) => (
            <option key={option} value={option}>
              {option === "" ? words.any : optionWord(words, field, option)}
            </option>
          ))}
        </select>
      </div>
    </div>
  );
}

/** No word, those that are known, and the one that is there. */
function optionsOf(known: Readonly<Record<string, string>>, value: string): readonly string[] {
  return [...new Set(["", ...Object.keys(known), value])];
}

function Flag({ field }: { field: string }) {
  const words = usePersonalityWords();
  const { id, form, write } = useField(field);
  const on = form[field] === true;
  const hint = hintOf(words, field);
  return (
    <div class="field field-switch">
      <label class="check">
        <input
          type="checkbox"
          role="switch"
          class="switch"
          checked={on}
          aria-checked={on}
          aria-describedby={hint ? `${id}-hint` : undefined}
          onChange={(event) => write(event.currentTarget.checked)}
        />
        {labelOf(words, field)}
      </label>
      {hint && (
        <p id={`${id}-hint`} class="hint">
          {hint}
        </p>
      )}
    </div>
  );
}
