/** What is kept of the visitor: shown, searched, and handed over as a file. */
import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { directionOfText } from "../../i18n/direction.ts";
import type { StringKey } from "../../i18n/strings.ts";
import type { Entry } from "../../vault/entry.ts";
import { lastAt, linesOf, type Talk, talksOf } from "../../vault/talks.ts";
import { titleOf } from "../../vault/titles.ts";
import { everythingHeld } from "../held.ts";
import { asJson, asText, matching, writerOf } from "../transcript.ts";
import { usePanel } from "./context.ts";
import { formatTime } from "./exchange.tsx";
import { Search, Sheet } from "./sheet.tsx";

/** Hands the visitor a file. */
export function save(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The download has read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export function Kept({ onClose }: { readonly onClose: () => void }): VNode {
  const { state } = usePanel();
  const say = state.say.value;
  return (
    <Sheet title={say("kept.title")} onClose={onClose}>
      <p class="small">
        {say(state.keeping.value === "kept" ? "kept.browser" : "kept.page", {
          n: linesOf(state.kept.value).length,
        })}
      </p>
      <Lines />
      <Files />
    </Sheet>
  );
}

function Lines(): VNode {
  const { state } = usePanel();
  const say = state.say.value;
  const [words, setWords] = useState("");
  const talks = talksOf(state.kept.value)
    .map((talk) => ({
      ...talk,
      entries: talk.entries.filter(({ content }) => content !== ""),
    }))
    .sort((a, b) => lastAt(b) - lastAt(a));
  if (talks.every(({ entries }) => entries.length === 0)) {
    return <p class="empty">{say("kept.empty")}</p>;
  }
  const matches = talks.map((talk) => ({ talk, lines: matching(talk.entries, words) }));
  const found = matches.flatMap(({ lines }) => lines);
  return (
    <>
      <Search
        label={say("kept.search")}
        words={words}
        onWords={setWords}
        found={say("kept.found", { n: found.length })}
      />
      {found.length === 0 && <p class="empty">{say("kept.found", { n: 0 })}</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls what it can reach. */}
      <section class="lines" tabIndex={0} aria-label={say("log.label")}>
        {matches.map(({ talk, lines }) => (
          <TalkLines
            key={talk.conversation_id}
            talk={talk}
            lines={lines}
            headed={talks.length > 1}
          />
        ))}
      </section>
    </>
  );
}

interface TalkLinesProps {
  readonly talk: Talk;
  readonly lines: readonly Entry[];
  /** There are others, so it says which one it is. */
  readonly headed: boolean;
}

function TalkLines({ talk, lines, headed }: TalkLinesProps): VNode | null {
  if (lines.length === 0) return null;
  const title = titleOf(talk) ?? "";
  return (
    <>
      {headed && <h3 dir={directionOfText(title)}>{title}</h3>}
      <ul>
        {lines.map((entry) => (
          <Line key={entry.id} entry={entry} />
        ))}
      </ul>
    </>
  );
}

function Line({ entry }: { readonly entry: Entry }): VNode {
  const { state } = usePanel();
  const { config, locale } = state;
  return (
    <li>
      <p class="small">
        <bdi>{writerOf(entry, state.say.value, config.name)}</bdi>
        <time dateTime={new Date(entry.at).toISOString()}>
          {formatTime(entry.at, locale.value, Date.now())}
        </time>
      </p>
      <p dir={directionOfText(entry.content)}>{entry.content}</p>
    </li>
  );
}

function Files(): VNode {
  const { state } = usePanel();
  const { config, locale } = state;
  const say = state.say.value;
  const { name } = config;
  const text = () =>
    save("conversation.txt", "text/plain", asText(state.kept.value, say, name, locale.value));
  const json = () => save("conversation.json", "application/json", asJson(state.kept.value, name));
  return (
    <div class="files">
      {linesOf(state.kept.value).length > 0 && (
        <>
          <button type="button" class="button" onClick={text}>
            {say("kept.text")}
          </button>
          <button type="button" class="button" onClick={json}>
            {say("kept.json")}
          </button>
        </>
      )}
      <Server />
    </div>
  );
}

/** What the server holds, asked for page after page until the visitor stops it or closes the list. */
function Server(): VNode {
  const { state, memory } = usePanel();
  const say = state.say.value;
  const [told, setTold] = useState<StringKey>();
  const [count, setCount] = useState(0);
  const asking = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => asking.current?.abort(), []);
  const ask = async () => {
    const stopping = new AbortController();
    asking.current = stopping;
    const { signal } = stopping;
    setCount(0);
    setTold("kept.asking");
    const there = state.connection.value !== "offline";
    const page = (cursor: string | null, stop: AbortSignal) => memory.held(cursor, stop);
    const held = there
      ? await everythingHeld({ page, onCount: setCount, stop: signal }).catch(() => undefined)
      : undefined;
    asking.current = undefined;
    if (held !== undefined) save("held-by-the-server.json", "application/json", held);
    if (signal.aborted) setTold("kept.stopped");
    else setTold(held === undefined ? "kept.unreached" : "kept.saved");
  };
  const busy = told === "kept.asking";
  const press = () => (busy ? asking.current?.abort() : void ask());
  return (
    <>
      {/* One button: whoever pressed it has the focus on what stops it. */}
      <button type="button" class="button" onClick={press}>
        {say(busy ? "kept.stop" : "kept.server")}
      </button>
      <p class="small" role="status">
        {told && say(told)}
      </p>
      {/* Read out where it is looked for, not at every page. */}
      {busy && count > 0 && <p class="small">{say("kept.so_far", { n: count })}</p>}
    </>
  );
}
