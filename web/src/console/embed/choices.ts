/**
 * What was chosen in the builder, and how an address says it.
 *
 * Decides: what can be chosen, and that nothing chosen is nothing said. Refuses: what is no choice; it counts
 * as none.
 */

import { hexColor } from "../../loader/options";

export const POSITIONS = ["", "left", "right"] as const;
export const THEMES = ["auto", "light", "dark", "contrast"] as const;
export const SCREENS = ["desktop", "phone"] as const;

export type Position = (typeof POSITIONS)[number];
export type Theme = (typeof THEMES)[number];
export type Screen = (typeof SCREENS)[number];

/** Empty is: as the page and the site say. */
export interface Choices {
  readonly locale: string;
  readonly position: Position;
  /** `#rrggbb`. */
  readonly accent: string;
  readonly theme: Theme | "";
  /** The address of a page that shall have the chat. */
  readonly page: string;
}

export interface View {
  readonly choices: Choices;
  readonly screen: Screen;
  /** The guide's name; empty is the first. */
  readonly guide: string;
}

export interface EmbedPlace extends View {
  readonly room: "embed";
  /** Null is the first one there is. */
  readonly site: string | null;
}

export const NONE: Choices = { locale: "", position: "", accent: "", theme: "", page: "" };
export const EMBED: EmbedPlace = {
  room: "embed",
  site: null,
  choices: NONE,
  screen: "desktop",
  guide: "",
};

/** `#rrggbb` in small letters, of what somebody wrote; undefined where that is no colour. */
export function fullColor(text: string): string | undefined {
  const written = text.trim();
  const color = hexColor(written.startsWith("#") ? written : `#${written}`).toLowerCase();
  if (color === "") return undefined;
  return color.length === 4 ? color.replace(/[^#]/g, "$&$&") : color;
}

export function parseQuery(text: string): View {
  const said = new URLSearchParams(text);
  const one = <T extends string>(name: string, known: readonly T[]): T | undefined =>
    known.find((value) => value === said.get(name));
  const locale = said.get("locale") ?? "";
  return {
    choices: {
      locale: /^[a-z]{2,3}(-[a-z0-9]+)*$/i.test(locale) ? locale : "",
      position: one("position", POSITIONS) ?? "",
      accent: fullColor(said.get("accent") ?? "") ?? "",
      theme: one("theme", THEMES) ?? "",
      page: said.get("page") ?? "",
    },
    screen: one("screen", SCREENS) ?? "desktop",
    guide: said.get("guide") ?? "",
  };
}

/** What differs from nothing chosen, as a query. */
export function query({ choices, screen, guide }: View): string {
  const said = new URLSearchParams(chosen(choices));
  if (screen !== "desktop") said.set("screen", screen);
  if (guide !== "") said.set("guide", guide);
  return said.toString();
}

/** The choices that were made, by name. */
export function chosen(choices: Choices): Record<string, string> {
  return Object.fromEntries(Object.entries(choices).filter(([, value]) => value !== ""));
}
