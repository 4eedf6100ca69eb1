/** The last word on what was done in this room, with the way back. */

import { useEffect } from "preact/hooks";
import type { Note } from "../../personality/store";
import type { PersonalityWords } from "../../personality/words";
import type { Strings } from "../../strings";
import { explain } from "../../words";
import { useConsole, useStrings } from "../context";
import { CrossIcon } from "../icons";
import { usePersonalityWords } from "./context";

/** How long a good word stays: longer where it offers a way back. Bad ones stay. */
const NOTE_MS = 6_000;
const OFFER_MS = 15_000;

export function PersonalityNotes() {
  const { personality, ports } = useConsole();
  const words = usePersonalityWords();
  const strings = useStrings();
  const { value: note } = personality.note;
  const dismiss = (): void => {
    personality.note.value = null;
  };
  useEffect(() => {
    if (note === null || note.trouble !== null) return;
    return ports.after(note.offer === null ? NOTE_MS : OFFER_MS, () => {
      personality.note.value = null;
    });
  }, [note, personality, ports]);
  return (
    <div class="notes" role={note?.trouble ? "alert" : "status"}>
      {note && (
        <p class={note.trouble ? "note note-bad" : "note"}>
          <span>{said(note, words, strings)}</span>
          {note.offer && (
            <button
              type="button"
              class="button-text note-offer"
              onClick={() => {
                dismiss();
                note.offer?.run();
              }}
            >
              {words[note.offer.does]}
            </button>
          )}
          <button
            type="button"
            class="button-text"
            aria-label={strings.trouble.dismiss}
            onClick={dismiss}
          >
            <CrossIcon />
          </button>
        </p>
      )}
    </div>
  );
}

function said({ about, trouble }: Note, words: PersonalityWords, strings: Strings): string {
  const { note } = words;
  if (about === "failed") return note.failed(trouble ? explain(trouble, strings) : "");
  return note[about];
}
