/** The open entry: what it says, how it stands, and what can be done with it. */

import { useRef } from "preact/hooks";
import { isSystemText, nameOf } from "../../knowledge/form";
import { explain } from "../../words";
import { useFocusWhenWanted } from "../commands";
import { modifier } from "../composer";
import { useConsole, useStrings } from "../context";
import { BackIcon, Mark } from "../icons";
import { Time } from "../text";
import { Badge } from "./badge";
import { Behind } from "./behind";
import { save } from "./commands";
import { AnswerField, Days, Escalate, QuestionField, Tags } from "./fields";
import { History } from "./history";
import { Languages } from "./languages";
import { Links } from "./links";
import { Variants } from "./variants";

export function Editor({ onBack }: { onBack: () => void }) {
  const { editor } = useConsole().knowledge;
  const { editor: words } = useStrings().knowledge;
  const { value: key } = editor.key;
  return (
    <section class="editor" aria-label={words.region}>
      {key === null && <NoneOpen />}
      {key !== null && editor.form.value === null && <Absent onBack={onBack} />}
      {key !== null && editor.form.value !== null && (
        <Present key={editor.turn.value} onBack={onBack} />
      )}
    </section>
  );
}

function NoneOpen() {
  const { knowledge, shortcuts } = useConsole();
  const { entries } = knowledge;
  const { knowledge: words, detail } = useStrings();
  return (
    <div class="blank blank-wide">
      <Mark size={56} />
      {entries.page.value.value?.items.length ? <p>{words.editor.none}</p> : null}
      {shortcuts.value && <p class="hint">{detail.noneHint("?")}</p>}
    </div>
  );
}

function Absent({ onBack }: { onBack: () => void }) {
  const { editor } = useConsole().knowledge;
  const strings = useStrings();
  const { editor: words, again } = strings.knowledge;
  const { value: trouble } = editor.story.trouble;
  return (
    <>
      <div class="detail-bar">
        <BackButton onBack={onBack} />
      </div>
      {trouble === null ? (
        <p class="blank" role="status">
          {words.loading}
        </p>
      ) : (
        <div class="blank" role="alert">
          <p class="blank-title">{words.goneTitle}</p>
          <p>{trouble.status === 404 ? words.gone : explain(trouble, strings)}</p>
          {trouble.status !== 404 && (
            <button type="button" class="button" onClick={() => void editor.read()}>
              {again}
            </button>
          )}
        </div>
      )}
    </>
  );
}

function BackButton({ onBack }: { onBack: () => void }) {
  const { editor } = useStrings().knowledge;
  return (
    <button type="button" class="button-text detail-back" aria-label={editor.back} onClick={onBack}>
      <BackIcon />
    </button>
  );
}

function Present({ onBack }: { onBack: () => void }) {
  const console = useConsole();
  const strings = useStrings();
  const { editor } = console.knowledge;
  const submit = (event: Event): void => {
    event.preventDefault();
    void save(console);
  };
  const { value: trouble } = editor.saveTrouble;
  const system = isSystemText(editor.form.value?.tags ?? "");
  return (
    <form class="entry" noValidate onSubmit={submit}>
      <div class="detail-bar">
        <BackButton onBack={onBack} />
        <Standing />
        <Buttons />
      </div>
      <p class="error entry-error" role="alert">
        {trouble && strings.knowledge.editor.notSaved(explain(trouble, strings))}
      </p>
      <Behind />
      <Removed />
      <div class="entry-fields">
        <Languages />
        {system && <p class="hint entry-system">{strings.knowledge.editor.system}</p>}
        <QuestionField />
        {!system && <Variants />}
        <AnswerField />
        <Links />
        <Escalate />
        {!system && <Days />}
        <Tags />
        <Foot />
      </div>
    </form>
  );
}

function Standing() {
  const { editor } = useConsole().knowledge;
  const { editor: words } = useStrings().knowledge;
  const heading = useRef<HTMLHeadingElement>(null);
  const { value: key } = editor.key;
  const { value: entry } = editor.entry;
  useFocusWhenWanted(heading, "entry", key === null || key === "new" ? "" : nameOf(key));
  return (
    <div class="entry-standing">
      <h2 class="unseen" ref={heading} tabIndex={-1}>
        {entry?.question || words.newTitle}
      </h2>
      {entry && <Badge state={entry.state} />}
      <span class="entry-when">
        {entry === null && words.newTitle}
        {entry !== null && editor.isChanged.value && words.unsaved}
        {entry !== null && !editor.isChanged.value && <Kept />}
      </span>
    </div>
  );
}

function Kept() {
  const { editor } = useConsole().knowledge;
  const { editor: words } = useStrings().knowledge;
  const { value: entry } = editor.entry;
  if (!entry?.at) return <>{words.fromFile}</>;
  return (
    <>
      {words.saved} <Time at={entry.at} style="since" />
      {entry.author && <span dir="auto"> {words.by(entry.author)}</span>}
    </>
  );
}

function Buttons() {
  const { editor, deeds } = useConsole().knowledge;
  const { editor: words } = useStrings().knowledge;
  const { value: changed } = editor.isChanged;
  const { value: busy } = deeds.busy;
  return (
    <>
      {changed && (
        <button type="button" class="button-text" onClick={() => editor.discard()}>
          {words.discard}
        </button>
      )}
      <button
        type="submit"
        class={changed ? "button button-primary" : "button"}
        aria-disabled={!changed || busy}
        title={words.saveKeys(modifier())}
      >
        {busy ? words.saving : words.save}
      </button>
    </>
  );
}

/** What goes with the next publishing says so. */
function Removed() {
  const { editor, deeds } = useConsole().knowledge;
  const { editor: words } = useStrings().knowledge;
  if (editor.entry.value?.state !== "removed") return null;
  return (
    <div class="resolved-note entry-removed">
      <p>{words.removedNote}</p>
      <button type="button" class="button-text" onClick={() => void deeds.undo()}>
        {words.putBack}
      </button>
    </div>
  );
}

function Foot() {
  const console = useConsole();
  const { editor, deeds } = console.knowledge;
  const { editor: words } = useStrings().knowledge;
  const { value: entry } = editor.entry;
  if (entry === null) return null;
  const edited = entry.state !== "live" || (editor.story.value.value?.history.length ?? 0) > 0;
  const removed = entry.state === "removed";
  const remove = (): void => {
    console.focus.value = { on: "entry", id: nameOf(entry) }; // the button goes
    void deeds.remove();
  };
  return (
    <div class="entry-foot">
      <History />
      <div class="entry-deeds">
        {edited && !removed && (
          <button type="button" class="button-text" onClick={() => void deeds.undo()}>
            {words.undo}
          </button>
        )}
        {!removed && (
          <button type="button" class="button-text button-bad" onClick={remove}>
            {words.remove}
          </button>
        )}
      </div>
    </div>
  );
}
