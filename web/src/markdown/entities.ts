/**
 * The named character references that prose uses.
 *
 * The Markdown parser's own browser module decodes names by way of `innerHTML`, which our Trusted Types
 * policy forbids, and its table for workers weighs more than the panel. The build puts this in its
 * place. Decides: which names mean a character; every other one stays as it was written.
 */

const NAMED: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00a0",
  copy: "©",
  reg: "®",
  trade: "™",
  hellip: "…",
  ndash: "–",
  mdash: "—",
  lsquo: "‘",
  rsquo: "’",
  ldquo: "“",
  rdquo: "”",
  laquo: "«",
  raquo: "»",
  bull: "•",
  middot: "·",
  deg: "°",
  times: "×",
  divide: "÷",
  plusmn: "±",
  frac12: "½",
  euro: "€",
  pound: "£",
  yen: "¥",
  cent: "¢",
  sect: "§",
  larr: "←",
  rarr: "→",
  iexcl: "¡",
  iquest: "¿",
  lrm: "\u200e",
  rlm: "\u200f",
};

/** The character that `name` stands for, or false when it is not one of ours. */
export function decodeNamedCharacterReference(name: string): string | false {
  return Object.hasOwn(NAMED, name) ? (NAMED[name] ?? false) : false;
}
