/** Where the visitor writes. Enter sends, Shift+Enter breaks the line, an input method is left alone. */
import type { RefObject, TargetedKeyboardEvent, VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { directionOfText } from "../../i18n/direction.ts";
import { LONGEST_QUESTION } from "../conversation.ts";
import { recogniser } from "../recognition.ts";
import { useBack } from "./back.ts";
import { usePanel } from "./context.ts";
import { Icon, StopIcon } from "./icons.tsx";
import { later } from "./later.tsx";
import { loadProse } from "./prose.tsx";

const NEARLY = 200;
const Speak = later(async () => (await import("./speak.tsx")).Speak);

/** Whether a key press sends: never while an input method is composing (229 is Safari's way to say so). */
export function sends(
  event: Pick<KeyboardEvent, "key" | "shiftKey" | "isComposing" | "keyCode">,
): boolean {
  return event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229;
}

export function Composer(): VNode {
  const { state, conversation } = usePanel();
  const [text, setText] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  const { composing, draft, live, toPerson, visible } = state;
  useEffect(() => {
    if (visible.value) field.current?.focus();
  }, [visible.value, toPerson.value, composing.value]);
  useEffect(() => grow(field.current), [text]);
  useEffect(() => {
    if (draft.value) setText(draft.value.text);
  }, [draft.value]);
  const send = () => {
    // The field itself, not the state: Enter may come before the last letter has been drawn.
    const written = field.current?.value ?? "";
    if (!written.trim() || live.value) return;
    const straight = toPerson.value;
    toPerson.value = false;
    setText("");
    void (straight ? conversation.tell(written) : conversation.ask(written));
    field.current?.focus();
  };
  const limited = (spoken: string) => setText(spoken.slice(0, LONGEST_QUESTION));
  const stop = () => {
    conversation.stop();
    // The button goes away with the answer; who pressed it stays where they were.
    field.current?.focus();
  };
  const onSubmit = (event: Event) => {
    event.preventDefault();
    send();
  };
  return (
    <form class="composer" onSubmit={onSubmit}>
      {toPerson.value && <PersonMode />}
      <div class="field">
        <Field field={field} text={text} setText={setText} send={send} />
        {state.config.voice && recogniser() && (
          <Speak text={text} setText={limited} onClose={() => undefined} />
        )}
        <SendButton empty={!text.trim()} stop={stop} />
      </div>
      <Left count={LONGEST_QUESTION - text.length} />
      <Unseen />
    </form>
  );
}

/** A field that no person sees or reaches. What fills it in is likely a script, though some browsers do so too. */
function Unseen(): VNode {
  const { state } = usePanel();
  return (
    <input
      class="unseen"
      name="website"
      tabIndex={-1}
      autoComplete="off"
      aria-hidden="true"
      onInput={(event) => {
        state.unseen = event.currentTarget.value;
      }}
    />
  );
}

interface FieldProps {
  readonly field: RefObject<HTMLTextAreaElement | null>;
  readonly text: string;
  readonly setText: (text: string) => void;
  readonly send: () => void;
}

function Field({ field, text, setText, send }: FieldProps): VNode {
  const { state, warm } = usePanel();
  const say = state.say.value;
  const toPerson = state.toPerson.value;
  const onKey = (event: TargetedKeyboardEvent<HTMLTextAreaElement>) => {
    if (!sends(event)) return;
    event.preventDefault();
    send();
  };
  return (
    <textarea
      ref={field}
      rows={1}
      // Empty, it runs as the panel does: so does its placeholder.
      dir={text ? directionOfText(text) : undefined}
      maxLength={LONGEST_QUESTION}
      enterkeyhint="send"
      aria-label={say(toPerson ? "composer.person" : "composer.label")}
      placeholder={say(toPerson ? "composer.person" : "composer.placeholder")}
      value={text}
      onInput={(event) => {
        if (!text) {
          warm();
          void loadProse();
        }
        setText(event.currentTarget.value);
      }}
      onKeyDown={onKey}
    />
  );
}

/** How much can still be written, once that is little. */
function Left({ count }: { readonly count: number }): VNode {
  const say = usePanel().state.say.value;
  return (
    <p class="small left" role="status">
      {count < NEARLY && say("composer.left", { n: count })}
    </p>
  );
}

/** As tall as its text, by the style sheet where the browser can, by measuring where it cannot. */
function grow(field: HTMLTextAreaElement | null): void {
  if (!field || CSS.supports("field-sizing", "content")) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}

interface SendProps {
  readonly empty: boolean;
  readonly stop: () => void;
}

function SendButton({ empty, stop }: SendProps): VNode {
  const { state } = usePanel();
  const say = state.say.value;
  if (state.live.value) {
    return (
      <button type="button" class="send" aria-label={say("composer.stop")} onClick={stop}>
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
  const back = useBack();
  const say = state.say.value;
  return (
    <p class="person-mode">
      <Icon sign="person" />
      <span>{back ?? say("person.mode")}</span>
      <button type="button" class="link" onClick={() => (state.toPerson.value = false)}>
        {say("person.cancel")}
      </button>
    </p>
  );
}
