/**
 * What the site owner wrote on the script tag.
 *
 * Decides: which tag is ours; site, language, side and accent, with defaults for what is absent. Refuses: a
 * tag without `data-site` (nothing is drawn), a colour that is not #rgb or #rrggbb, and an address for
 * identities that is another site's.
 */

export interface LoaderOptions {
  readonly site: string;
  readonly locale: string;
  readonly position: "left" | "right";
  /** Empty where the tag names none: the site's own comes with the panel. */
  readonly accent: string;
  /** Where the site's own server says who its visitor is; empty where it does not. */
  readonly identity: string;
  /** Whether the site has greetings, by the tag's word. */
  readonly greets: boolean;
  /** Whether the page lets the panel use the microphone. */
  readonly voice: boolean;
}

const HEX = /^#([\da-f]{3}){1,2}$/i;

export function hexColor(text: unknown): string {
  const color = `${text}`;
  return HEX.test(color) ? color : "";
}

/** The address, where it is the page's own origin's: the visitor's cookies go there. */
function ownAddress(text: string, base: string): string {
  try {
    const url = new URL(text, base);
    return url.origin === new URL(base).origin ? url.href : "";
  } catch {
    return "";
  }
}

/**
 * The tag that brought this script. What bundles or defers scripts may run it without one, so that it is
 * found by its site's key, which others' tags with a `data-site` do not have.
 */
export function findTag(page: Document): HTMLElement | null {
  const current = page.currentScript as HTMLElement | null;
  return current?.dataset.site ? current : page.querySelector("script[data-site^=site_]");
}

/** Reads the tag; `page` tells what the tag leaves open: its language and its direction. */
export function readOptions(tag: HTMLElement, page: HTMLElement): LoaderOptions | undefined {
  const { site, locale, position, accent, identity, greetings, voice } = tag.dataset;
  if (!site) return undefined;
  const rtl = getComputedStyle(page).direction === "rtl";
  return {
    site,
    locale: locale || page.lang,
    position: position === "left" || (rtl && position !== "right") ? "left" : "right",
    accent: hexColor(accent),
    identity: identity ? ownAddress(identity, page.baseURI) : "",
    greets: greetings !== undefined,
    voice: voice !== undefined,
  };
}
