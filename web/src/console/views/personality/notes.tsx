/** The last word on what was done in this room, with the way back. */

import { useEffect } from "preact/hooks";
import { Reason } from "../absent";
import { useConsole, useStrings } from "../context";
import { CrossIcon } from "../icons";
import { usePersonalityWords, useSpoken } from "./context";

/** How long a good word stays: longer where it offers a way back. Bad ones stay. */
const NOTE_MS = 6_000;
const OFFER_MS = 15_000;

export function PersonalityNotes() {
  const { personality, ports, focus } = useConsole();
  const words = usePersonalityWords();
  const spoken = useSpoken();
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
    <div class="notes-part" role={note?.trouble ? "alert" : "status"} {...spoken}>
      {note && (
        <p class={note.trouble ? "note note-bad" : "note"}>
          <span>
            {words.note[note.about]}
            {note.about === "failed" && note.trouble && (
              <>
                {" "}
                <Reason trouble={note.trouble} />
              </>
            )}
          </span>
          {note.offer && (
            <button
              type="button"
              class="button-text note-offer"
              onClick={() => {
                focus.value = { on: "entry", id: personality.name.value }; // the button goes
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
