/** The conversation, its first words, and where it scrolls to. */
import type { RefObject, VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { exchanges, toJudge } from "../lines.ts";
import { usePanel } from "./context.ts";
import { Exchange } from "./exchange.tsx";
import { Fanlight, Icon } from "./icons.tsx";

export function Log(): VNode {
  const { state } = usePanel();
  const say = state.say.value;
  const view = useRef<HTMLDivElement>(null);
  const turns = exchanges(state.entries.value);
  const judged = toJudge(state.entries.value);
  useScroll(view);
  return (
    <div class="log" ref={view}>
      <div class="column">
        {turns.length === 0 && <Welcome />}
        <div role="log" aria-live="polite" aria-label={say("log.label")}>
          {turns.map((turn) => (
            <Exchange
              key={turn.turnId}
              turn={turn}
              last={turn === turns.at(-1)}
              judged={turn.turnId === judged}
            />
          ))}
        </div>
      </div>
      <NewReply view={view} />
    </div>
  );
}

function Welcome(): VNode {
  const { state, conversation } = usePanel();
  const { config } = state;
  const say = state.say.value;
  const locale = state.locale.value;
  const starters = config.starters?.[locale] ?? [];
  const first = config.greetings?.[state.greeted.value]?.[locale] ?? config.greeting?.[locale];
  return (
    <div class="welcome">
      <Fanlight lit={4} />
      <h2>{say("greeting")}</h2>
      <p dir="auto">{first ?? say("greeting.hint", { name: config.name })}</p>
      <div class="suggestions">
        {starters.map((question) => (
          <button
            key={question}
            type="button"
            class="chip"
            dir="auto"
            onClick={() => void conversation.ask(question)}
          >
            {question}
          </button>
        ))}
        <button type="button" class="link" onClick={() => (state.opened.value = "topics")}>
          {say("menu.topics")}
        </button>
      </div>
    </div>
  );
}

const NEAR_PX = 120;

/**
 * Follows the conversation to its end, unless the visitor has scrolled away. An answer taller than the
 * view is shown from its question on, so that reading starts at the start.
 */
function useScroll(view: RefObject<HTMLElement | null>): void {
  const { state } = usePanel();
  const entries = state.entries.value;
  const live = state.live.value;
  const last = entries.at(-1)?.turn_id ?? "";
  const known = useRef("");
  useEffect(() => {
    const box = view.current;
    if (!box) return;
    const fresh = known.current !== last;
    known.current = last;
    const near = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX + box.clientHeight;
    if (!fresh && !near) return;
    const exchange = document.getElementById(last);
    const tall = exchange && exchange.offsetHeight > box.clientHeight - NEAR_PX;
    if (tall && !live) exchange.scrollIntoView({ block: "start" });
    else box.scrollTop = box.scrollHeight;
  }, [entries.length, live?.text, live === undefined, last]);
}

/** A way to a person's reply that arrived out of sight. */
function NewReply({ view }: { readonly view: RefObject<HTMLElement | null> }): VNode | null {
  const { state } = usePanel();
  const replies = state.entries.value.filter(({ role }) => role === "person");
  const newest = replies.at(-1)?.id;
  const seen = useRef(newest);
  const [target, setTarget] = useState<string>();
  useEffect(() => {
    if (!newest || newest === seen.current) return;
    seen.current = newest;
    const reply = document.getElementById(newest);
    const box = view.current;
    if (!reply || !box) return;
    const [place, frame] = [reply.getBoundingClientRect(), box.getBoundingClientRect()];
    if (place.top < frame.top || place.bottom > frame.bottom) setTarget(newest);
  }, [newest]);
  if (!target) return null;
  const go = () => {
    document.getElementById(target)?.scrollIntoView({ block: "center" });
    setTarget(undefined);
  };
  return (
    <button type="button" class="new-reply" onClick={go}>
      {state.say.value("reply.new")}
      <Icon sign="down" />
    </button>
  );
}
