/**
 * Text as the numbers that an encoder was trained on, by what its `tokenizer.json` says.
 *
 * Decides which tokenizer that is: WordPiece (BERT's) or Unigram (SentencePiece's). Refuses any other, and parts of either that
 * are not known here: vectors of wrong tokens look like vectors. What a visitor types is never a special token.
 */

import { readUnigram } from "./unigram.ts";
import { readWordPiece } from "./wordpiece.ts";

/** Gives the tokens of a text, without those that begin and end it. */
export type Cut = (text: string) => number[];

export interface Tokenizer {
  /** The tokens of a text, with those that begin and end it; `most` at most. */
  encode(text: string, most: number): number[];
}

/** What is read of a `tokenizer.json`. */
export interface TokenizerFile {
  readonly model: { readonly type?: string } & Readonly<Record<string, unknown>>;
  readonly normalizer: Part | null;
  readonly pre_tokenizer: Part | null;
  readonly post_processor: {
    readonly type?: string;
    readonly single?: readonly Piece[];
    readonly special_tokens?: Readonly<Record<string, { readonly ids: readonly number[] }>>;
  } | null;
}

export type Part = { readonly type?: string } & Readonly<Record<string, unknown>>;
type Piece = { readonly SpecialToken?: { readonly id: string } } & { readonly Sequence?: object };

/** Raised for a tokenizer that is none, or none that is known here. */
export class TokenizerError extends Error {
  override readonly name = "TokenizerError";
}

const READERS: Readonly<Record<string, (file: TokenizerFile) => Cut>> = {
  WordPiece: readWordPiece,
  Unigram: readUnigram,
};

export function readTokenizer(text: string): Tokenizer {
  const file = parsed(text);
  const read = READERS[file.model?.type ?? ""];
  if (!read) throw new TokenizerError(`a tokenizer of the type ${file.model?.type} is not known`);
  const cut = read(file);
  const [before, after] = around(file);
  return {
    encode: (given, most) => {
      const room = Math.max(0, most - before.length - after.length);
      return [...before, ...cut(given).slice(0, room), ...after];
    },
  };
}

function parsed(text: string): TokenizerFile {
  try {
    return JSON.parse(text) as TokenizerFile;
  } catch (error) {
    throw new TokenizerError("the tokenizer is no JSON", { cause: error });
  }
}

/** The tokens that stand before and after every text. */
function around({ post_processor: told }: TokenizerFile): readonly [number[], number[]] {
  const pieces = told?.type === "TemplateProcessing" ? told.single : undefined;
  const at = pieces?.findIndex(({ Sequence }) => Sequence) ?? -1;
  if (!pieces || at < 0) throw new TokenizerError("the tokenizer has no template for one text");
  const ids = (some: readonly Piece[]) =>
    some.flatMap(({ SpecialToken }) => {
      const found = told?.special_tokens?.[SpecialToken?.id ?? ""]?.ids;
      if (!found) throw new TokenizerError(`the template's ${SpecialToken?.id} is no token`);
      return found;
    });
  return [ids(pieces.slice(0, at)), ids(pieces.slice(at + 1))];
}

/** Refuses a part that is another than the one that is known here. */
export function expected(part: Part | null, type: string, fields: Part = {}): Part {
  const differs = Object.entries(fields).find(([name, value]) => part?.[name] !== value);
  if (part?.type !== type || differs) {
    const what = differs && part?.type === type ? `${type} with ${differs[0]}` : part?.type;
    throw new TokenizerError(`a part of the tokenizer, ${what}, is not known`);
  }
  return part;
}
