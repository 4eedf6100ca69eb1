/**
 * SentencePiece's tokens: the most probable split of a text into known pieces (Kudo, 2018, arXiv:1804.10959; Viterbi).
 *
 * Decides nothing that the file does not say. Its table of characters (`charsmap.ts`) is read as it is; what no piece has
 * counts as unknown, neighbours of that kind as one.
 */

import { readCharsmap } from "./charsmap.ts";
import { type Cut, expected, type Part, TokenizerError, type TokenizerFile } from "./tokenizer.ts";

const START = "\u2581";
/** How much less likely than the least likely piece an unknown character is: SentencePiece's own number. */
const UNKNOWN_PENALTY = 10;

type Scored = readonly [piece: string, score: number];

interface Pieces {
  readonly ids: ReadonlyMap<string, number>;
  readonly scores: readonly number[];
  readonly longest: number;
  readonly unknown: number;
  readonly unlikely: number;
}

export function readUnigram(file: TokenizerFile): Cut {
  const { replacement } = expected(file.pre_tokenizer, "Metaspace", { add_prefix_space: true });
  if (replacement !== START) throw new TokenizerError("words are not marked as SentencePiece does");
  const normal = normaliser(file.normalizer);
  const pieces = piecesOf(file);
  return (text) => split(words(normal(text)), pieces);
}

/** Every word with its mark: spaces become marks, and each begins a word. */
function words(text: string): readonly string[] {
  const marked = text.replaceAll(" ", START);
  const whole = marked.startsWith(START) ? marked : START + marked;
  return text === "" ? [] : (whole.match(/\u2581?[^\u2581]*/gu) ?? []).filter(Boolean);
}

function normaliser(part: Part | null): (text: string) => string {
  if (part === null) return (text) => text;
  const steps = part.type === "Sequence" ? (part.normalizers as readonly Part[]) : [part];
  const made = steps.map((step) => {
    if (step.type === "Precompiled") return readCharsmap(String(step.precompiled_charsmap));
    const spaces = (step.pattern as { Regex?: string } | undefined)?.Regex === " {2,}";
    if (step.type === "Replace" && spaces && step.content === " ")
      return (text: string) => text.replace(/ {2,}/gu, " ");
    throw new TokenizerError(`a part of the tokenizer, ${step.type}, is not known`);
  });
  return (text) => made.reduce((now, step) => step(now), text);
}

function piecesOf({ model }: TokenizerFile): Pieces {
  const rows = (model.vocab ?? []) as readonly Scored[];
  const unknown = model.unk_id as number;
  if (!Number.isInteger(unknown) || !rows[unknown]) {
    throw new TokenizerError("the vocabulary lacks its unknown token");
  }
  const scores = rows.map(([, score]) => score);
  const ids = new Map(rows.map(([piece], id) => [piece, id] as const));
  const longest = rows.reduce((most, [piece]) => Math.max(most, piece.length), 0);
  const least = scores.reduce((low, score) => Math.min(low, score), Number.POSITIVE_INFINITY);
  return { ids, scores, longest, unknown, unlikely: least - UNKNOWN_PENALTY };
}

function split(all: readonly string[], pieces: Pieces): number[] {
  const found: number[] = [];
  for (const word of all) {
    // Within a word; what is unknown on both sides of a word's end stays two.
    let before: number | undefined;
    for (const id of likeliest(word, pieces)) {
      if (id !== pieces.unknown || before !== id) found.push(id);
      before = id;
    }
  }
  return found;
}

function likeliest(word: string, pieces: Pieces): number[] {
  const size = word.length;
  const best: number[] = [0, ...new Array<number>(size).fill(Number.NEGATIVE_INFINITY)];
  const came: (readonly [from: number, id: number])[] = new Array(size + 1);
  const better = (from: number, to: number, score: number, id: number): void => {
    const total = (best[from] as number) + score;
    if (total <= (best[to] as number)) return;
    best[to] = total;
    came[to] = [from, id];
  };
  for (let from = 0; from < size; from += 1) {
    if (best[from] === Number.NEGATIVE_INFINITY) continue;
    const letter = (word.codePointAt(from) as number) > 0xffff ? 2 : 1;
    let single = false;
    for (let to = from + 1; to <= Math.min(size, from + pieces.longest); to += 1) {
      const id = pieces.ids.get(word.slice(from, to));
      if (id === undefined) continue;
      better(from, to, pieces.scores[id] as number, id);
      single ||= to === from + letter;
    }
    if (!single) better(from, from + letter, pieces.unlikely, pieces.unknown);
  }
  const found: number[] = [];
  for (let at = size; at > 0; ) {
    const [from, id] = came[at] as readonly [number, number];
    found.push(id);
    at = from;
  }
  return found.reverse();
}
