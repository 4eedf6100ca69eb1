/**
 * What the site owner wrote on the script tag.
 *
 * Decides: site, language, side and accent, with defaults for what is absent. Refuses: a tag without
 * `data-site` (nothing is drawn), and a colour that is not #rgb or #rrggbb.
 */

export interface LoaderOptions {
  readonly site: string;
  readonly locale: string;
  readonly position: "left" | "right";
  /** Empty where the tag names none: the site's own comes with the panel. */
  readonly accent: string;
}

const HEX = /^#(?:[\da-f]{3}|[\da-f]{6})$/i;

export function hexColor(text: unknown): string {
  return typeof text === "string" && HEX.test(text) ? text : "";
}

/** Reads the tag; `page` tells what the tag leaves open: its language and its direction. */
export function readOptions(tag: HTMLElement, page: HTMLElement): LoaderOptions | undefined {
  const { site, locale, position, accent } = tag.dataset;
  if (!site) return undefined;
  const rtl = getComputedStyle(page).direction === "rtl";
  const side = position === "left" || position === "right" ? position : undefined;
  return {
    site,
    locale: locale || page.lang,
    position: side ?? (rtl ? "left" : "right"),
    accent: hexColor(accent),
  };
}
