/** "Would this be answered?": a visitor's question, and what the draft makes of it. */

import type { Ref } from "preact";
import { useState } from "preact/hooks";
import { isSystemText } from "../../knowledge/form";
import type { Candidate, Trial as Found, Outcome } from "../../knowledge/wire";
import { sureness } from "../../knowledge/words";
import { explain } from "../../words";
import { useConsole, useStrings } from "../context";
import { AskIcon, CheckIcon, PersonIcon } from "../icons";
import { Prose } from "../text";
import { Candidates, EntryLink } from "./candidates";
import { Scale } from "./scale";

export function Trial({ fieldRef }: { fieldRef: Ref<HTMLTextAreaElement> }) {
  const { trial } = useConsole().knowledge;
  const { trial: words } = useStrings().knowledge;
  const [more, setMore] = useState(false);
  const { value: found } = trial.trial.value;
  return (
    <aside class={more ? "trial trial-more" : "trial"} aria-labelledby="trial-title">
      <div class="trial-head">
        <h2 id="trial-title">{words.title}</h2>
        {found && (
          <button
            type="button"
            class="button-text trial-toggle"
            aria-expanded={more}
            onClick={() => setMore(!more)}
          >
            {more ? words.less : words.more}
          </button>
        )}
      </div>
      <textarea
        ref={fieldRef}
        class="input trial-field"
        rows={1}
        dir="auto"
        aria-label={words.field}
        aria-describedby="trial-state"
        placeholder={words.placeholder}
        value={trial.question.value}
        onKeyDown={(event) => {
          if (event.key === "Enter" && !event.isComposing) {
            event.preventDefault();
            void trial.again();
          }
        }}
        onInput={(event) => trial.ask(event.currentTarget.value)}
      />
      <State />
      {found && <Verdict found={found} />}
    </aside>
  );
}

/** One line that is always there, so that nothing jumps. */
function State() {
  const { trial, editor } = useConsole().knowledge;
  const strings = useStrings();
  const { trial: words, again } = strings.knowledge;
  const { value: trouble } = trial.trial.trouble;
  const { value: found } = trial.trial.value;
  const asked = trial.question.value.trim() !== "";
  if (trouble !== null) {
    return (
      <p class="error trial-state" id="trial-state" role="alert">
        {explain(trouble, strings)}{" "}
        <button type="button" class="button-text" onClick={() => void trial.again()}>
          {again}
        </button>
      </p>
    );
  }
  const stale = asked && editor.entry.value !== null && editor.isChanged.value;
  let said = words.hint;
  if (asked && trial.reading.value) said = words.building;
  else if (asked && found === null) said = words.looking;
  else if (stale) said = words.stale;
  return (
    <p class="hint trial-state" id="trial-state">
      {said}
    </p>
  );
}

const ICONS: Record<Outcome, () => preact.ComponentChildren> = {
  answered: CheckIcon,
  asked_back: AskIcon,
  handed_over: PersonIcon,
};

function Verdict({ found }: { found: Found }) {
  const { trial } = useConsole().knowledge;
  const strings = useStrings();
  const { trial: words } = strings.knowledge;
  const Icon = ICONS[found.outcome];
  const { value: waits } = trial.waiting;
  const outcome = words.outcomes[found.outcome];
  const named = found.answer ? nameIn(found.candidates, found.answer.entry) : "";
  return (
    <div class={waits ? "verdict verdict-waits" : "verdict"}>
      <p class="unseen" role="status">
        {waits ? "" : words.said(outcome, sureness(found, strings), named)}
      </p>
      <p class={`verdict-outcome verdict-${found.outcome}`}>
        <Icon />
        {outcome}
      </p>
      <Scale value={found.confidence} threshold={found.threshold} />
      <p class="verdict-sure">{sureness(found, strings)}</p>
      <div class="verdict-rest">
        <p class="hint">{words.meaning[found.outcome]}</p>
        {found.answer && <Answer answer={found.answer} named={named} />}
        <Adopt answered={found.outcome === "answered"} />
        <Candidates found={found} />
      </div>
    </div>
  );
}

function Answer({ answer, named }: { answer: NonNullable<Found["answer"]>; named: string }) {
  return (
    <div class="verdict-answer">
      <EntryLink entry={answer.entry} question={named || answer.entry.id} />
      <Prose text={answer.text} locale={answer.entry.locale} />
    </div>
  );
}

/** One click makes the tried question a way to ask the open entry, or begins an entry for it. */
function Adopt({ answered }: { answered: boolean }) {
  const { editor, deeds, trial } = useConsole().knowledge;
  const { trial: words } = useStrings().knowledge;
  const { value: form } = editor.form;
  const question = trial.question.value.trim(); // as it stands in the field, tried or not
  if (question === "") return null;
  if (form === null) {
    if (answered) return null;
    return (
      <button type="button" class="button" onClick={() => editor.begin({ question })}>
        {words.write}
      </button>
    );
  }
  if (isSystemText(form.tags)) return null;
  if ([form.question, ...form.variants].some((one) => one.trim() === question)) {
    return <p class="hint">{words.has}</p>;
  }
  return (
    <button type="button" class="button" onClick={() => void deeds.addVariant(question)}>
      {words.add}
    </button>
  );
}

function nameIn(candidates: readonly Candidate[], key: Candidate["key"]): string {
  const found = candidates.find((one) => one.key.id === key.id && one.key.locale === key.locale);
  return found?.question ?? "";
}
