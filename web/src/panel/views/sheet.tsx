/** A dialog as large as the panel allows, with a title, a way out, and a list that is searched. */
import "../styles/sheets.css";
import type { ComponentChildren, VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { usePanel } from "./context.ts";
import { Icon } from "./icons.tsx";

export interface SheetProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

export function Sheet({ title, onClose, children }: SheetProps): VNode {
  const say = usePanel().state.say.value;
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} class="sheet" aria-labelledby="sheet-title" onClose={onClose}>
      <div class="sheet-head">
        <h2 id="sheet-title">{title}</h2>
        <button
          type="button"
          class="quiet"
          aria-label={say("sheet.close")}
          onClick={() => dialog.current?.close()}
        >
          <Icon sign="close" />
        </button>
      </div>
      {children}
    </dialog>
  );
}

export interface SearchProps {
  readonly label: string;
  readonly words: string;
  readonly onWords: (words: string) => void;
  /** How much was found, said aloud while there is something to search for. */
  readonly found: string;
}

export function Search({ label, words, onWords, found }: SearchProps): VNode {
  return (
    <>
      <input
        type="search"
        class="search"
        aria-label={label}
        placeholder={label}
        value={words}
        onInput={(event) => onWords(event.currentTarget.value)}
      />
      <p class="hidden" role="status">
        {words && found}
      </p>
    </>
  );
}
