/** Who did what to the entry, newest first, and what the site's files say where that is another text. */

import { formOf, same } from "../../knowledge/form";
import type { Entry, Text } from "../../knowledge/wire";
import { useConsole, useStrings } from "../context";
import { Time } from "../text";
import { Wording } from "./wording";

export function History() {
  const { editor } = useConsole().knowledge;
  const { editor: words } = useStrings().knowledge;
  const { value: story } = editor.story.value;
  if (story === null) return null;
  const changes = [...story.history].sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
  return (
    <details class="history">
      <summary>{words.history}</summary>
      {changes.length === 0 ? (
        <p class="hint">{editor.story.loading.value ? words.historyLoading : words.historyNone}</p>
      ) : (
        <ol class="timeline">
          {changes.map((change, place) => (
            <li key={place}>
              <span dir="auto">{change.author || words.someone}</span>{" "}
              {words.actions[change.action]}{" "}
              <span class="timeline-time">
                <Time at={change.at} style="since" />
              </span>
              {change.entry && <ChangeText text={change.entry} entry={story.entry} />}
            </li>
          ))}
        </ol>
      )}
      {story.file && differs(story.entry, story.file) && (
        <FileText file={story.file} entry={story.entry} />
      )}
    </details>
  );
}

function differs(entry: Entry, file: Text): boolean {
  return !same(formOf(entry), formOf({ ...entry, ...file }));
}

function FileText({ file, entry }: { file: Text; entry: Entry }) {
  const { editor: words } = useStrings().knowledge;
  return (
    <section class="history-file">
      <h3>{words.fileText}</h3>
      <Old text={file} entry={entry} />
    </section>
  );
}

/** What one edit wrote, so that nothing that was written over is lost to sight. */
function ChangeText({ text, entry }: { text: Text; entry: Entry }) {
  const { editor: words } = useStrings().knowledge;
  return (
    <details class="history-file">
      <summary>{words.changeText}</summary>
      <Old text={text} entry={entry} />
    </details>
  );
}

function Old({ text, entry }: { text: Text; entry: Entry }) {
  const { editor } = useConsole().knowledge;
  const { editor: words } = useStrings().knowledge;
  return (
    <>
      <Wording text={text} locale={entry.locale} />
      <button
        type="button"
        class="button-text"
        onClick={() => editor.write(formOf({ ...entry, ...text }))}
      >
        {words.useText}
      </button>
    </>
  );
}
