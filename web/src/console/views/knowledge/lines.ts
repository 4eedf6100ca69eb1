/**
 * Where the focus goes in a list of lines that grows and shrinks.
 *
 * Decides: a line that is added gets it; one that goes leaves it to the line above, and the last
 * one to the button that adds.
 */

import { useLayoutEffect, useRef } from "preact/hooks";

export function useLines() {
  const box = useRef<HTMLFieldSetElement>(null);
  const wanted = useRef<number | null>(null);
  useLayoutEffect(() => {
    const { current: place } = wanted;
    if (place === null || box.current === null) return;
    wanted.current = null;
    const lines = box.current.querySelectorAll<HTMLElement>("[data-line]");
    const add = box.current.querySelector<HTMLElement>("[data-add]");
    (lines[Math.max(0, place)] ?? add)?.focus();
  });
  return {
    box,
    focus: (place: number) => {
      wanted.current = place;
    },
  };
}

/** The lines with these in the place of one. */
export function spliced<T>(lines: readonly T[], place: number, more: readonly T[]): T[] {
  return [...lines.slice(0, place), ...more, ...lines.slice(place + 1)];
}

export function without<T>(lines: readonly T[], place: number): T[] {
  return lines.filter((_, other) => other !== place);
}

export function replaced<T>(lines: readonly T[], place: number, line: T): T[] {
  return lines.map((old, other) => (other === place ? line : old));
}
