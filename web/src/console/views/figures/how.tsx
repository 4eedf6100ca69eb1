/** How the turns of a case were answered, folded away beside it. */

import type { ComponentChildren } from "preact";
import { Trouble } from "../../api";
import { money, number, portion, wait } from "../../figures/numbers";
import type { Answered } from "../../figures/wire";
import { type Escalation, turnsOf } from "../../wire";
import { readable } from "../../words";
import { useConsole } from "../context";
import { useFigureWords } from "./context";

export function How({ item }: { item: Escalation }) {
  const { how } = useConsole();
  const words = useFigureWords();
  return (
    <details
      class="how"
      lang={words.locale.slice(0, 2)}
      dir={words.dir}
      onToggle={(event) => {
        if (event.currentTarget.open) void how.show(item.id);
      }}
    >
      <summary>{words.how.title}</summary>
      <Known item={item} />
    </details>
  );
}

function Known({ item }: { item: Escalation }) {
  const { how: store } = useConsole();
  const { how: words, chart, ...all } = useFigureWords();
  const known = store.known.value.get(item.id) ?? null;
  if (known === null) {
    return (
      <p class="hint" role="status">
        {words.loading}
      </p>
    );
  }
  if (known instanceof Trouble) {
    return (
      <div role="alert">
        <p class="hint">{words.failed}</p>
        <button type="button" class="button" onClick={() => void store.show(item.id)}>
          {all.again}
        </button>
      </div>
    );
  }
  if (known.length === 0) return <p class="hint">{words.none}</p>;
  return (
    <>
      {known.map((turn, place) => (
        <div key={turn.turnId} class="how-turn">
          {(known.length > 1 || turnsOf(item) > 1) && <h3>{words.turn(place + 1)}</h3>}
          <Turn turn={turn} />
        </div>
      ))}
    </>
  );
}

function Turn({ turn }: { turn: Answered }) {
  const words = useFigureWords();
  const { how, locale } = words;
  const share = (value: number): string => portion(value, 1, locale);
  const reasons = turn.reasons.map((reason) => words.reasons.names[reason] ?? readable(reason));
  const tokens = turn.promptTokens + turn.completionTokens;
  return (
    <dl>
      <Row name={how.source}>{words.answered.sources[turn.source] ?? readable(turn.source)}</Row>
      {turn.model && (
        <Row name={how.model}>
          <bdi>{turn.model}</bdi>
          {turn.tier && (
            <>
              {" · "}
              <bdi>{turn.tier}</bdi>
            </>
          )}
        </Row>
      )}
      {turn.reason && (
        <Row name={how.reason}>{words.choices.names[turn.reason] ?? readable(turn.reason)}</Row>
      )}
      {turn.confidence !== null && <Row name={how.confidence}>{share(turn.confidence)}</Row>}
      {reasons.length > 0 && <Row name={how.why}>{reasons.join(", ")}</Row>}
      {turn.taskType && <Row name={how.task}>{readable(turn.taskType)}</Row>}
      {turn.complexity !== null && <Row name={how.complexity}>{share(turn.complexity)}</Row>}
      {turn.totalMs !== null && (
        <Row name={how.took}>
          {turn.firstTokenMs === null
            ? wait(turn.totalMs, locale)
            : how.tookFirst(wait(turn.totalMs, locale), wait(turn.firstTokenMs, locale))}
        </Row>
      )}
      {turn.model && <Row name={how.cost}>{money(turn.micros, locale)}</Row>}
      {tokens > 0 && (
        <Row name={how.tokens}>
          {how.tokensOf(number(turn.promptTokens, locale), number(turn.completionTokens, locale))}
        </Row>
      )}
      {Object.entries(turn.scores).map(([name, value]) => (
        <Row key={name} name={how.scores[name] ?? readable(name)}>
          {share(value)}
        </Row>
      ))}
    </dl>
  );
}

function Row({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
