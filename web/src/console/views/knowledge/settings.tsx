/** The share of questions without an answer, and the marks: what confidence learns from. */

import { useEffect, useState } from "preact/hooks";
import type { Mark } from "../../knowledge/wire";
import { explain } from "../../words";
import { useConsole, useStrings } from "../context";
import { Dialog } from "../dialogs";
import { CrossIcon } from "../icons";

const STEP = 5;
const MOST = 95;

export function Settings({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { settings } = useStrings().knowledge;
  return (
    <Dialog open={open} title={settings.title} onClose={onClose}>
      <Share />
      <Marks />
      <button type="button" class="button" onClick={onClose}>
        {settings.close}
      </button>
    </Dialog>
  );
}

/** Declared once the slider is let go. */
function Share() {
  const { knowledge } = useConsole();
  const { settings } = useStrings().knowledge;
  const declared = Math.round((knowledge.site.value?.outOfScope ?? 0) * 100);
  const [percent, setPercent] = useState(declared);
  useEffect(() => setPercent(declared), [declared]);
  return (
    <div class="setting">
      <div class="setting-head">
        <label for="share">{settings.share}</label>
        <output for="share">{settings.percent(percent)}</output>
      </div>
      <input
        id="share"
        type="range"
        min={0}
        max={MOST}
        step={STEP}
        value={percent}
        aria-describedby="share-hint"
        aria-valuetext={settings.percent(percent)}
        onInput={(event) => setPercent(Number(event.currentTarget.value))}
        onChange={(event) => void knowledge.declare(Number(event.currentTarget.value) / 100)}
      />
      <p id="share-hint" class="hint">
        {settings.shareHint}
      </p>
    </div>
  );
}

function Marks() {
  const { knowledge } = useConsole();
  const { settings } = useStrings().knowledge;
  const number = knowledge.site.value?.marks ?? 0;
  return (
    <div class="setting">
      <div class="setting-head">
        <span>{settings.marks(number)}</span>
      </div>
      <p class="hint">{settings.marksHint}</p>
      {number > 0 && (
        <details
          onToggle={(event) => {
            if (event.currentTarget.open) void knowledge.readMarks();
          }}
        >
          <summary>{settings.show}</summary>
          <MarkList />
        </details>
      )}
    </div>
  );
}

function MarkList() {
  const { knowledge } = useConsole();
  const strings = useStrings();
  const { value: marks } = knowledge.marks.value;
  const { value: trouble } = knowledge.marks.trouble;
  if (trouble !== null) return <p class="error">{explain(trouble, strings)}</p>;
  if (marks === null) return <p class="hint">{strings.knowledge.settings.loading}</p>;
  return (
    <ul class="marks">
      {marks.map((mark) => (
        <Marked key={mark.id} mark={mark} />
      ))}
    </ul>
  );
}

function Marked({ mark }: { mark: Mark }) {
  const { knowledge } = useConsole();
  const { settings } = useStrings().knowledge;
  return (
    <li>
      <span dir="auto">{mark.question}</span>
      <span class="hint">{mark.entryId ?? settings.none}</span>
      <button
        type="button"
        class="button-text"
        aria-label={settings.removeMark(mark.question)}
        onClick={() => void knowledge.unmark(mark)}
      >
        <CrossIcon />
      </button>
    </li>
  );
}
