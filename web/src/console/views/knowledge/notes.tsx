/** The last word on what was done in this room, with the way back. */

import { useEffect } from "preact/hooks";
import type { Note } from "../../knowledge/reach";
import type { Strings } from "../../strings";
import { explain } from "../../words";
import { useConsole, useStrings } from "../context";
import { CrossIcon } from "../icons";

/** How long a good word stays: longer where it offers a way back. Bad ones stay. */
const NOTE_MS = 6_000;
const OFFER_MS = 15_000;

export function KnowledgeNotes() {
  const { knowledge, ports } = useConsole();
  const strings = useStrings();
  const { value: note } = knowledge.note;
  useEffect(() => {
    if (note === null || note.trouble !== null) return;
    return ports.after(note.offer === null ? NOTE_MS : OFFER_MS, () => {
      knowledge.note.value = null;
    });
  }, [note, knowledge, ports]);
  const dismiss = (): void => {
    knowledge.note.value = null;
  };
  return (
    <div class="notes-part" role={note?.trouble ? "alert" : "status"}>
      {note && (
        <p class={note.trouble ? "note note-bad" : "note"}>
          <span>{said(note, strings)}</span>
          {note.offer && (
            <button
              type="button"
              class="button-text note-offer"
              onClick={() => {
                dismiss();
                note.offer?.run();
              }}
            >
              {strings.knowledge[note.offer.does]}
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

function said({ about, trouble }: Note, strings: Strings): string {
  const { note } = strings.knowledge;
  if (about === "failed") return note.failed(trouble ? explain(trouble, strings) : "");
  return note[about];
}
