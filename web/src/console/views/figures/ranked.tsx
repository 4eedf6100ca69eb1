/** What is counted by its reason or its model: tables that are charts themselves. */

import { useId } from "preact/hooks";
import { money, number, portion } from "../../figures/numbers";
import type { Figures, Reason } from "../../figures/wire";
import { readable } from "../../words";
import { AsTable } from "./chart";
import { useFigureWords } from "./context";

/** So many are told; what comes after is a handful of questions each. */
const MOST = 8;

interface RankedProps {
  readonly title: string;
  readonly what: string;
  readonly none: string;
  readonly reasons: readonly Reason[];
  readonly names: Readonly<Record<string, string>>;
  /** How many turns they are of. */
  readonly of: number;
}

export function Ranked({ title, what, none, reasons, names, of }: RankedProps) {
  const { reasons: words, locale } = useFigureWords();
  const id = useId();
  const most = Math.max(1, ...reasons.map(({ turns }) => turns));
  return (
    <section class="figure" aria-labelledby={id}>
      <div class="figure-head">
        <div>
          <h3 id={id}>{title}</h3>
          <p class="hint">{what}</p>
        </div>
      </div>
      {reasons.length === 0 ? (
        <p class="hint figure-note">{none}</p>
      ) : (
        <table class="ranked" aria-labelledby={id}>
          <thead class="unseen">
            <tr>
              <th scope="col">{words.reason}</th>
              <th scope="col">{words.turns}</th>
              <th scope="col">{words.share}</th>
            </tr>
          </thead>
          <tbody>
            {reasons.slice(0, MOST).map(({ reason, turns }) => (
              <tr key={reason}>
                <th scope="row" class="ranked-name">
                  {names[reason] ?? readable(reason)}
                  <svg
                    class="ranked-bar"
                    viewBox="0 0 100 6"
                    preserveAspectRatio="none"
                    aria-hidden="true"
                  >
                    <rect class="scale-all" width="100" height="6" />
                    <rect class="scale-part" width={(turns / most) * 100} height="6" />
                  </svg>
                </th>
                <td>{number(turns, locale)}</td>
                <td>{portion(turns, of, locale)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

export function Models({ figures }: { figures: Figures }) {
  const { models: words, spend, locale } = useFigureWords();
  const id = useId();
  const { models } = figures;
  if (models.length === 0) return null;
  const table = {
    rows: { name: words.model, cells: models.map(({ model }) => model) },
    columns: [
      { name: words.tier, cells: models.map(({ tier }) => tier ?? spend.noTier) },
      { name: words.turns, cells: models.map(({ turns }) => number(turns, locale)) },
      { name: words.read, cells: models.map((one) => number(one.promptTokens, locale)) },
      { name: words.written, cells: models.map((one) => number(one.completionTokens, locale)) },
      { name: words.cost, cells: models.map(({ micros }) => money(micros, locale)) },
      {
        name: words.each,
        cells: models.map(({ micros, turns }) => money(turns === 0 ? 0 : micros / turns, locale)),
      },
    ],
  };
  return (
    <section class="figure figure-wide" aria-labelledby={id}>
      <div class="figure-head">
        <div>
          <h3 id={id}>{words.title}</h3>
          <p class="hint">{words.what}</p>
        </div>
      </div>
      <AsTable table={table} title={words.title} />
    </section>
  );
}
