/** Bars in parts, one for each hour or day. */

import { useState } from "preact/hooks";
import { timeNames } from "../../figures/numbers";
import { band, down, stacked } from "../../figures/scales";
import type { Figures } from "../../figures/wire";
import { Chart, Legend } from "./chart";
import { useFigureWords } from "./context";
import { Plot } from "./plot";

export interface Series {
  readonly name: string;
  readonly tone: string;
  /** One for each hour or day. */
  readonly values: readonly number[];
}

export interface StacksProps {
  readonly title: string;
  readonly what: string;
  readonly figures: Figures;
  readonly series: readonly Series[];
  readonly ticks: (most: number) => readonly number[];
  readonly format: (value: number) => string;
  /** How the axis says its ticks, where not as all else. */
  readonly tick?: (value: number, step: number) => string;
  readonly wide?: boolean;
}

export function Stacks(props: StacksProps) {
  const { title, what, figures, series, format, wide } = props;
  const words = useFigureWords();
  const [place, onPlace] = useState<number | null>(null);
  const names = figures.spans.map(({ from }) => timeNames(from, figures.by, words.locale));
  const { tick = format } = props;
  const sums = names.map((_, at) => sum(series.map(({ values }) => values[at] ?? 0)));
  const axis = props.ticks(Math.max(0, ...sums));
  const told = (values: readonly number[], at: number | null): string =>
    format(at === null ? sum(values) : (values[at] ?? 0));
  const items = series.map(({ name, tone, values }) => ({
    name,
    tone,
    value: told(values, place),
  }));
  const table = {
    rows: { name: words.chart.when, cells: [...names.map(({ long }) => long), words.chart.all] },
    columns: series.map(({ name, values }) => ({
      name,
      cells: [...values.map(format), format(sum(values))],
    })),
  };
  return (
    <Chart title={title} what={what} table={table} wide={wide ?? false}>
      {(labelledBy) => (
        <>
          <Legend when={named(names, place, words.chart.all)} items={items} />
          <Plot
            labelledBy={labelledBy}
            names={names.map(({ short }) => short)}
            each={60}
            ticks={axis}
            format={(value) => tick(value, axis[1] ?? Number.POSITIVE_INFINITY)}
            place={place}
            onPlace={onPlace}
            tell={(at) => {
              const parts = series.map(({ name, values }) => `${name} ${told(values, at)}`);
              return `${names[at]?.long}: ${parts.join(", ")}`;
            }}
          >
            {(box, top) =>
              names.map((_, at) => {
                const { start, width } = band(at, names.length, box);
                const parts = stacked(series.map(({ values }) => values[at] ?? 0));
                return parts.map(([from, to], which) => {
                  if (to === from) return null;
                  const y = down(to, top, box);
                  const gap = which > 0 && width > 3 ? 1 : 0;
                  const height = Math.max(1, down(from, top, box) - y - gap);
                  const tone = series[which]?.tone;
                  return (
                    <rect
                      key={`${at} ${which}`}
                      class={`tone ${tone}`}
                      x={start}
                      y={y}
                      width={width}
                      height={height}
                      rx={Math.min(2, width / 4, height / 2)}
                    />
                  );
                });
              })
            }
          </Plot>
        </>
      )}
    </Chart>
  );
}

/** What the legend's numbers are of. */
export function named(
  names: readonly { readonly long: string }[],
  place: number | null,
  all: string,
): string {
  return place === null ? all : (names[place]?.long ?? all);
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
