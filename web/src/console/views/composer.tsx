/** Where the reply is written, looked at and sent. */

import type { Ref } from "preact";
import { useState } from "preact/hooks";
import { sends } from "../keys";
import type { Escalation } from "../wire";
import { explain, languageOf } from "../words";
import { useConsole, useStrings } from "./context";
import { Prose } from "./text";

interface ComposerProps {
  readonly item: Escalation;
  readonly inputRef: Ref<HTMLTextAreaElement>;
}

export function Composer({ item, inputRef }: ComposerProps) {
  const { desk } = useConsole();
  const { composer } = useStrings();
  const [preview, setPreview] = useState(false);
  const draft = desk.draft(item.id);
  const send = (event: Event): void => {
    event.preventDefault();
    setPreview(false);
    void desk.send(item.id);
  };
  return (
    <form class="composer" onSubmit={send} onKeyDown={(event) => sends(event) && send(event)}>
      <div class="composer-head">
        <label for="reply">{composer.label}</label>
        <button
          type="button"
          class="button-text"
          aria-pressed={preview}
          onClick={() => setPreview(!preview)}
        >
          {composer.preview}
        </button>
      </div>
      {preview && <Preview text={draft.text} locale={item.locale} />}
      <textarea
        ref={inputRef}
        id="reply"
        class="composer-text"
        hidden={preview}
        rows={3}
        dir="auto"
        lang={languageOf(draft.text, item.locale)}
        placeholder={composer.placeholder}
        aria-describedby="reply-hint reply-error"
        value={draft.text}
        onInput={(event) => desk.write(item.id, { text: event.currentTarget.value })}
      />
      <Foot item={item} />
    </form>
  );
}

function Preview({ text, locale }: { text: string; locale: string | null }) {
  const { composer } = useStrings();
  return (
    <section class="composer-preview" aria-label={composer.preview}>
      {text.trim() === "" ? (
        <p class="hint">{composer.previewEmpty}</p>
      ) : (
        <Prose text={text} locale={locale} />
      )}
    </section>
  );
}

function Foot({ item }: { item: Escalation }) {
  const { desk } = useConsole();
  const strings = useStrings();
  const { composer } = strings;
  const draft = desk.draft(item.id);
  const ready = draft.text.trim() !== "" && !desk.pending.value.has(item.id);
  const resolved = item.status === "resolved";
  return (
    <>
      <p id="reply-error" class="error" role="alert">
        {draft.trouble && composer.unsent(explain(draft.trouble, strings))}
      </p>
      <div class="composer-foot">
        {!resolved && (
          <label class="check">
            <input
              type="checkbox"
              checked={draft.resolveAfter}
              onChange={(event) =>
                desk.write(item.id, { resolveAfter: event.currentTarget.checked })
              }
            />
            {composer.resolveAfter}
          </label>
        )}
        <span id="reply-hint" class="hint">
          {composer.markdown}
        </span>
        <button
          type="submit"
          class="button button-primary"
          aria-disabled={!ready}
          title={composer.keys(modifier())}
        >
          {draft.resolveAfter && !resolved ? composer.sendAndResolve : composer.send}
        </button>
      </div>
    </>
  );
}

/** The key that goes with Enter here, by the name printed on it. */
export function modifier(): string {
  return /Mac|iPhone|iPad/.test(navigator.userAgent) ? "⌘" : "Ctrl";
}
