/** The first screen: what is kept, what is sent, and two ways on that both lead to answers. */
import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { usePanel } from "./context.ts";
import { Fanlight, Icon } from "./icons.tsx";

export function ConsentScreen(): VNode {
  const { state, memory } = usePanel();
  const say = state.say.value;
  const name = state.config.name;
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
        <ul>
          <li>
            <Icon sign="device" />
            <span>{say("consent.kept")}</span>
          </li>
          <li>
            <Icon sign="person" />
            <span>{say("consent.sent", { name })}</span>
          </li>
          <li>
            <Icon sign="clear" />
            <span>{say("consent.yours")}</span>
          </li>
        </ul>
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
