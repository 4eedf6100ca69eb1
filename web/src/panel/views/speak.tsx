/**
 * The button to speak a question: what was heard stands in the field, to be read before it is sent.
 *
 * Decides: that the visitor knows where the sound may go before it goes there, once. Typing, Escape, or leaving the panel
 * ends the listening.
 */
import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { StringKey } from "../../i18n/strings.ts";
import { hearsHere, listen, spokenIn } from "../listening.ts";
import { recogniser } from "../recognition.ts";
import { usePanel } from "./context.ts";

const MICROPHONE =
  "M12 3.5a2.8 2.8 0 0 1 2.8 2.8v5.2a2.8 2.8 0 0 1-5.6 0V6.3a2.8 2.8 0 0 1 2.8-2.8ZM6 11.5a6 6 0 0 0 12 0M12 17.5V21";

interface SpeakProps {
  readonly text: string;
  readonly setText: (text: string) => void;
  readonly onClose: () => void;
}

type Stage = "off" | "asking" | "listening";

export function Speak({ text, setText }: SpeakProps): VNode {
  const { state, memory } = usePanel();
  const [stage, setStage] = useState<Stage>("off");
  const [trouble, setTrouble] = useState<StringKey>();
  const end = useRef<() => void>(() => undefined);
  const written = useRef(text);
  const stop = () => {
    end.current();
    setStage("off");
  };
  const start = (here: boolean) => {
    const maker = recogniser();
    if (!maker) return;
    const before = text && !/\s$/.test(text) ? `${text} ` : text;
    setStage("listening");
    written.current = text;
    const lang = spokenIn(state.locale.value, navigator.languages);
    end.current = listen(new maker(), lang, here, {
      heard: (heard) => {
        written.current = before + heard;
        setText(written.current);
      },
      over: (found) => {
        setStage("off");
        setTrouble(found);
        state.composing.value += 1;
      },
    });
  };
  const press = async () => {
    setTrouble(undefined);
    if (stage !== "off") return stop();
    const maker = recogniser();
    const lang = spokenIn(state.locale.value, navigator.languages);
    const here = maker !== undefined && (await hearsHere(maker, lang));
    if (here || state.voice.value) start(here);
    else setStage("asking");
  };
  const agree = () => {
    memory.allowVoice();
    start(false);
  };
  useEnds(stage, stop, text !== written.current, state.visible.value);
  return (
    <>
      <Microphone listening={stage === "listening"} onPress={() => void press()} />
      {stage === "asking" && <Note onAgree={agree} onCancel={stop} />}
      {stage !== "asking" && <Said listening={stage === "listening"} trouble={trouble} />}
    </>
  );
}

/** What ends it, beside the button: the hand on the keys, Escape, and a panel that nobody sees. */
function useEnds(stage: Stage, stop: () => void, typed: boolean, visible: boolean): void {
  useEffect(() => {
    if (stage === "listening" && (typed || !visible)) stop();
  }, [stage, typed, visible]);
  useEffect(() => {
    if (stage === "off") return;
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      // The panel stays: only the listening ends.
      event.preventDefault();
      stop();
    };
    document.addEventListener("keydown", onKey, true);
    return () => document.removeEventListener("keydown", onKey, true);
  }, [stage]);
  useEffect(() => stop, []);
}

interface MicrophoneProps {
  readonly listening: boolean;
  readonly onPress: () => void;
}

function Microphone({ listening, onPress }: MicrophoneProps): VNode {
  const say = usePanel().state.say.value;
  return (
    <button
      type="button"
      class="microphone"
      aria-label={say(listening ? "voice.stop" : "voice.start")}
      aria-pressed={listening}
      onClick={onPress}
    >
      <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
        <path d={MICROPHONE} />
      </svg>
    </button>
  );
}

interface NoteProps {
  readonly onAgree: () => void;
  readonly onCancel: () => void;
}

/** Before the first time: where the sound may go. */
function Note({ onAgree, onCancel }: NoteProps): VNode {
  const { state } = usePanel();
  const say = state.say.value;
  const agree = useRef<HTMLButtonElement>(null);
  useEffect(() => agree.current?.focus(), []);
  return (
    <fieldset class="voice">
      <legend class="hidden">{say("voice.start")}</legend>
      <p id="voice-note">{say("voice.note", { name: state.config.name })}</p>
      <button
        type="button"
        class="chip"
        ref={agree}
        aria-describedby="voice-note"
        onClick={onAgree}
      >
        {say("voice.agree")}
      </button>
      <button
        type="button"
        class="chip quiet"
        onClick={() => {
          onCancel();
          state.composing.value += 1;
        }}
      >
        {say("cancel")}
      </button>
    </fieldset>
  );
}

interface SaidProps {
  readonly listening: boolean;
  readonly trouble: StringKey | undefined;
}

function Said({ listening, trouble }: SaidProps): VNode {
  const say = usePanel().state.say.value;
  const words = listening ? say("voice.listening") : trouble && say(trouble);
  return (
    <p class={words ? "voice" : "hidden"} role="status">
      {words}
    </p>
  );
}
