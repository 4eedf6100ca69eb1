/**
 * The address bar: where in the console one is, so that a link in a message opens it and the
 * browser's Back leaves it.
 *
 * Decides: `#e_…` is an escalation; `#knowledge/site/entries/en/returns` an entry, `…/new` one that
 * is being written, `#knowledge/site/unanswered` another page, `#embed/site?theme=dark` the builder with what
 * was chosen in it, `#figures/site?range=30d` the figures, `#personality/site/teacher` how a site speaks. An address
 * that is none of these is the inbox.
 */

import { type EmbedPlace, parseQuery, query } from "./embed/choices";
import { type FiguresPlace, figuresAddress, parseFigures } from "./figures/place";
import { type PersonalityPlace, personalityAddress } from "./personality/place";

export const PAGES = ["entries", "unanswered", "check", "import"] as const;
export type Page = (typeof PAGES)[number];

/** One entry in one language. */
export interface EntryKey {
  readonly id: string;
  readonly locale: string;
}

export interface InboxPlace {
  readonly room: "inbox";
  readonly id: string | null;
}

export interface KnowledgePlace {
  readonly room: "knowledge";
  /** Null is the first one there is. */
  readonly site: string | null;
  readonly page: Page;
  readonly entry: EntryKey | "new" | null;
}

export type { EmbedPlace, FiguresPlace, PersonalityPlace };
export type Place = InboxPlace | KnowledgePlace | EmbedPlace | FiguresPlace | PersonalityPlace;

export const KNOWLEDGE: KnowledgePlace = {
  room: "knowledge",
  site: null,
  page: "entries",
  entry: null,
};

const ESCALATION = /^#(e_[A-Za-z0-9_-]+)$/;

export class Navigation {
  constructor(private readonly window: Window) {}

  current(): Place {
    const { hash } = this.window.location;
    const id = ESCALATION.exec(hash)?.[1] ?? null;
    const other = knowledge(hash) ?? embed(hash) ?? figures(hash) ?? personality(hash);
    return other ?? { room: "inbox", id };
  }

  /** Moves on with a new step in the history. */
  go(place: Place): void {
    this.window.location.hash = address(place);
  }

  /** Moves on without one, as the keyboard does through a list. */
  replace(place: Place): void {
    const { pathname, search } = this.window.location;
    this.window.history.replaceState(null, "", pathname + search + address(place));
  }

  /** Calls `then` now and at every change; the answer stops it. */
  follow(then: (place: Place) => void): () => void {
    const changed = (): void => then(this.current());
    this.window.addEventListener("hashchange", changed);
    changed();
    return () => this.window.removeEventListener("hashchange", changed);
  }
}

/** The place as a link's address; an inbox with nothing open has none. */
export function address(place: Place): string {
  if (place.room === "inbox") return place.id === null ? "" : `#${place.id}`;
  if (place.room === "embed") return embedAddress(place);
  if (place.room === "figures") return figuresAddress(place);
  if (place.room === "personality") return personalityAddress(place);
  const { site, page, entry } = place;
  const parts = ["knowledge"];
  if (site !== null) parts.push(site, page);
  if (site !== null && entry === "new") parts.push("new");
  else if (site !== null && entry !== null)
    parts.push((entry as EntryKey).locale, (entry as EntryKey).id);
  return `#${parts.map(encodeURIComponent).join("/")}`;
}

export function sameEntry(a: KnowledgePlace["entry"], b: KnowledgePlace["entry"]): boolean {
  if (a === null || b === null || a === "new" || b === "new") return a === b;
  return a.id === b.id && a.locale === b.locale;
}

function knowledge(hash: string): KnowledgePlace | null {
  const [room, site = "", page, locale, id] = hash.slice(1).split("/").map(decoded);
  if (room !== "knowledge") return null;
  const known = PAGES.find((name) => name === page) ?? "entries";
  const entry = locale === "new" ? "new" : locale && id ? { id, locale } : null;
  return { room, site: site || null, page: known, entry: known === "entries" ? entry : null };
}

function embed(hash: string): EmbedPlace | null {
  const { room, site, asked } = parted(hash);
  return room === "embed" ? { room, site: site || null, ...parseQuery(asked) } : null;
}

function figures(hash: string): FiguresPlace | null {
  const { room, site, asked } = parted(hash);
  return room === "figures" ? parseFigures(site, asked) : null;
}

function personality(hash: string): PersonalityPlace | null {
  const [room, site = "", name = ""] = hash.slice(1).split("/").map(decoded);
  return room === "personality" ? { room, site: site || null, name: name || null } : null;
}

/** `#room/site?asked`. */
function parted(hash: string): { room: string; site: string; asked: string } {
  const [path = "", asked = ""] = hash.slice(1).split(/\?(.*)/s);
  const [room = "", site = ""] = path.split("/").map(decoded);
  return { room, site, asked };
}

function embedAddress(place: EmbedPlace): string {
  const asked = query(place);
  const site = place.site === null ? "" : `/${encodeURIComponent(place.site)}`;
  return `#embed${site}${asked === "" ? "" : `?${asked}`}`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a stray % is a link that was cut: it will not be found, and that is said
  }
}
