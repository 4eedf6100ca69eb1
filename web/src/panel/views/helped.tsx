/**
 * Whether a person's answer helped: asked once, quietly, when the case is closed.
 *
 * Decides: what stands there: the question, or thanks with room for a word. Whoever would not say is not asked again.
 */
import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Entry, Verdict } from "../../vault/entry.ts";
import { usePanel } from "./context.ts";
import { Icon } from "./icons.tsx";

/** As much as the gateway takes. */
const LONGEST_WORD = 1000;

interface HelpedProps {
  readonly answer: Entry;
  readonly onClose: () => void;
}

export function Helped({ answer }: HelpedProps): VNode | null {
  /** Given here and now: only then is there thanks. */
  const [given, setGiven] = useState<Verdict>();
  if (given && given !== "unsaid") return <Thanks answer={answer} verdict={given} />;
  if (answer.verdict) return null;
  return <Ask answer={answer} onGive={setGiven} />;
}

interface AskProps {
  readonly answer: Entry;
  readonly onGive: (verdict: Verdict) => void;
}

function Ask({ answer, onGive }: AskProps): VNode {
  const { state, feedback } = usePanel();
  const say = state.say.value;
  const give = (verdict: Verdict) => {
    onGive(verdict);
    void feedback.judge(answer.turn_id, verdict);
    // The button goes; whoever pressed it goes on where they write.
    if (verdict === "unsaid") state.composing.value += 1;
  };
  return (
    <fieldset class="helped">
      <legend>{say("helped.ask")}</legend>
      <button type="button" class="chip" onClick={() => give("worked")}>
        {say("helped.yes")}
      </button>
      <button type="button" class="chip" onClick={() => give("failed")}>
        {say("helped.no")}
      </button>
      <button
        type="button"
        class="small-button"
        aria-label={say("helped.dismiss")}
        onClick={() => give("unsaid")}
      >
        <Icon sign="close" />
      </button>
    </fieldset>
  );
}

interface ThanksProps {
  readonly answer: Entry;
  readonly verdict: Verdict;
}

function Thanks({ answer, verdict }: ThanksProps): VNode {
  const { state, feedback } = usePanel();
  const say = state.say.value;
  const [word, setWord] = useState<"offered" | "open" | "sent">("offered");
  const field = useRef<HTMLInputElement>(null);
  const more = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    // What was pressed is gone: the focus stays at the same matter.
    (word === "open" ? field : more).current?.focus();
  }, [word]);
  const send = (event: Event) => {
    event.preventDefault();
    const text = field.current?.value.trim();
    if (!text) return;
    void feedback.judge(answer.turn_id, verdict, text);
    setWord("sent");
    state.composing.value += 1;
  };
  return (
    <form class="helped" onSubmit={send}>
      <p role="status">{say(word === "sent" ? "helped.sent" : "mark.thanks")}</p>
      {word === "offered" && (
        <button type="button" class="link" ref={more} onClick={() => setWord("open")}>
          {say("helped.more")}
        </button>
      )}
      {word === "open" && (
        <>
          <input
            ref={field}
            dir="auto"
            maxLength={LONGEST_WORD}
            aria-label={say("helped.label")}
            placeholder={say("helped.label")}
          />
          <button type="submit" class="chip">
            {say("composer.send")}
          </button>
        </>
      )}
    </form>
  );
}
