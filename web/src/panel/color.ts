/**
 * One accent colour, made readable wherever it is used.
 *
 * Decides: for a light and a dark page, the accent as a fill (3:1 against the page, WCAG 1.4.11), the ink on
 * that fill, the accent as text (4.5:1, WCAG 1.4.3) and as either with more contrast (7:1, WCAG 1.4.6). Refuses: a colour that is not #rgb or #rrggbb; the
 * default stands in for it.
 */

export interface Accent {
  readonly fill: string;
  readonly ink: string;
  readonly text: string;
  /** As fill and as text where more contrast is wanted. */
  readonly strong: string;
}

type Rgb = readonly [number, number, number];

export const DEFAULT_ACCENT = "#1f5f8b";
const WHITE: Rgb = [255, 255, 255];
/** Pure black: one of it and white reads at 4.5:1 or better on any colour. */
const BLACK: Rgb = [0, 0, 0];
/** The page itself and its deepest surface, as in panel.css. */
export const PAGES: Readonly<Record<"light" | "dark", readonly Rgb[]>> = {
  light: [WHITE, [238, 240, 242]],
  dark: [
    [22, 24, 28],
    [43, 47, 54],
  ],
};

export function parseColor(text: string): Rgb | undefined {
  const short = /^#([\da-f])([\da-f])([\da-f])$/i.exec(text);
  const long = /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})$/i.exec(text);
  const parts = short ? short.slice(1).map((digit) => digit + digit) : long?.slice(1);
  if (!parts) return undefined;
  const [red = 0, green = 0, blue = 0] = parts.map((part) => Number.parseInt(part, 16));
  return [red, green, blue];
}

/** WCAG 2.2 relative luminance. */
export function luminance(color: Rgb): number {
  const [red = 0, green = 0, blue = 0] = color.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** WCAG 2.2 contrast ratio, 1 to 21. */
export function contrast(one: Rgb, other: Rgb): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

function mix(from: Rgb, to: Rgb, share: number): Rgb {
  const at = (index: 0 | 1 | 2) => Math.round(from[index] + (to[index] - from[index]) * share);
  return [at(0), at(1), at(2)];
}

/** `color`, moved towards `end` no further than it takes to stand out from every one of `pages`. */
function standOut(color: Rgb, end: Rgb, pages: readonly Rgb[], ratio: number): Rgb {
  for (let share = 0; share < 1; share += 0.04) {
    const mixed = mix(color, end, share);
    if (pages.every((page) => contrast(mixed, page) >= ratio)) return mixed;
  }
  return end;
}

function css([red, green, blue]: Rgb): string {
  return `rgb(${red} ${green} ${blue})`;
}

/** The accent for one kind of page. Text is 4.6 rather than 4.5, so that rounding never falls below. */
export function accentFor(color: string, scheme: "light" | "dark"): Accent {
  const base = parseColor(color) ?? parseColor(DEFAULT_ACCENT) ?? BLACK;
  const pages = PAGES[scheme];
  const end = scheme === "light" ? BLACK : WHITE;
  const fill = standOut(base, end, pages, 3);
  const ink = contrast(fill, WHITE) >= contrast(fill, BLACK) ? WHITE : BLACK;
  const [text, strong] = [standOut(base, end, pages, 4.6), standOut(base, end, pages, 7.1)];
  return { fill: css(fill), ink: css(ink), text: css(text), strong: css(strong) };
}

/** Hands the accent to the style sheet, by properties: the CSP allows no style attribute. */
export function applyAccent(color: string, root: HTMLElement): void {
  for (const scheme of ["light", "dark"] as const) {
    const { fill, ink, text, strong } = accentFor(color, scheme);
    root.style.setProperty(`--accent-fill-${scheme}`, fill);
    root.style.setProperty(`--accent-ink-${scheme}`, ink);
    root.style.setProperty(`--accent-text-${scheme}`, text);
    root.style.setProperty(`--accent-strong-${scheme}`, strong);
  }
}
