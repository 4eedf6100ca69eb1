/**
 * The frame that marks are drawn in: an axis with its lines, names below, and a place that the pointer
 * or the arrow keys choose.
 *
 * Decides: its size, from the room there is. The marks are the caller's; for who cannot see them it is
 * a slider that tells the numbers of each place.
 */

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { type Box, band, down, labelled, placeAt } from "../../figures/scales";
import { useFigureWords } from "./context";

const START = 48;
/** A digit's width, and what stands between a label and the lines. */
const DIGIT = 7;
const GAP = 14;
const END = 8;
const TOP = 10;
const BELOW = 26;
const UNMEASURED = 560;

export interface PlotProps {
  readonly labelledBy: string;
  /** Below each place; empty where only some have a name. */
  readonly names: readonly string[];
  /** How wide such a name is at most, in pixels. */
  readonly each: number;
  readonly ticks: readonly number[];
  readonly format: (value: number) => string;
  readonly height?: number;
  readonly place: number | null;
  readonly onPlace: (place: number | null) => void;
  /** What a place says. */
  readonly tell: (place: number) => string;
  readonly children: (box: Box, top: number) => ComponentChildren;
}

export function Plot(props: PlotProps) {
  const { names, ticks, height = 208, place, onPlace } = props;
  const { dir } = useFigureWords();
  const [frame, width] = useWidth();
  const rtl = dir === "rtl";
  const start = Math.max(START, GAP + DIGIT * longest(ticks.map(props.format)));
  const box: Box = { width: Math.max(40, width - start - END), height: height - TOP - BELOW, rtl };
  const count = names.length;
  const shift = rtl ? END : start;
  const point = (event: PointerEvent): void => {
    const { left } = (event.currentTarget as HTMLElement).getBoundingClientRect();
    onPlace(placeAt(event.clientX - left - shift, count, box));
  };
  return (
    <div
      ref={frame}
      class="plot"
      role="slider"
      tabIndex={0}
      aria-labelledby={props.labelledBy}
      aria-valuemin={1}
      aria-valuemax={count}
      aria-valuenow={(place ?? count - 1) + 1}
      aria-valuetext={props.tell(place ?? count - 1)}
      onPointerMove={point}
      onPointerDown={point}
      onPointerLeave={() => onPlace(null)}
      onFocus={(event) => {
        if (event.currentTarget.matches(":focus-visible")) onPlace(place ?? count - 1);
      }}
      onBlur={() => onPlace(null)}
      onKeyDown={(event) => {
        const next = moved(event.key, place ?? count - 1, count, rtl);
        if (next === null || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        onPlace(next);
      }}
    >
      <svg width={width} height={height} aria-hidden="true">
        <g transform={`translate(${shift} ${TOP})`}>
          <Lines box={box} ticks={ticks} format={props.format} />
          {place !== null && <Here box={box} place={place} count={count} />}
          {props.children(box, ticks.at(-1) || 1)}
          <Names box={box} names={names} each={props.each} />
        </g>
      </svg>
    </div>
  );
}

function longest(labels: readonly string[]): number {
  return Math.max(0, ...labels.map((label) => label.length));
}

function moved(key: string, place: number, count: number, rtl: boolean): number | null {
  const on = rtl ? -1 : 1;
  const steps: Record<string, number> = {
    ArrowRight: place + on,
    ArrowLeft: place - on,
    ArrowUp: place + 1,
    ArrowDown: place - 1,
    Home: 0,
    End: count - 1,
  };
  const next = steps[key];
  return next === undefined ? null : Math.max(0, Math.min(count - 1, next));
}

function Lines(props: {
  readonly box: Box;
  readonly ticks: readonly number[];
  readonly format: (value: number) => string;
}) {
  const { box, ticks } = props;
  const top = ticks.at(-1) || 1;
  return (
    <>
      {ticks.map((tick, place) => {
        const y = down(tick, top, box);
        return (
          <g key={tick}>
            <line class={place === 0 ? "plot-floor" : "plot-line"} x2={box.width} y1={y} y2={y} />
            <text
              x={box.rtl ? box.width + 8 : -8}
              y={y + 4}
              text-anchor={box.rtl ? "start" : "end"}
            >
              {props.format(tick)}
            </text>
          </g>
        );
      })}
    </>
  );
}

function Names(props: {
  readonly box: Box;
  readonly names: readonly string[];
  readonly each: number;
}) {
  const { box, names, each } = props;
  const count = names.length;
  return (
    <>
      {labelled(count, box.width, each).map((place) => {
        const { middle } = band(place, count, box);
        const half = each / 2 - 6;
        const over = middle + half > box.width + END;
        const under = middle - half < -END;
        const anchor = over ? "end" : under ? "start" : "middle";
        const x = over ? box.width + END : under ? -END : middle;
        return (
          <text key={place} x={x} y={box.height + 19} text-anchor={anchor}>
            {names[place]}
          </text>
        );
      })}
    </>
  );
}

/** The column that is pointed at. */
function Here({ box, place, count }: { box: Box; place: number; count: number }) {
  const step = box.width / count;
  const { middle } = band(place, count, box);
  return <rect class="plot-here" x={middle - step / 2} width={step} height={box.height} />;
}

/** An element, and how wide it is now. */
function useWidth() {
  const element = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(UNMEASURED);
  useLayoutEffect(() => {
    const { current } = element;
    if (current === null || typeof ResizeObserver === "undefined") return;
    const measure = (): void => {
      if (current.clientWidth > 0) setWidth(current.clientWidth);
    };
    const observer = new ResizeObserver(measure);
    observer.observe(current);
    measure();
    return () => observer.disconnect();
  }, []);
  return [element, width] as const;
}
