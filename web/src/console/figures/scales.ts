/**
 * Where the marks of a chart stand.
 *
 * Decides: round numbers for an axis, which labels fit, and that time runs the way the page reads. It
 * knows nothing of what is drawn.
 */

/** The box that marks are drawn in, in pixels; `rtl` where the page reads from the right. */
export interface Box {
  readonly width: number;
  readonly height: number;
  readonly rtl: boolean;
}

/** Round numbers from 0 up, the last at least `most`: as many as `about`, or nearly; of nothing 0. */
export function ticks(most: number, about = 4): readonly number[] {
  return inSteps(most, about, [1, 2, 2.5, 5, 10]);
}

/** Whole round numbers, for what is counted. */
export function wholeTicks(most: number, about = 4): readonly number[] {
  return most > about ? inSteps(most, about, [1, 2, 5, 10]) : inSteps(Math.ceil(most), most, [1]);
}

function inSteps(most: number, about: number, steps: readonly number[]): readonly number[] {
  if (!(most > 0)) return [0];
  const rough = most / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * (steps.find((one) => power * one >= rough * 0.999) ?? 10);
  const count = Math.ceil(most / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, place) => Number((place * step).toPrecision(12)));
}

export interface Band {
  readonly start: number;
  readonly width: number;
  readonly middle: number;
}

/** The place of the `place`-th of `count` bars; the first is where the page begins to read. */
export function band(place: number, count: number, box: Box, share = 0.72, widest = 56): Band {
  const step = box.width / count;
  const width = Math.max(1, Math.min(widest, step * share));
  const middle = step * (place + 0.5);
  const x = box.rtl ? box.width - middle : middle;
  return { start: x - width / 2, width, middle: x };
}

/** Which of the bars is at this x. */
export function placeAt(x: number, count: number, box: Box): number {
  const along = box.rtl ? box.width - x : x;
  return Math.max(0, Math.min(count - 1, Math.floor((along / box.width) * count)));
}

/** How far down a value stands, where `top` is at the top. */
export function down(value: number, top: number, box: Box): number {
  return box.height - (value / top) * box.height;
}

/** Which labels fit, `each` pixels wide: the last one always. */
export function labelled(count: number, width: number, each: number): readonly number[] {
  const every = Math.max(1, Math.ceil((count * each) / Math.max(1, width)));
  return Array.from({ length: count }, (_, place) => place).filter(
    (place) => (count - 1 - place) % every === 0,
  );
}

/** Where each series' part of a bar begins and ends, one on the other. */
export function stacked(parts: readonly number[]): readonly (readonly [number, number])[] {
  let below = 0;
  return parts.map((part) => {
    const from = below;
    below += part;
    return [from, below] as const;
  });
}

/** A line through points, broken where there is none. */
export function line(points: readonly (readonly [number, number] | null)[]): string {
  let drawing = false;
  const parts: string[] = [];
  for (const point of points) {
    if (point !== null) parts.push(`${drawing ? "L" : "M"}${round(point[0])} ${round(point[1])}`);
    drawing = point !== null;
  }
  return parts.join("");
}

/** The pieces of a band between two lines that have both of their ends. */
export function between(
  upper: readonly (readonly [number, number] | null)[],
  lower: readonly (readonly [number, number] | null)[],
): string {
  const pieces: string[] = [];
  let there: number[] = [];
  const close = (): void => {
    const back = [...there].reverse();
    if (there.length > 1)
      pieces.push(`${line(there.map((at) => upper[at] ?? null))}${joined(back, lower)}Z`);
    there = [];
  };
  upper.forEach((point, at) => {
    if (point !== null && lower[at] != null) there.push(at);
    else close();
  });
  close();
  return pieces.join("");
}

function joined(
  places: readonly number[],
  points: readonly (readonly [number, number] | null)[],
): string {
  return line(places.map((at) => points[at] ?? null)).replace("M", "L");
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
