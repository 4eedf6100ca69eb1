/** How long answers took: a band from the median to what 95 of 100 stayed under. */

import { useState } from "preact/hooks";
import { timeNames, wait } from "../../figures/numbers";
import { type Box, band, between, down, line, ticks } from "../../figures/scales";
import type { Figures, Summary } from "../../figures/wire";
import { Chart, Legend } from "./chart";
import { useFigureWords } from "./context";
import { Plot } from "./plot";
import { named } from "./stacks";

type Read = (summary: Summary) => number | null;

const LINES: readonly { readonly key: "median" | "p95" | "first"; readonly read: Read }[] = [
  { key: "median", read: ({ total }) => total.median },
  { key: "p95", read: ({ total }) => total.p95 },
  { key: "first", read: ({ firstToken }) => firstToken.median },
];

export function Waits({ figures }: { figures: Figures }) {
  const words = useFigureWords();
  const { waits } = words;
  const [place, onPlace] = useState<number | null>(null);
  const { spans, total } = figures;
  const say = (ms: number | null): string => wait(ms, words.locale);
  const names = spans.map(({ from }) => timeNames(from, figures.by, words.locale));
  const most = Math.max(0, ...spans.map((span) => span.total.p95 ?? 0));
  const median = total.total.median;
  const title = median === null ? waits.none : waits.title(say(median));
  const table = {
    rows: { name: words.chart.when, cells: [...names.map(({ long }) => long), words.chart.all] },
    columns: LINES.map(({ key, read }) => ({
      name: waits[key],
      cells: [...spans, total].map((summary) => say(read(summary))),
    })),
  };
  // As tall as its neighbour, which has a second plot where answers were judged.
  const tall = figures.confidence.some(({ judged }) => judged > 0);
  const here = place === null ? total : (spans[place] ?? total);
  const items = LINES.map(({ key, read }) => ({
    name: waits[key],
    tone: `tone-${key}`,
    value: say(read(here)),
  }));
  return (
    <Chart title={title} what={waits.what} table={table}>
      {(labelledBy) => (
        <>
          <Legend when={named(names, place, words.chart.all)} items={items} />
          <Plot
            labelledBy={labelledBy}
            names={names.map(({ short }) => short)}
            each={60}
            height={tall ? 292 : 208}
            ticks={ticks(most / 1000).map((seconds) => seconds * 1000)}
            format={(ms) => (ms === 0 ? "0" : say(ms))}
            place={place}
            onPlace={onPlace}
            tell={(at) => {
              const span = spans[at] ?? total;
              const parts = LINES.map(({ key, read }) => `${waits[key]} ${say(read(span))}`);
              return `${names[at]?.long}: ${parts.join(", ")}`;
            }}
          >
            {(box, top) => <Marks figures={figures} box={box} top={top} />}
          </Plot>
        </>
      )}
    </Chart>
  );
}

function Marks({ figures, box, top }: { figures: Figures; box: Box; top: number }) {
  const { spans } = figures;
  const points = (read: Read) =>
    spans.map((span, at) => {
      const ms = read(span);
      const { middle } = band(at, spans.length, box);
      return ms === null ? null : ([middle, down(ms, top, box)] as const);
    });
  const [median = [], p95 = [], first = []] = LINES.map(({ read }) => points(read));
  const small = spans.length > 40 ? 1.5 : 3;
  return (
    <>
      <path class="waits-band" d={between(p95, median)} />
      <path class="waits-p95" d={line(p95)} />
      <path class="waits-first" d={line(first)} />
      <path class="waits-median" d={line(median)} />
      {median.map((point, at) => {
        const late = p95[at];
        if (point === null || late == null) return null;
        return (
          <g key={at}>
            {alone(median, at) && (
              <line class="waits-p95" x1={point[0]} x2={late[0]} y1={point[1]} y2={late[1]} />
            )}
            <rect class="tone tone-p95" x={late[0] - 2} y={late[1] - 2} width="4" height="4" />
            <circle class="tone tone-median" cx={point[0]} cy={point[1]} r={small} />
          </g>
        );
      })}
    </>
  );
}

/** Whether a point has no neighbour, so that no line leads to it. */
function alone(points: readonly (readonly [number, number] | null)[], at: number): boolean {
  return (points[at - 1] ?? null) === null && (points[at + 1] ?? null) === null;
}
