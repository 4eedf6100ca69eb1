/** The personality that is open: how it stands, what it says, and what can be done with it. */

import { useRef } from "preact/hooks";
import { formOf, NAME, written } from "../../personality/form";
import { NEW, NONE } from "../../personality/place";
import type { Item } from "../../personality/wire";
import { exact, since } from "../../time";
import { readable } from "../../words";
import { Reason } from "../absent";
import { useFocusWhenWanted } from "../commands";
import { modifier } from "../composer";
import { useConsole } from "../context";
import { BackIcon, CheckIcon } from "../icons";
import { save } from "./commands";
import { usePersonalityWords } from "./context";
import { Facts } from "./facts";
import { Fields } from "./fields";

export function Editor() {
  const { personality } = useConsole();
  const words = usePersonalityWords();
  const { value: name } = personality.name;
  const { value: item } = personality.item;
  return (
    <section class="editor" aria-label={words.region}>
      {name === NONE && <Plain />}
      {name !== NONE && name !== NEW && item === null && <Gone />}
      {name === NEW && <Written key={NEW} />}
      {item?.origin === "console" && <Written key={item.name} item={item} />}
      {item !== null && item.origin !== "console" && <Filed key={item.name} item={item} />}
    </section>
  );
}

function Back() {
  const { personality, focus } = useConsole();
  const words = usePersonalityWords();
  const leave = (): void => {
    const { name } = personality.place.value;
    personality.show(null);
    if (name !== null) focus.value = { on: "entry_row", id: name };
  };
  return (
    <button type="button" class="button-text detail-back" aria-label={words.back} onClick={leave}>
      <BackIcon />
    </button>
  );
}

function Heading({ name, label }: { name: string; label: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useFocusWhenWanted(heading, "entry", name);
  return (
    <h2 ref={heading} tabIndex={-1} class="manner-name">
      <bdi>{label}</bdi>
    </h2>
  );
}

/** The model's own manner. */
function Plain() {
  const words = usePersonalityWords();
  return (
    <>
      <div class="detail-bar">
        <Back />
        <Heading name={NONE} label={words.none} />
        <Use name={null} />
      </div>
      <InUse name={null} />
      <p class="manner-plain">{words.noneBody}</p>
    </>
  );
}

function Gone() {
  const words = usePersonalityWords();
  return (
    <>
      <div class="detail-bar">
        <Back />
      </div>
      <div class="blank" role="alert">
        <p class="blank-title">{words.goneTitle}</p>
        <p>{words.gone}</p>
      </div>
    </>
  );
}

/** A file's: read, used, and made one's own. */
function Filed({ item }: { item: Item }) {
  const { personality } = useConsole();
  const words = usePersonalityWords();
  const document = item.personality;
  return (
    <>
      <div class="detail-bar">
        <Back />
        <Heading name={item.name} label={readable(item.name)} />
        {document !== null && (
          <>
            <button type="button" class="button" onClick={() => personality.begin(document)}>
              {words.copy}
            </button>
            <Use name={item.name} />
          </>
        )}
      </div>
      <InUse name={item.name} />
      <p class="hint manner-note">
        {item.origin === "folder" ? words.readOnly.folder : words.readOnly.fanlight}
      </p>
      {document === null ? <Flaws item={item} /> : <Facts form={formOf(document)} />}
    </>
  );
}

function Flaws({ item }: { item: Item }) {
  const words = usePersonalityWords();
  return (
    <div class="error entry-error">
      <p>{words.brokenNote}</p>
      <ul>
        {item.flaws.map(({ field, detail }) => (
          <li key={field} lang="en" dir="ltr">
            {field === "" ? detail : `${field}: ${detail}`}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** One of the site's own, kept or not. */
function Written({ item = null }: { item?: Item | null }) {
  const console = useConsole();
  const { personality, manners } = console;
  const words = usePersonalityWords();
  const discard = useDiscard();
  const { value: changed } = personality.isChanged;
  const label = written(personality.form.value ?? {}, NAME) || words.untitled;
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void save(console);
      }}
    >
      <div class="detail-bar">
        <Back />
        <Heading name={item?.name ?? ""} label={label} />
        {changed && (
          <button type="button" class="button-text" onClick={discard}>
            {words.discard}
          </button>
        )}
        <button
          type="submit"
          class={changed ? "button button-primary" : "button"}
          aria-disabled={!changed || manners.busy.value}
          title={words.saveKeys(modifier())}
        >
          {manners.busy.value ? words.saving : words.save}
        </button>
        {item !== null && !changed && <Use name={item.name} />}
      </div>
      <NotSaved />
      <Behind item={item} />
      {item !== null && <InUse name={item.name} />}
      {item === null && <p class="hint manner-note">{words.saveFirst}</p>}
      <Fields />
      {item !== null && <Foot item={item} />}
    </form>
  );
}

/** Throws the unsaved text away. The button goes with it: the focus stays with what is open. */
function useDiscard(): () => void {
  const { personality, focus } = useConsole();
  return () => {
    const { value: name } = personality.name;
    focus.value = { on: "entry", id: name };
    personality.discard();
  };
}

function NotSaved() {
  const { personality } = useConsole();
  const words = usePersonalityWords();
  const { value: trouble } = personality.saveTrouble;
  const { length: wrong } = personality.flaws.value;
  const failed = trouble !== null && trouble.flaws.length === 0;
  return (
    <p class="error entry-error" role="alert">
      {failed && (
        <>
          {words.notSaved} <Reason trouble={trouble} />
        </>
      )}
      {!failed && personality.saving.value && wrong > 0 && words.mend(wrong)}
    </p>
  );
}

function Behind({ item }: { item: Item | null }) {
  const { personality, manners, focus } = useConsole();
  const words = usePersonalityWords();
  const discard = useDiscard();
  const behind = personality.isBehind.value;
  const overwrite = (): void => {
    if (item === null || manners.busy.value) return;
    focus.value = { on: "entry", id: item.name }; // the button goes
    void manners.overwrite();
  };
  return (
    <>
      <p class="error entry-error" role="alert">
        {behind && words.changedBy(item?.author ?? "")}
      </p>
      {behind && (
        <div class="entry-behind">
          <button type="button" class="button" onClick={discard}>
            {words.takeTheirs}
          </button>
          <button
            type="button"
            class="button"
            aria-disabled={manners.busy.value}
            onClick={overwrite}
          >
            {words.saveMine}
          </button>
        </div>
      )}
    </>
  );
}

/** @param name null: none. */
function Use({ name }: { name: string | null }) {
  const { personality, manners, focus } = useConsole();
  const words = usePersonalityWords();
  if (personality.site.value?.inUse === name) {
    return (
      <span class="manner-in-use">
        <CheckIcon />
        {words.inUse}
      </span>
    );
  }
  const use = (): void => {
    focus.value = { on: "entry", id: name ?? NONE }; // the button goes
    void manners.use(name);
  };
  return (
    <button
      type="button"
      class="button button-primary"
      aria-disabled={manners.busy.value}
      onClick={use}
    >
      {name === null ? words.useNone : words.use}
    </button>
  );
}

/** By whose word the open one is in use, with the way back to the configuration's. */
function InUse({ name }: { name: string | null }) {
  const { personality, manners, focus } = useConsole();
  const words = usePersonalityWords();
  const { value: site } = personality.site;
  if (site === null || site.inUse !== name) return null;
  const { chosen, configured } = site;
  const missing = chosen !== null && chosen.name !== name && chosen.name !== null;
  const reset = (): void => {
    focus.value = { on: "entry", id: name ?? NONE };
    void manners.reset();
  };
  return (
    <div class="manner-word">
      <p>
        {chosen === null && words.byFile}
        {missing && words.missing(chosen.name ?? "")}
        {chosen !== null && !missing && (
          <>
            {words.chosen(chosen.author)} <When at={chosen.at} />
          </>
        )}
        {!site.models && (
          <>
            <br />
            {words.noModels}
          </>
        )}
      </p>
      {chosen !== null && (
        <button type="button" class="button-text" onClick={reset}>
          {words.reset(configured === null ? "" : readable(configured))}
        </button>
      )}
    </div>
  );
}

/** A time as people say it, in the language of the room. */
function When({ at }: { at: string }) {
  const { locale } = usePersonalityWords();
  const { value: now } = useConsole().now;
  return (
    <time dateTime={at} title={exact(at, locale)}>
      {since(at, now, locale)}
    </time>
  );
}

function Foot({ item }: { item: Item }) {
  const { personality, manners, focus } = useConsole();
  const words = usePersonalityWords();
  const inUse = personality.site.value?.inUse === item.name;
  const document = item.personality;
  const undo = (): void => {
    focus.value = { on: "entry", id: item.name }; // the button may go
    void manners.undo(item.name, item.number);
  };
  return (
    <div class="entry-foot manner-foot">
      <p class="hint">
        {words.savedBy} {item.at !== null && <When at={item.at} />}{" "}
        {item.author && words.by(item.author)}
      </p>
      <div class="entry-deeds">
        {document !== null && (
          <button type="button" class="button-text" onClick={() => personality.begin(document)}>
            {words.copyOwn}
          </button>
        )}
        {item.undoable && !personality.isChanged.value && (
          <button type="button" class="button-text" onClick={undo}>
            {words.undoLast}
          </button>
        )}
        <button
          type="button"
          class="button-text button-bad"
          aria-disabled={inUse}
          title={inUse ? words.removeInUse : undefined}
          onClick={() => {
            if (!inUse) void manners.remove();
          }}
        >
          {words.remove}
        </button>
      </div>
      {inUse && <p class="hint manner-why">{words.removeInUse}</p>}
    </div>
  );
}
