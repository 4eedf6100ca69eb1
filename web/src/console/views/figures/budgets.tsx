/** What of each budget is used now, whatever time the charts are of, and who is nearest a limit. */

import { useId } from "preact/hooks";
import {
  type Budget,
  level,
  type Near,
  PERIODS,
  type Period,
  told,
  type Use,
} from "../../figures/budgets";
import { money, portion } from "../../figures/numbers";
import { clock } from "../../time";
import { explain } from "../../words";
import { useConsole, useStrings } from "../context";
import { useFigureWords } from "./context";

export function Budgets() {
  const { figures } = useConsole();
  const { budgets: words } = useFigureWords();
  const strings = useStrings();
  const id = useId();
  const { value: all } = figures.budgets.value;
  const { value: trouble } = figures.budgets.trouble;
  const shown = told(all ?? [], figures.place.value.site);
  if (all === null && trouble !== null) {
    return (
      <p class="hint budgets-failed" role="alert">
        {words.failed} {explain(trouble, strings)}
      </p>
    );
  }
  if (shown.length === 0) return null;
  return (
    <section class="figure budgets" aria-labelledby={id}>
      <div class="figure-head">
        <div>
          <h3 id={id}>{words.title}</h3>
          <p class="hint">{words.what}</p>
        </div>
      </div>
      {shown.map((budget) => (
        <Site key={budget.site} budget={budget} named={(all ?? []).length > 1} />
      ))}
    </section>
  );
}

function Site({ budget, named }: { budget: Budget; named: boolean }) {
  return (
    <div class="budget">
      {named && <h4>{budget.name}</h4>}
      <div class="budget-periods">
        {PERIODS.map((period) => (
          <div key={period} class="budget-period">
            <Used budget={budget} period={period} />
            {budget[period].callers.length > 0 && (
              <Callers callers={budget[period].callers} period={period} marks={budget.thresholds} />
            )}
          </div>
        ))}
      </div>
    </div>
  );
}

function Used({ budget, period }: { budget: Budget; period: Period }) {
  const { now } = useConsole();
  const { budgets: words, locale } = useFigureWords();
  const use = budget[period];
  const at = level(use, budget.thresholds);
  const name = words.periods[period];
  const spent = money(use.micros, locale);
  const resets = words.resets(clock(use.resetsAt, now.value, locale));
  if (use.limit === null) {
    return (
      <p class="budget-line">
        <span class="budget-name">{name}</span>
        <span class="budget-sum">{words.noLimit(spent)}</span>
      </p>
    );
  }
  const said = words.of(spent, money(use.limit, locale));
  return (
    <>
      <p class="budget-line">
        <span class="budget-name">{name}</span>
        <span class="budget-sum">{said}</span>
      </p>
      <Bar use={use} marks={budget.thresholds} />
      <p class="budget-line hint">
        <span class={at === "well" ? undefined : `budget-said budget-said-${at}`}>
          {at === "well" ? portion(use.micros, use.limit, locale) : words.levels[at]}
        </span>
        <span>{resets}</span>
      </p>
    </>
  );
}

interface BarProps {
  readonly use: Pick<Use, "micros" | "limit" | "usedUp">;
  readonly marks: readonly number[];
}

/** The part that is used, and where it is told of; what it shows is written beside it. */
function Bar({ use, marks }: BarProps) {
  const part = Math.min(1, use.micros / (use.limit ?? 1));
  return (
    <svg
      class={`budget-bar budget-${level(use, marks)}`}
      viewBox="0 0 100 8"
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <rect class="scale-all" width="100" height="8" />
      <rect class="budget-part" width={part * 100} height="8" />
      {marks.map((mark) => (
        <line key={mark} class="budget-mark" x1={mark * 100} x2={mark * 100} y2="8" />
      ))}
    </svg>
  );
}

interface CallersProps {
  readonly callers: readonly Near[];
  readonly period: Period;
  readonly marks: readonly number[];
}

function Callers({ callers, period, marks }: CallersProps) {
  const { budgets: words, locale } = useFigureWords();
  return (
    <table class="ranked budget-callers">
      <caption>{words.nearest[period]}</caption>
      <thead class="unseen">
        <tr>
          <th scope="col">{words.whose}</th>
          <th scope="col">{words.spent}</th>
        </tr>
      </thead>
      <tbody>
        {callers.map((one) => {
          const name = words.callers[one.whose](one.mark);
          const said = words.of(money(one.micros, locale), money(one.limit, locale));
          return (
            <tr key={one.mark}>
              <th scope="row" class="ranked-name">
                {name}
                <Bar use={{ ...one, usedUp: false }} marks={marks} />
              </th>
              <td>{said}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
