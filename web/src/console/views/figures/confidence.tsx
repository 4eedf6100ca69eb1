/**
 * How sure answers were, and below how right that was.
 *
 * Decides: two plots over one scale of confidence, not one with two scales. Where nobody has judged
 * anything, it says so in the place of the second.
 */

import { useState } from "preact/hooks";
import { number, portion } from "../../figures/numbers";
import { type Box, band, down, wholeTicks } from "../../figures/scales";
import type { ConfidenceBin, Figures } from "../../figures/wire";
import { Chart, Legend } from "./chart";
import { useFigureWords } from "./context";
import { Plot } from "./plot";

/** Below so many judged the share says little: one more could move it by a tenth. */
const FEW = 10;
const HALVES = [0, 0.5, 1];

export function Confidence({ figures }: { figures: Figures }) {
  const words = useFigureWords();
  const { confidence: own, locale } = words;
  const [place, onPlace] = useState<number | null>(null);
  const bins = figures.confidence;
  const whole = together(bins);
  const here = place === null ? whole : (bins[place] ?? whole);
  const share = (of: number): string => portion(of, 1, locale);
  const name = (bin: ConfidenceBin): string => own.bin(share(bin.from), share(bin.to));
  const good = (bin: ConfidenceBin): string => portion(bin.good, bin.judged, locale);
  const rows = [...bins, whole];
  const table = {
    rows: { name: own.sure, cells: [...bins.map(name), words.chart.all] },
    columns: [
      { name: own.turns, cells: rows.map(({ turns }) => number(turns, locale)) },
      {
        name: own.mean,
        cells: rows.map(({ mean }) => portion(mean ?? 0, mean === null ? 0 : 1, locale)),
      },
      { name: own.judged, cells: rows.map(({ judged }) => number(judged, locale)) },
      { name: own.good, cells: rows.map(good) },
    ],
  };
  const items = [
    { name: own.turns, tone: "tone-turns", value: number(here.turns, locale) },
    { name: own.good, tone: "tone-good", value: good(here) },
    { name: own.judged, tone: null, value: number(here.judged, locale) },
  ];
  const common = {
    names: bins.map((bin) => share(bin.to)),
    each: 48,
    place,
    onPlace,
    tell: (at: number) => {
      const bin = bins[at] ?? whole;
      return `${name(bin)}: ${own.turns} ${number(bin.turns, locale)}, ${own.good} ${good(bin)}`;
    },
  };
  const most = Math.max(0, ...bins.map(({ turns }) => turns));
  return (
    <Chart title={own.title} what={own.what} table={table}>
      {(labelledBy) => (
        <>
          <Legend when={place === null ? words.chart.all : name(here)} items={items} />
          <Plot
            {...common}
            labelledBy={labelledBy}
            names={bins.map(() => "")}
            height={132}
            ticks={wholeTicks(most, 2)}
            format={(turns) => number(turns, locale)}
          >
            {(box, top) => <Bars bins={bins} box={box} top={top} />}
          </Plot>
          {whole.judged === 0 ? (
            <p class="hint figure-note">{own.unjudged}</p>
          ) : (
            <Plot
              {...common}
              labelledBy={labelledBy}
              height={172}
              ticks={HALVES}
              format={(part) => share(part)}
            >
              {(box) => <Reliability bins={bins} box={box} />}
            </Plot>
          )}
        </>
      )}
    </Chart>
  );
}

function Bars({ bins, box, top }: { bins: readonly ConfidenceBin[]; box: Box; top: number }) {
  return (
    <>
      {bins.map(({ turns }, at) => {
        const { start, width } = band(at, bins.length, box, 0.84, 200);
        const y = down(turns, top, box);
        return (
          <rect
            key={at}
            class="tone tone-turns"
            x={start}
            y={y}
            width={width}
            height={box.height - y}
          />
        );
      })}
    </>
  );
}

/** A mark for each bin that has judged answers, hollow where they are few, and the line of honesty. */
function Reliability({ bins, box }: { bins: readonly ConfidenceBin[]; box: Box }) {
  const across = (share: number): number => (box.rtl ? 1 - share : share) * box.width;
  return (
    <>
      <line class="honest" x1={across(0)} y1={box.height} x2={across(1)} y2="0" />
      {bins.map(({ from, to, mean, judged, good }, at) => {
        if (judged === 0) return null;
        const x = across(mean ?? (from + to) / 2);
        const y = down(good / judged, 1, box);
        const said = down(mean ?? (from + to) / 2, 1, box);
        const few = judged < FEW ? " mark-few" : "";
        return (
          <g key={at}>
            <line class="astray" x1={x} x2={x} y1={said} y2={y} />
            <path class={`mark-good${few}`} d={`M${x} ${y - 6}l6 6l-6 6l-6-6z`} />
          </g>
        );
      })}
    </>
  );
}

function together(bins: readonly ConfidenceBin[]): ConfidenceBin {
  const sum = (of: (bin: ConfidenceBin) => number): number =>
    bins.reduce((all, bin) => all + of(bin), 0);
  const turns = sum((bin) => bin.turns);
  const mean = turns === 0 ? null : sum((bin) => (bin.mean ?? 0) * bin.turns) / turns;
  return { from: 0, to: 1, turns, mean, judged: sum((b) => b.judged), good: sum((b) => b.good) };
}
