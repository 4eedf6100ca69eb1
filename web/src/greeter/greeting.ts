/**
 * A greeting of the site's, and whether it is for the page that is being looked at.
 *
 * Decides: which pages a pattern names, and when a greeting's time has come. Refuses nothing: the gateway has checked
 * what the owner wrote.
 */

export interface Greeting {
  readonly name: string;
  readonly text: Readonly<Record<string, string>>;
  /** Paths, or addresses with one of the site's origins; `!` leaves pages out. */
  readonly pages: readonly string[];
  readonly after_s: number;
  readonly scroll: number;
  readonly once: "visit" | "day" | "week" | "ever";
}

/** What the host page tells of itself, once a second while it is there. */
export interface Page {
  readonly origin: string;
  readonly path: string;
  /** How much of it has been seen, in per cent. */
  readonly depth: number;
  readonly locale: string;
  readonly accent: string;
  /** It is the one by which the visitor came to the site. */
  readonly fresh: boolean;
}

/** What the host page said, as far as it is what it should be. */
export function readPage(data: Readonly<Record<string, unknown>>, origin: string): Page {
  const text = (value: unknown) => (typeof value === "string" ? value.slice(0, 2000) : "");
  const { path, depth, locale, accent, fresh } = data;
  return {
    origin,
    path: text(path),
    depth: typeof depth === "number" && depth > 0 ? depth : 0,
    locale: text(locale),
    accent: text(accent),
    fresh: fresh === true,
  };
}

/** Whether a pattern names this page; `*` stands for any text, and a slash at the end makes no difference. */
function names(pattern: string, { origin, path }: Page): boolean {
  const address = pattern.startsWith("/") ? path : origin + path;
  const [known, asked] = [pattern, address].map((one) => one.replace(/\/$/, ""));
  const parts = (known as string)
    .split("*")
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s").test(asked as string);
}

/** Whether a greeting is for this page. */
export function isFor({ pages }: Greeting, page: Page): boolean {
  const without = pages.filter((pattern) => pattern.startsWith("!"));
  const within = pages.filter((pattern) => !pattern.startsWith("!"));
  if (without.some((pattern) => names(pattern.slice(1), page))) return false;
  return within.length === 0 || within.some((pattern) => names(pattern, page));
}

/** Whether its time has come on a page that has been looked at for so long. */
export function isDue({ after_s, scroll }: Greeting, seconds: number, seen: number): boolean {
  return seconds >= after_s && seen >= scroll;
}
