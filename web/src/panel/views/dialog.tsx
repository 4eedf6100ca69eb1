/** A question that must be answered before something is lost. */
import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { usePanel } from "./context.ts";

export interface ConfirmProps {
  readonly title: string;
  readonly body: string;
  readonly yes: string;
  readonly onYes: () => void;
  readonly onClose: () => void;
}

export function Confirm({ title, body, yes, onYes, onClose }: ConfirmProps): VNode {
  const say = usePanel().state.say.value;
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby="confirm-title"
      aria-describedby="confirm-body"
      onClose={onClose}
    >
      <h2 id="confirm-title">{title}</h2>
      <p id="confirm-body">{body}</p>
      <div class="choices">
        <button type="button" class="button" onClick={() => dialog.current?.close()}>
          {say("cancel")}
        </button>
        <button
          type="button"
          class="button strong"
          onClick={() => {
            onYes();
            dialog.current?.close();
          }}
        >
          {yes}
        </button>
      </div>
    </dialog>
  );
}
