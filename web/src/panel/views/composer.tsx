/** Where the visitor writes. Enter sends, Shift+Enter breaks the line, an input method is left alone. */
import type { TargetedKeyboardEvent, VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { usePanel } from "./context.ts";
import { Icon, StopIcon } from "./icons.tsx";

const LONGEST = 4000;
const NEARLY = 200;

/** Whether a key press sends: never while an input method is composing (229 is Safari's way to say so). */
export function sends(
  event: Pick<KeyboardEvent, "key" | "shiftKey" | "isComposing" | "keyCode">,
): boolean {
  return event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229;
}

export function Composer(): VNode {
  const { state, conversation, warm } = usePanel();
  const say = state.say.value;
  const [text, setText] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  const { live, toPerson, visible } = state;
  useEffect(() => {
    if (visible.value) field.current?.focus();
  }, [visible.value, toPerson.value]);
  useEffect(() => grow(field.current), [text]);
  const send = () => {
    if (!text.trim() || live.value) return;
    const straight = toPerson.value;
    toPerson.value = false;
    setText("");
    void (straight ? conversation.tell(text) : conversation.ask(text));
    field.current?.focus();
  };
  const onKey = (event: TargetedKeyboardEvent<HTMLTextAreaElement>) => {
    if (!sends(event)) return;
    event.preventDefault();
    send();
  };
  return (
    <form
      class={toPerson.value ? "composer to-person" : "composer"}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {toPerson.value && <PersonMode />}
      <div class="field">
        <textarea
          ref={field}
          rows={1}
          dir="auto"
          maxLength={LONGEST}
          enterkeyhint="send"
          aria-label={say(toPerson.value ? "composer.person" : "composer.label")}
          placeholder={say(toPerson.value ? "composer.person" : "composer.placeholder")}
          value={text}
          onInput={(event) => {
            if (!text) warm();
            setText(event.currentTarget.value);
          }}
          onKeyDown={onKey}
        />
        <SendButton empty={!text.trim()} />
      </div>
      <p class="small left" role="status">
        {text.length > LONGEST - NEARLY && say("composer.left", { n: LONGEST - text.length })}
      </p>
    </form>
  );
}

/** As tall as its text, by the style sheet where the browser can, by measuring where it cannot. */
function grow(field: HTMLTextAreaElement | null): void {
  if (!field || CSS.supports("field-sizing", "content")) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}

function SendButton({ empty }: { readonly empty: boolean }): VNode {
  const { state, conversation } = usePanel();
  const say = state.say.value;
  if (state.live.value) {
    return (
      <button
        type="button"
        class="send"
        aria-label={say("composer.stop")}
        onClick={() => conversation.stop()}
      >
        <StopIcon />
      </button>
    );
  }
  return (
    <button type="submit" class="send" aria-label={say("composer.send")} aria-disabled={empty}>
      <Icon sign="send" />
    </button>
  );
}

function PersonMode(): VNode {
  const { state } = usePanel();
  const say = state.say.value;
  return (
    <p class="person-mode">
      <Icon sign="person" />
      <span>{say("person.mode")}</span>
      <button type="button" class="link" onClick={() => (state.toPerson.value = false)}>
        {say("person.cancel")}
      </button>
    </p>
  );
}
