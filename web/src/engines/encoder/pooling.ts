/** A text's vector of its tokens' states: their mean, of length 1, as sentence encoders are trained (arXiv:1908.10084). */

const LEAST = 1e-12;

/** The mean of rows of `dimensions` numbers that lie one after the other; undefined where something in it is no number. */
export function pooled(
  states: ArrayLike<number>,
  dimensions: number,
): Float32Array<ArrayBuffer> | undefined {
  const sums = new Float64Array(dimensions);
  for (let at = 0; at < states.length; at += 1) {
    sums[at % dimensions] = (sums[at % dimensions] as number) + (states[at] as number);
  }
  // Rows are as many for every dimension: the mean and the sum have the same direction.
  const length = Math.max(LEAST, Math.hypot(...sums));
  return Number.isFinite(length) ? Float32Array.from(sums, (sum) => sum / length) : undefined;
}

/** The cosine of two vectors of length 1. */
export function cosine(one: ArrayLike<number>, other: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < one.length; at += 1) sum += (one[at] as number) * (other[at] as number);
  return sum;
}
