/**
 * SentencePiece's table of characters: which become others before a text is cut, in a double array (Aoe, 1989, IEEE Trans.
 * Softw. Eng. 15(9)) with the replacements behind it.
 *
 * Decides as the reference does: a letter with its marks first, where that has a row of its own and fewer than six bytes, else
 * each character alone. Refuses a table that ends too early.
 */

import { TokenizerError } from "./tokenizer.ts";

const SHORT = 6;
const LEAF = 1 << 8;

export function readCharsmap(base64: string): (text: string) => string {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const size = bytes.length < 4 ? 0 : view.getUint32(0, true);
  if (size === 0 || size % 4 || 4 + size > bytes.length) {
    throw new TokenizerError("the tokenizer's table of characters is damaged");
  }
  const units = Uint32Array.from({ length: size / 4 }, (_, at) => view.getUint32(4 + 4 * at, true));
  const strings = bytes.subarray(4 + size);
  const encoder = new TextEncoder();
  const replacement = (text: string): string | undefined => {
    const at = first(units, encoder.encode(text));
    if (at === undefined) return undefined;
    const end = strings.indexOf(0, at);
    return new TextDecoder().decode(strings.subarray(at, end < 0 ? undefined : end));
  };
  const known = new Map<string, string>();
  const one = (cluster: string): string => {
    const kept = known.get(cluster);
    if (kept !== undefined) return kept;
    const short = encoder.encode(cluster).length < SHORT ? replacement(cluster) : undefined;
    const made = short ?? [...cluster].map((letter) => replacement(letter) ?? letter).join("");
    known.set(cluster, made);
    return made;
  };
  return (text) => clusters(text).map(one).join("");
}

/** The value of the shortest key that begins these bytes, as the reference takes it. */
function first(units: Uint32Array, key: Uint8Array): number | undefined {
  const unit = (at: number) => units[at] ?? 0;
  let at = offset(unit(0));
  for (const byte of key) {
    if (byte === 0) return undefined;
    at ^= byte;
    const found = unit(at);
    if ((found & 0x800000ff) >>> 0 !== byte) return undefined;
    at ^= offset(found);
    if (found & LEAF) return unit(at) & 0x7fffffff;
  }
  return undefined;
}

function offset(unit: number): number {
  return ((unit >>> 10) << ((unit & 0x200) >>> 6)) >>> 0;
}

/** Letters with their marks; browsers without a segmenter give characters. */
function clusters(text: string): readonly string[] {
  if (!("Segmenter" in Intl)) return [...text];
  const segmenter = new Intl.Segmenter("und", { granularity: "grapheme" });
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}
