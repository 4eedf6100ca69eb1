/** What stands above the page: help, the question about an unsent reply, and a word after a deed. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Note } from "../desk_store";
import type { Warning } from "../figures/budgets";
import { lastAsked } from "../inbox";
import type { Strings } from "../strings";
import { explain } from "../words";
import { modifier } from "./composer";
import { useConsole, useStrings } from "./context";
import { CrossIcon } from "./icons";

/** How long a good word stays. Bad ones stay until they are dismissed. */
const NOTE_MS = 6_000;

export function Help() {
  const console = useConsole();
  const { help, composer, knowledge } = useStrings();
  const close = (): void => {
    console.helpOpen.value = false;
  };
  return (
    <Dialog open={console.helpOpen.value} title={help.title} onClose={close}>
      <dl class="help">
        {help.rows.map((row) => (
          <div key={row.does}>
            <dt>{row.does}</dt>
            <dd>
              {row.keys.map((key, place) => (
                <span key={key}>
                  {place > 0 && ` ${help.or} `}
                  <kbd>{key}</kbd>
                </span>
              ))}
            </dd>
          </div>
        ))}
        {[
          [help.send, composer.keys(modifier())] as const,
          [help.save, knowledge.editor.saveKeys(modifier())] as const,
        ].map(([does, keys]) => (
          <div key={does}>
            <dt>{does}</dt>
            <dd>
              <kbd>{keys}</kbd>
            </dd>
          </div>
        ))}
      </dl>
      <label class="check">
        <input
          type="checkbox"
          checked={console.shortcuts.value}
          aria-describedby="shortcuts-hint"
          onChange={(event) => console.useShortcuts(event.currentTarget.checked)}
        />
        {help.enabled}
      </label>
      <p id="shortcuts-hint" class="hint">
        {help.enabledHint}
      </p>
      <button type="button" class="button" onClick={close}>
        {help.close}
      </button>
    </Dialog>
  );
}

interface UnsentProps {
  readonly open: boolean;
  readonly onClose: () => void;
  readonly onSend: () => void;
  readonly onDrop: () => void;
}

/** Asked before a question is resolved with a reply half written. */
export function Unsent({ open, onClose, onSend, onDrop }: UnsentProps) {
  const { detail } = useStrings();
  return (
    <Dialog open={open} title={detail.unsentTitle} onClose={onClose}>
      <div class="dialog-choices">
        <button type="button" class="button button-primary" onClick={onSend}>
          {detail.unsentSend}
        </button>
        <button type="button" class="button" onClick={onDrop}>
          {detail.unsentDrop}
        </button>
        <button type="button" class="button" onClick={onClose}>
          {detail.unsentCancel}
        </button>
      </div>
    </Dialog>
  );
}

interface DialogProps {
  readonly open: boolean;
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** The browser's own dialog: it keeps the focus inside, and gives it back. */
export function Dialog({ open, title, onClose, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open) element.current?.showModal();
    else element.current?.close();
  }, [open]);
  return (
    <dialog ref={element} class="dialog" aria-label={title} onClose={onClose}>
      {open && (
        <>
          <h2>{title}</h2>
          {children}
        </>
      )}
    </dialog>
  );
}

/** Budgets that ran low, each until it is dismissed. */
export function Warnings() {
  const { figures } = useConsole();
  const strings = useStrings();
  return (
    <div class="notes-part" role="status">
      {figures.warnings.value.map((warning) => (
        <p key={`${warning.site} ${warning.period}`} class="note">
          <span>{warned(warning, strings)}</span>
          <button
            type="button"
            class="button-text"
            aria-label={strings.trouble.dismiss}
            onClick={() => figures.dismiss(warning)}
          >
            <CrossIcon />
          </button>
        </p>
      ))}
    </div>
  );
}

/** The last word on what was done, until it has been read. */
export function Notes() {
  const { desk, ports } = useConsole();
  const strings = useStrings();
  const note = desk.note.value;
  useEffect(() => {
    if (note === null || note.trouble !== null) return;
    return ports.after(NOTE_MS, () => {
      desk.note.value = null;
    });
  }, [note, desk, ports]);
  const dismiss = (): void => {
    desk.note.value = null;
  };
  return (
    <div class="notes-part" role={note?.trouble ? "alert" : "status"}>
      {note && (
        <p class={note.trouble ? "note note-bad" : "note"}>
          <span>{said(note, strings)}</span>
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

/** Tells screen readers of a new question; the others see it arrive. */
export function News() {
  const { inbox } = useConsole();
  const { list } = useStrings();
  const item = inbox.news.value;
  return (
    <p class="unseen" role="status">
      {item && list.newArrived(lastAsked(item))}
    </p>
  );
}

function said(note: Note, strings: Strings): string {
  const { composer, delivery, trouble: words } = strings;
  const reason = note.trouble ? explain(note.trouble, strings) : "";
  return {
    sent: composer.sent,
    sent_resolved: composer.sentAndResolved,
    sent_open: composer.sentAndOpen,
    resent: delivery.resent,
    resolve: words.resolveFailed(reason),
    resend: words.resendFailed(reason),
    log_out: words.logOutFailed(reason),
  }[note.about];
}

function warned({ name, period, reached, usedUp }: Warning, { budget }: Strings): string {
  return usedUp
    ? budget.usedUp(name, period)
    : budget.reached(name, period, `${Math.round(reached * 100)}%`);
}
