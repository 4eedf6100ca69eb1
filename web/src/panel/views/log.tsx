/** The conversation, its first words, and where it scrolls to. */
import type { RefObject, VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Entry } from "../../vault/entry.ts";
import { talksOf, unseenIn } from "../../vault/talks.ts";
import { exchanges, type Exchange as Turn, toJudge } from "../lines.ts";
import { usePanel } from "./context.ts";
import { Exchange } from "./exchange.tsx";
import { Fanlight, Icon } from "./icons.tsx";
import { DRAWN, useStretch } from "./stretch.ts";

export function Log(): VNode {
  const { state, talks } = usePanel();
  const say = state.say.value;
  const view = useRef<HTMLDivElement>(null);
  const known = useRef<readonly Turn[]>([]);
  const turns = exchanges(state.entries.value, known.current);
  known.current = turns;
  const { start, quiet, reach } = useStretch(turns, view);
  const done = turns.at(-1)?.answer?.escalation?.status === "resolved";
  const judged = toJudge(state.entries.value);
  useScroll(view);
  return (
    <div class="log" ref={view}>
      <div class="column">
        {turns.length === 0 && <Welcome />}
        {start > 0 && (
          <button
            type="button"
            class="link earlier"
            onClick={() => reach(Math.max(0, start - DRAWN))}
          >
            {say("log.earlier")}
          </button>
        )}
        <div role="log" aria-live={quiet ? "off" : "polite"} aria-label={say("log.label")}>
          {turns.slice(start).map((turn) => (
            <Exchange
              key={turn.turnId}
              turn={turn}
              last={turn === turns.at(-1)}
              judged={turn.turnId === judged}
            />
          ))}
        </div>
        {done && (
          <button type="button" class="button begin" onClick={() => void talks.begin()}>
            {say("talk.begin")}
          </button>
        )}
      </div>
      <NewReply view={view} onGo={(id) => reach(turns.findIndex(({ turnId }) => turnId === id))} />
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

interface NewReplyProps {
  readonly view: RefObject<HTMLElement | null>;
  /** Draws this turn, where it is not drawn. */
  readonly onGo: (turnId: string) => void;
}

/** A way to a person's reply that arrived out of sight. */
function NewReply({ view, onGo }: NewReplyProps): VNode | null {
  const { state } = usePanel();
  const newest = state.entries.value.filter(({ role }) => role === "person").at(-1);
  const seen = useRef(newest?.id);
  const [target, setTarget] = useState<Entry>();
  useEffect(() => {
    if (!newest || newest.id === seen.current) return;
    seen.current = newest.id;
    const place = document.getElementById(newest.id)?.getBoundingClientRect();
    const frame = view.current?.getBoundingClientRect();
    if (!frame) return;
    // A question of long ago is not drawn, nor are its replies.
    if (!place || place.top < frame.top || place.bottom > frame.bottom) setTarget(newest);
  }, [newest?.id]);
  if (!target) return null;
  const go = () => {
    onGo(target.turn_id);
    setTarget(undefined);
    requestAnimationFrame(() =>
      document.getElementById(target.id)?.scrollIntoView({ block: "center" }),
    );
  };
  return (
    <button type="button" class="new-reply" onClick={go}>
      {state.say.value("reply.new")}
      <Icon sign="down" />
    </button>
  );
}

/** A way to a person's reply in another conversation: to the one that was answered last. */
export function Elsewhere(): VNode {
  const { state, talks } = usePanel();
  const [, ...others] = talksOf(state.kept.value);
  const next = others.filter(unseenIn).at(-1);
  return (
    <div role="status" class="notice-slot">
      {next && (
        <button
          type="button"
          class="new-reply elsewhere"
          onClick={() => void talks.open(next.conversation_id)}
        >
          {state.say.value("talks.elsewhere")}
          <Icon sign="person" />
        </button>
      )}
    </div>
  );
}
