/** Said where somebody changed the entry while it was being written: both texts are in reach. */

import { useState } from "preact/hooks";
import { nameOf } from "../../knowledge/form";
import { useConsole, useStrings } from "../context";
import { Wording } from "./wording";

export function Behind() {
  const { editor } = useConsole().knowledge;
  const { editor: words } = useStrings().knowledge;
  const { value: entry } = editor.entry;
  const behind = editor.isBehind.value && entry !== null;
  return (
    <>
      <p class="error entry-error" role="alert">
        {behind && <span dir="auto">{words.changedBy(entry.author ?? "")}</span>}
      </p>
      {behind && <Choices />}
    </>
  );
}

function Choices() {
  const console = useConsole();
  const { editor, deeds } = console.knowledge;
  const { editor: words } = useStrings().knowledge;
  const [shown, setShown] = useState(false);
  const { value: entry } = editor.entry;
  const overwrite = (): void => {
    if (entry === null || deeds.busy.value) return;
    console.focus.value = { on: "entry", id: nameOf(entry) }; // the button goes
    void deeds.overwrite();
  };
  return (
    <div class="entry-behind">
      <button
        type="button"
        class="button"
        aria-expanded={shown}
        aria-controls="theirs"
        onClick={() => setShown(!shown)}
      >
        {shown ? words.hideTheirs : words.seeTheirs}
      </button>
      <button type="button" class="button" aria-disabled={deeds.busy.value} onClick={overwrite}>
        {words.saveMine}
      </button>
      <section id="theirs" class="theirs history-file" aria-label={words.theirs} hidden={!shown}>
        {entry !== null && <Wording text={entry} locale={entry.locale} />}
      </section>
    </div>
  );
}
