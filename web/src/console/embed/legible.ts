/**
 * Whether text in a colour can be read, and the nearest colour in which it can.
 *
 * Decides: by the panel's own reckoning (`panel/color.ts`), on the deepest of its surfaces, so that what is said
 * here is what the panel does. WCAG 2.2: 4.5:1 (1.4.3), and 7:1 in high contrast (1.4.6).
 */

import { accentFor, contrast, PAGES, parseColor } from "../../panel/color";
import type { Theme } from "./choices";

export type Scheme = "light" | "dark";

export interface Legible {
  readonly scheme: Scheme;
  /** 1 to 21, on the surface where it stands out least. */
  readonly ratio: number;
  readonly needed: number;
  readonly passes: boolean;
  /** What the panel writes in, in its place: the colour itself where that passes. */
  readonly nearest: string;
}

/** One verdict for each look that the theme may have. The colour must be one. */
export function legible(color: string, theme: Theme): readonly Legible[] {
  const schemes: readonly Scheme[] =
    theme === "light" || theme === "dark" ? [theme] : ["light", "dark"];
  return schemes.map((scheme) => verdict(color, scheme, theme === "contrast"));
}

function verdict(color: string, scheme: Scheme, strong: boolean): Legible {
  const needed = strong ? 7 : 4.5;
  const rgb = parseColor(color);
  if (rgb === undefined) throw new TypeError(`${color} is no colour`);
  const ratio = Math.min(...PAGES[scheme].map((page) => contrast(rgb, page)));
  const accent = accentFor(color, scheme);
  const passes = ratio >= needed;
  return {
    ...{ scheme, ratio, needed, passes },
    nearest: passes ? color : hex(strong ? accent.strong : accent.text),
  };
}

/** `#rrggbb` of `rgb(r g b)`. */
function hex(css: string): string {
  const parts = css.match(/\d+/g) ?? [];
  return `#${parts.map((part) => Number(part).toString(16).padStart(2, "0")).join("")}`;
}
