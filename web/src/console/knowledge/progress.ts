/**
 * How far a build is as a whole.
 *
 * Decides: how much of the whole each step is, by what builds of some hundred entries took.
 */

import { type Building, STEPS, type Step } from "./wire";

/** In percent. */
const PARTS: Readonly<Record<Step, number>> = {
  reading: 30,
  calibrating: 40,
  learning: 20,
  writing: 5,
  loading: 5,
};

/** In [0, 1]; a building's own share is that of its step. */
export function progress({ step, share }: Building): number {
  const done = STEPS.slice(0, STEPS.indexOf(step)).map((before) => PARTS[before]);
  return done.reduce((sum, part) => sum + part, PARTS[step] * share) / 100;
}
