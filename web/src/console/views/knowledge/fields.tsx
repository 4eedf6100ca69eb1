/** The plain fields of an entry: question, answer with its preview, escalation, tags. */

import { useRef } from "preact/hooks";
import { languageOf } from "../../words";
import { useFocusWhenWanted } from "../commands";
import { useConsole, useStrings } from "../context";
import { Prose } from "../text";

export function QuestionField() {
  const { editor } = useConsole().knowledge;
  const { editor: words } = useStrings().knowledge;
  const field = useRef<HTMLTextAreaElement>(null);
  useFocusWhenWanted(field, "entry", "new");
  const form = editor.form.value;
  const missing = editor.flaws.value.includes("question");
  return (
    <div class="field">
      <label for="entry-question">{words.question}</label>
      <textarea
        ref={field}
        id="entry-question"
        class="field-question"
        rows={1}
        dir="auto"
        lang={languageOf(form?.question ?? "", form?.locale ?? null)}
        placeholder={words.questionPlaceholder}
        value={form?.question ?? ""}
        aria-required="true"
        aria-invalid={missing ? "true" : undefined}
        aria-describedby="entry-question-error"
        onKeyDown={(event) => {
          if (event.key === "Enter" && !event.isComposing) event.preventDefault(); // one line
        }}
        onInput={(event) => editor.write({ question: event.currentTarget.value })}
      />
      <p id="entry-question-error" class="error" role="alert">
        {missing && words.questionMissing}
      </p>
    </div>
  );
}

export function AnswerField() {
  const { editor } = useConsole().knowledge;
  const { editor: words } = useStrings().knowledge;
  const form = editor.form.value;
  const text = form?.answer ?? "";
  const locale = form?.locale ?? null;
  const missing = editor.flaws.value.includes("answer");
  return (
    <div class="field">
      <label for="entry-answer">{words.answer}</label>
      <div class="answer">
        <textarea
          id="entry-answer"
          class="answer-text"
          rows={6}
          dir="auto"
          lang={languageOf(text, locale)}
          placeholder={words.answerPlaceholder}
          value={text}
          aria-required="true"
          aria-invalid={missing ? "true" : undefined}
          aria-describedby="entry-answer-error"
          onInput={(event) => editor.write({ answer: event.currentTarget.value })}
        />
        <section class="answer-preview" aria-label={words.preview}>
          <p class="answer-preview-title">{words.preview}</p>
          {text.trim() === "" ? (
            <p class="hint">{words.previewEmpty}</p>
          ) : (
            <Prose text={text} locale={locale} />
          )}
        </section>
      </div>
      <p id="entry-answer-error" class="error" role="alert">
        {missing && words.answerMissing}
      </p>
    </div>
  );
}

export function Escalate() {
  const { editor } = useConsole().knowledge;
  const { editor: words } = useStrings().knowledge;
  const on = editor.form.value?.escalate ?? false;
  return (
    <div class="field field-switch">
      <label class="check">
        <input
          type="checkbox"
          role="switch"
          class="switch"
          checked={on}
          aria-checked={on}
          aria-describedby="escalate-hint"
          onChange={(event) => editor.write({ escalate: event.currentTarget.checked })}
        />
        {words.escalate}
      </label>
      <p id="escalate-hint" class="hint">
        {words.escalateHint}
      </p>
    </div>
  );
}

/** The days on which the entry is shown. */
export function Days() {
  const { editor } = useConsole().knowledge;
  const { editor: words } = useStrings().knowledge;
  const form = editor.form.value;
  const wrong = editor.flaws.value.includes("days");
  const day = (name: "valid_from" | "valid_until", label: string) => (
    <label class="day">
      <span>{label}</span>
      <input
        class="input"
        type="date"
        value={form?.[name] ?? ""}
        aria-describedby="days-hint entry-days-error"
        aria-invalid={wrong && name === "valid_until" ? "true" : undefined}
        onInput={(event) => editor.write({ [name]: event.currentTarget.value })}
      />
    </label>
  );
  return (
    <fieldset class="field days" id="entry-days">
      <legend>{words.days}</legend>
      <div class="day-pair">
        {day("valid_from", words.validFrom)}
        {day("valid_until", words.validUntil)}
      </div>
      <p id="days-hint" class="hint">
        {words.daysHint}
      </p>
      <p id="entry-days-error" class="error" role="alert">
        {wrong && words.daysWrong}
      </p>
    </fieldset>
  );
}

export function Tags() {
  const { editor } = useConsole().knowledge;
  const { editor: words } = useStrings().knowledge;
  return (
    <div class="field">
      <label for="entry-tags">{words.tags}</label>
      <input
        id="entry-tags"
        class="input"
        type="text"
        dir="auto"
        autocomplete="off"
        autoCapitalize="none"
        value={editor.form.value?.tags ?? ""}
        aria-describedby="tags-hint"
        onInput={(event) => editor.write({ tags: event.currentTarget.value })}
      />
      <p id="tags-hint" class="hint">
        {words.tagsHint}
      </p>
    </div>
  );
}
