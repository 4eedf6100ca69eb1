/**
 * What every chart has around it: a title that says what it means, its numbers in words, and the
 * table behind it.
 *
 * Decides: that the legend tells the numbers of the place that is pointed at, of everything otherwise.
 */

import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";
import { useFigureWords } from "./context";

export interface Column {
  readonly name: string;
  readonly cells: readonly string[];
}

export interface Table {
  /** What the rows are, and their names. */
  readonly rows: Column;
  readonly columns: readonly Column[];
}

export interface ChartProps {
  readonly title: string;
  readonly what: string;
  readonly table: Table;
  readonly wide?: boolean;
  readonly children: (labelledBy: string) => ComponentChildren;
}

export function Chart({ title, what, table, wide = false, children }: ChartProps) {
  const { chart: words } = useFigureWords();
  const [asTable, setAsTable] = useState(false);
  const id = useId();
  return (
    <section class={`figure${wide ? " figure-wide" : ""}`} aria-labelledby={id}>
      <div class="figure-head">
        <div>
          <h3 id={id}>{title}</h3>
          <p class="hint">{what}</p>
        </div>
        <button
          type="button"
          class="button-text figure-toggle"
          aria-describedby={id}
          onClick={() => setAsTable(!asTable)}
        >
          {asTable ? words.chart : words.table}
        </button>
      </div>
      {asTable ? <AsTable table={table} title={title} /> : children(id)}
    </section>
  );
}

/** One that is too wide moves by itself; the page does not. */
export function AsTable({ table, title }: { table: Table; title: string }) {
  const { chart } = useFigureWords();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what moves must be reached by the keyboard
    <section class="figure-table" tabIndex={0} aria-label={chart.tableOf(title)}>
      <table>
        <thead>
          <tr>
            <th scope="col">{table.rows.name}</th>
            {table.columns.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.cells.map((name, row) => (
            <tr key={row}>
              <th scope="row">{name}</th>
              {table.columns.map((column) => (
                <td key={column.name}>{column.cells[row]}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

export interface LegendItem {
  readonly name: string;
  readonly value: string;
  /** Which colour; null for what is only told. */
  readonly tone: string | null;
}

/** @param when the place that the values are of. */
export function Legend({ when, items }: { when: string; items: readonly LegendItem[] }) {
  return (
    <div class="legend">
      <p class="legend-when">{when}</p>
      <dl>
        {items.map(({ name, value, tone }) => (
          <div key={name}>
            <dt>
              {tone !== null && (
                <svg class="legend-swatch" width="12" height="12" aria-hidden="true">
                  <rect class={`tone ${tone}`} width="12" height="12" rx="3" />
                </svg>
              )}
              {name}
            </dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
