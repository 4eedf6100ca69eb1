/** Why a question was not answered, what to do, and the button that does it. */
import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Trouble } from "../state.ts";
import { usePanel } from "./context.ts";

/** Whole seconds left until `until`, counting down on the screen. */
function useSecondsLeft(until: number): number {
  const left = () => Math.max(0, Math.ceil((until - Date.now()) / 1000));
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    setSeconds(left());
    const timer = setInterval(() => setSeconds(left()), 1000);
    return () => clearInterval(timer);
  }, [until]);
  return seconds;
}

export function TroubleNote({ trouble }: { readonly trouble: Trouble }): VNode {
  const { state, conversation } = usePanel();
  const say = state.say.value;
  const seconds = useSecondsLeft(trouble.until);
  // Announced once, with the whole wait: a countdown read aloud each second would drown all else.
  const [announced] = useState(seconds);
  const retriable = trouble.kind !== "long";
  return (
    <div class="trouble">
      <p class="hidden" role="alert">
        {say(`problem.${trouble.kind}`, { n: announced })}
      </p>
      <p aria-hidden="true">{say(`problem.${trouble.kind}`, { n: seconds })}</p>
      {trouble.kind === "refused" && trouble.detail && (
        <p class="small" dir="auto">
          {trouble.detail}
        </p>
      )}
      {retriable && (
        <button
          type="button"
          class="button"
          disabled={seconds > 0}
          onClick={() => void conversation.retry(trouble.turnId)}
        >
          {say("problem.retry")}
        </button>
      )}
    </div>
  );
}
