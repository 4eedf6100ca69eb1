/** What a visitor may do with an answer, beside reading it: copy it, say whether it helped, see where it comes from. */
import type { ComponentChildren, VNode } from "preact";
import { useState } from "preact/hooks";
import type { StringKey } from "../../i18n/strings.ts";
import type { Entry, Mark } from "../../vault/entry.ts";
import { canMark } from "../feedback.ts";
import { usePanel } from "./context.ts";
import { Icon } from "./icons.tsx";

const SHOWN_MS = 2000;

/** Puts a text into the clipboard; `copied` is true for a while after. */
export function useCopy(text: string): { readonly copied: boolean; readonly copy: () => void } {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      setTimeout(() => setCopied(false), SHOWN_MS);
    } catch {
      // The browser or the host page forbids it: the text can still be selected.
    }
  };
  return { copied, copy: () => void copy() };
}

export function Actions({ answer }: { readonly answer: Entry }): VNode {
  const { state } = usePanel();
  const say = state.say.value;
  const { copied, copy } = useCopy(answer.content);
  return (
    <span class="actions">
      <button type="button" class="small-button" aria-label={say("copy.answer")} onClick={copy}>
        <Icon sign={copied ? "done" : "copy"} />
      </button>
      <span class="hidden" role="status">
        {copied && say("copied")}
      </span>
      <ReadAloud answer={answer} />
      {canMark(answer, state.consent.value) && <Marks answer={answer} />}
    </span>
  );
}

/** A button only where this device itself can speak the answer's language. */
function ReadAloud({ answer }: { readonly answer: Entry }): VNode | null {
  const { state, speaker } = usePanel();
  const locale = answer.locale ?? state.locale.value;
  if (!speaker.can(locale)) return null;
  const reads = speaker.speaking.value === answer.id;
  return (
    <button
      type="button"
      class="small-button"
      aria-label={state.say.value(reads ? "read.stop" : "read.aloud")}
      aria-pressed={reads}
      onClick={() => speaker.toggle(answer.id, answer.content, locale)}
    >
      <Icon sign="speak" />
    </button>
  );
}

const MARKS: readonly Mark[] = ["up", "down"];

function Marks({ answer }: { readonly answer: Entry }): VNode {
  const { state, feedback } = usePanel();
  const say = state.say.value;
  const { turn_id, mark } = answer;
  return (
    <>
      {MARKS.map((one) => (
        <button
          key={one}
          type="button"
          class="small-button"
          aria-label={say(`mark.${one}`)}
          aria-pressed={mark === one}
          onClick={() => void feedback.mark(turn_id, one)}
        >
          <Icon sign={one === "up" ? "thumbUp" : "thumbDown"} />
        </button>
      ))}
      <span class="hidden" role="status">
        {mark && say("mark.thanks")}
      </span>
    </>
  );
}

/** Why this answer and no other, in words: who made it, and how sure it is beside what is asked for. */
function reasonOf({ source, here, guarded }: Entry): StringKey | undefined {
  if (source === "kb") return here ? "why.kb.here" : "why.kb";
  if (source === "cloud" || source === "local") return `why.${source}`;
  if (source !== "fallback") return undefined;
  return guarded ? "why.guarded" : "why.fallback";
}

interface WhyProps {
  readonly answer: Entry;
  /** What is seen while it is closed. */
  readonly children: ComponentChildren;
}

/** The origin of an answer, which opens to say more. */
export function Why({ answer, children }: WhyProps): VNode {
  const { state } = usePanel();
  const say = state.say.value;
  const reason = reasonOf(answer);
  const { confidence, stopped } = answer;
  if (!reason) return <span>{children}</span>;
  const percent = new Intl.NumberFormat(state.locale.value, { style: "percent" });
  return (
    <details class="why">
      <summary>{children}</summary>
      <p>{say(reason, { name: state.config.name })}</p>
      {!stopped && confidence !== undefined && (
        <p>
          {say("why.sure", {
            sure: percent.format(confidence),
            needed: percent.format(state.config.confidence_threshold),
          })}
        </p>
      )}
    </details>
  );
}
