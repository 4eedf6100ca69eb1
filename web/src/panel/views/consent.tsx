/** The first screen: what is kept, what is sent, and two ways on that both lead to answers. */
import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { usePanel } from "./context.ts";
import { Fanlight, Icon } from "./icons.tsx";

export function ConsentScreen(): VNode {
  const { state, memory } = usePanel();
  const say = state.say.value;
  const training = useSignal(false);
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (state.visible.value) title.current?.focus();
  }, [state.visible.value]);
  return (
    <div class="consent">
      <div class="consent-body">
        <Fanlight lit={2} />
        <h2 ref={title} tabIndex={-1}>
          {say("consent.title")}
        </h2>
        <p class="lead">{say("consent.lead")}</p>
        <Facts />
        <label class="check">
          <input
            type="checkbox"
            checked={training.value}
            onChange={(event) => {
              training.value = event.currentTarget.checked;
            }}
          />
          <span>{say("consent.training")}</span>
        </label>
      </div>
      <div class="choices">
        <button
          type="button"
          class="button strong"
          onClick={() => void memory.accept(training.value)}
        >
          {say("consent.accept")}
        </button>
        <button type="button" class="button" onClick={() => void memory.decline()}>
          {say("consent.decline")}
        </button>
      </div>
      <p class="small">{say("consent.note")}</p>
    </div>
  );
}

const FACTS = [
  ["device", "consent.kept"],
  ["person", "consent.sent"],
  ["clear", "consent.yours"],
] as const;

function Facts(): VNode {
  const { say, config } = usePanel().state;
  return (
    <ul>
      {FACTS.map(([sign, key]) => (
        <li key={key}>
          <Icon sign={sign} />
          <span>{say.value(key, { name: config.name })}</span>
        </li>
      ))}
    </ul>
  );
}
