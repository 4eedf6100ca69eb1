/**
 * BERT's tokens: words, cut greedily into the longest pieces that the vocabulary has (Wu et al., 2016, arXiv:1609.08144;
 * Devlin et al., 2018, arXiv:1810.04805).
 *
 * Decides nothing that the file does not say. Letters lose their case and their marks, Chinese characters stand alone, and
 * so does every punctuation mark.
 */

import { type Cut, expected, TokenizerError, type TokenizerFile } from "./tokenizer.ts";

const NO_TEXT = /[\0\uFFFD]|(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu;
const SPACE = /\s/u;
const MARKS = /\p{Mn}/gu;
/** The blocks that BERT separates; Japanese and Korean letters are not among them. */
const CHINESE =
  /[\u{4E00}-\u{9FFF}\u{3400}-\u{4DBF}\u{20000}-\u{2A6DF}\u{2A700}-\u{2B81F}\u{2B920}-\u{2CEAF}\u{F900}-\u{FAFF}\u{2F800}-\u{2FA1F}]/gu;
const WORDS = /[!-/:-@[-`{-~\p{P}]|[^\s!-/:-@[-`{-~\p{P}]+/gu;

interface Model {
  readonly vocab: Readonly<Record<string, number>>;
  readonly unk_token: string;
  readonly continuing_subword_prefix: string;
  readonly max_input_chars_per_word: number;
}

export function readWordPiece(file: TokenizerFile): Cut {
  const { lowercase, strip_accents } = expected(file.normalizer, "BertNormalizer", {
    clean_text: true,
    handle_chinese_chars: true,
  });
  expected(file.pre_tokenizer, "BertPreTokenizer");
  const model = file.model as unknown as Model;
  const known = new Map(Object.entries(model.vocab ?? {}));
  const unknown = known.get(model.unk_token);
  if (unknown === undefined) throw new TokenizerError("the vocabulary lacks its unknown token");
  const plain = { lower: lowercase === true, bare: (strip_accents ?? lowercase) === true };
  return (text) => {
    const found: number[] = [];
    for (const [word] of normal(text, plain).matchAll(WORDS)) {
      found.push(...(pieces(word, model, known) ?? [unknown]));
    }
    return found;
  };
}

function normal(text: string, { lower, bare }: { lower: boolean; bare: boolean }): string {
  const clean = [...text.replace(NO_TEXT, "")].map((one) => (SPACE.test(one) ? " " : one)).join("");
  const apart = clean.replace(CHINESE, " $& ");
  const stripped = bare ? apart.normalize("NFD").replace(MARKS, "") : apart;
  // Letter by letter: a whole word's last sigma would become another letter.
  return lower ? [...stripped].map((one) => one.toLowerCase()).join("") : stripped;
}

/** The longest pieces from the left; undefined where one is missing, or the word is too long. */
function pieces(
  word: string,
  { continuing_subword_prefix: goes, max_input_chars_per_word: most }: Model,
  known: ReadonlyMap<string, number>,
): number[] | undefined {
  const letters = [...word];
  if (letters.length > most) return undefined;
  const found: number[] = [];
  for (let from = 0; from < letters.length; ) {
    let to = letters.length;
    let id: number | undefined;
    for (; to > from; to -= 1) {
      id = known.get((from > 0 ? goes : "") + letters.slice(from, to).join(""));
      if (id !== undefined) break;
    }
    if (id === undefined) return undefined;
    found.push(id);
    from = to;
  }
  return found;
}
