/**
 * The other ways to ask, one a line.
 *
 * Decides: Enter begins the next line, Backspace in an empty one takes it away, and several lines
 * that are pasted become several ways to ask.
 */

import { languageOf } from "../../words";
import { useConsole, useStrings } from "../context";
import { CrossIcon, PlusIcon } from "../icons";
import { replaced, spliced, useLines, without } from "./lines";

export function Variants() {
  const { editor } = useConsole().knowledge;
  const { editor: words } = useStrings().knowledge;
  const { box, focus } = useLines();
  const variants = editor.form.value?.variants ?? [];
  const set = (next: readonly string[], then: number): void => {
    focus(then);
    editor.write({ variants: next });
  };
  return (
    <fieldset class="field lines" ref={box} aria-describedby="variants-hint">
      <legend>{words.variants}</legend>
      <p id="variants-hint" class="hint">
        {words.variantsHint}
      </p>
      <ol>
        {variants.map((text, place) => (
          <Line
            key={place}
            place={place}
            text={text}
            onWrite={(value) => editor.write({ variants: replaced(variants, place, value) })}
            onLines={(more) => set(spliced(variants, place, more), place + more.length - 1)}
            onRemove={() => set(without(variants, place), place - 1)}
          />
        ))}
      </ol>
      <button
        type="button"
        class="button-text lines-add"
        data-add
        onClick={() => set([...variants, ""], variants.length)}
      >
        <PlusIcon /> {words.addVariant}
      </button>
    </fieldset>
  );
}

interface LineProps {
  readonly place: number;
  readonly text: string;
  readonly onWrite: (text: string) => void;
  /** This line becomes these; the last one gets the focus. */
  readonly onLines: (lines: readonly string[]) => void;
  readonly onRemove: () => void;
}

function Line({ place, text, onWrite, onLines, onRemove }: LineProps) {
  const { editor } = useConsole().knowledge;
  const { editor: words } = useStrings().knowledge;
  const press = (event: KeyboardEvent): void => {
    const enters = event.key === "Enter" && !event.isComposing && !event.ctrlKey && !event.metaKey;
    const removes = event.key === "Backspace" && text === "";
    if (!enters && !removes) return;
    event.preventDefault();
    if (removes) onRemove();
    else if (text.trim() !== "") onLines([text, ""]);
  };
  const paste = (event: ClipboardEvent): void => {
    const pasted = event.clipboardData?.getData("text/plain") ?? "";
    const lines = pasted.split(/\r?\n/).filter((line) => line.trim() !== "");
    if (lines.length < 2) return;
    event.preventDefault();
    onLines(text.trim() === "" ? lines : [text, ...lines]);
  };
  return (
    <li class="line">
      <input
        class="input"
        type="text"
        data-line
        dir="auto"
        lang={languageOf(text, editor.form.value?.locale ?? null)}
        autocomplete="off"
        aria-label={words.variant(place + 1)}
        value={text}
        onInput={(event) => onWrite(event.currentTarget.value)}
        onKeyDown={press}
        onPaste={paste}
      />
      <button
        type="button"
        class="button-text"
        aria-label={words.removeVariant(text.trim())}
        onClick={onRemove}
      >
        <CrossIcon />
      </button>
    </li>
  );
}
