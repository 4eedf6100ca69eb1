/** The visitors' questions that got no answer, and what can be done about each. */

import { useRef, useState } from "preact/hooks";
import { DAYS } from "../../knowledge/unanswered_store";
import type { Unanswered } from "../../knowledge/wire";
import { address } from "../../navigation";
import { explain, language, languageOf, percent } from "../../words";
import { useConsole, useStrings } from "../context";
import { Time } from "../text";
import { EntryLink } from "./candidates";
import { Chooser } from "./chooser";

export function UnansweredPage() {
  const { unanswered } = useConsole().knowledge;
  const { unanswered: words } = useStrings().knowledge;
  return (
    <main class="page" aria-label={words.title}>
      <div class="page-head">
        <div>
          <h2 tabIndex={-1}>{words.title}</h2>
          <p class="page-lead">{words.lead}</p>
        </div>
        <label class="select select-named">
          {words.since}
          <select
            value={String(unanswered.days.value)}
            onChange={(event) => void unanswered.show(Number(event.currentTarget.value))}
          >
            {DAYS.map((days) => (
              <option key={days} value={String(days)}>
                {words.days(days)}
              </option>
            ))}
          </select>
        </label>
      </div>
      <Body />
    </main>
  );
}

function Body() {
  const { unanswered } = useConsole().knowledge;
  const strings = useStrings();
  const { unanswered: words, again } = strings.knowledge;
  const { value: items } = unanswered.items;
  const { value: trouble } = unanswered.all.trouble;
  if (trouble !== null) {
    return (
      <div class="blank" role="alert">
        <p class="blank-title">{words.failed}</p>
        <p>{explain(trouble, strings)}</p>
        <button type="button" class="button" onClick={() => void unanswered.load()}>
          {again}
        </button>
      </div>
    );
  }
  if (items === undefined) {
    return (
      <p class="blank" role="status">
        {words.loading}
      </p>
    );
  }
  if (items.length === 0) {
    return (
      <div class="blank">
        <p class="blank-title">{words.empty}</p>
        <p>{words.emptyBody}</p>
      </div>
    );
  }
  return (
    <ol class="cards">
      {items.map((item) => (
        <Card key={item.question} item={item} />
      ))}
    </ol>
  );
}

function Card({ item }: { item: Unanswered }) {
  const strings = useStrings();
  const { unanswered: words } = strings.knowledge;
  return (
    <li class="card">
      <h3
        class="card-question"
        tabIndex={-1}
        dir="auto"
        lang={languageOf(item.question, item.locale)}
      >
        {item.question}
      </h3>
      <p class="row-facts">
        <span class="card-count">{words.asked(item.count)}</span>
        {item.lastAt && (
          <span>
            {item.count > 1 && `${words.last} `}
            <Time at={item.lastAt} style="since" />
          </span>
        )}
        {item.locale && <span>{language(item.locale, strings)}</span>}
        {item.escalations[0] && (
          <span>
            <a href={address({ room: "inbox", id: item.escalations[0] })}>{words.read}</a>
          </span>
        )}
      </p>
      {item.similar.length > 0 && (
        <details class="card-similar">
          <summary>{words.similar(item.similar.length)}</summary>
          <ul>
            {item.similar.map((text) => (
              <li key={text} dir="auto" lang={languageOf(text, item.locale)}>
                {text}
              </li>
            ))}
          </ul>
        </details>
      )}
      <Deeds item={item} />
    </li>
  );
}

/** The buttons of a card. One that is dealt with goes: the focus goes to its neighbour first. */
function Deeds({ item }: { item: Unanswered }) {
  const { unanswered, editor, site } = useConsole().knowledge;
  const { unanswered: words } = useStrings().knowledge;
  const box = useRef<HTMLDivElement>(null);
  const [choosing, setChoosing] = useState(false);
  const { question } = item;
  const dealing = (deal: () => Promise<void>) => (): void => {
    moveOn(box.current);
    void deal();
  };
  const write = (): void => {
    const spoken = site.value?.locales.find((one) => one === item.locale);
    const locale = spoken ?? site.value?.defaultLocale ?? "en";
    editor.begin({ question, variants: [...item.similar], locale });
  };
  return (
    <div ref={box}>
      <Nearest item={item} dealing={dealing} />
      <div class="card-deeds">
        <button type="button" class="button" onClick={write}>
          {words.write}
        </button>
        <button type="button" class="button-text" onClick={() => setChoosing(true)}>
          {words.choose}
        </button>
        <button
          type="button"
          class="button-text"
          title={words.noneHelp}
          onClick={dealing(() => unanswered.mark(question, null))}
        >
          {words.none}
        </button>
      </div>
      <Chooser item={item} open={choosing} onClose={() => setChoosing(false)} onDone={dealing} />
    </div>
  );
}

interface NearestProps {
  readonly item: Unanswered;
  /** Makes a deed out of one that deals with the question. */
  readonly dealing: (deal: () => Promise<void>) => () => void;
}

function Nearest({ item, dealing }: NearestProps) {
  const { unanswered } = useConsole().knowledge;
  const { unanswered: words } = useStrings().knowledge;
  const { question, nearest } = item;
  if (nearest === null) return <p class="hint">{words.noNearest}</p>;
  return (
    <div class="card-nearest">
      <p>
        <span class="hint">{words.nearest(percent(nearest.confidence))}</span>
        <br />
        <EntryLink entry={nearest} question={nearest.question} />
      </p>
      <div class="card-deeds">
        <button
          type="button"
          class="button"
          title={words.addToHelp(nearest.question)}
          onClick={dealing(() => unanswered.addTo(question, nearest))}
        >
          {words.addTo}
        </button>
        <button
          type="button"
          class="button-text"
          title={words.rightHelp}
          onClick={dealing(() => unanswered.mark(question, nearest.id))}
        >
          {words.right}
        </button>
      </div>
    </div>
  );
}

function moveOn(from: HTMLElement | null): void {
  const card = from?.closest("li");
  const next = card?.nextElementSibling ?? card?.previousElementSibling;
  const heading = card?.closest("main")?.querySelector<HTMLElement>("h2");
  const place = next?.querySelector<HTMLElement>("button") ?? heading;
  // A dialog that is still open would keep the focus inside.
  requestAnimationFrame(() => place?.focus());
}
