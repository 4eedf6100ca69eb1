/**
 * The parts of CommonMark that a message may use, as the parser's own table of constructs.
 *
 * Decides: lists, quotes, headings (#), rules, fenced code, links, images, emphasis, code and escapes.
 * Refuses raw HTML (it stays the text it is), reference definitions, underlined headings and code by
 * indentation. The build puts this table in the place of the parser's, which keeps what is refused out of
 * the bundle; `disabled` says the same to a parser with the whole table, as in the unit tests.
 */
import {
  attention,
  autolink,
  blockQuote,
  characterEscape,
  characterReference,
  codeFenced,
  codeText,
  hardBreakEscape,
  headingAtx,
  labelEnd,
  labelStartImage,
  labelStartLink,
  lineEnding,
  list,
  thematicBreak,
} from "micromark-core-commonmark";
import type { Extension } from "micromark-util-types";

type Table = NonNullable<Extension["text"]>;

/** Character codes, as the parser keys its table; negative ones are its own, for line endings. */
const STAR = 42;
const DASH = 45;
const UNDERSCORE = 95;
const DIGITS = [48, 49, 50, 51, 52, 53, 54, 55, 56, 57];

export const document: Table = {
  ...Object.fromEntries([STAR, 43, DASH, ...DIGITS].map((code) => [code, list])),
  62: blockQuote,
};

export const contentInitial: Table = {};

export const flowInitial: Table = {};

export const flow: Table = {
  35: headingAtx,
  [STAR]: thematicBreak,
  [DASH]: thematicBreak,
  [UNDERSCORE]: thematicBreak,
  96: codeFenced,
  126: codeFenced,
};

export const string: Table = { 38: characterReference, 92: characterEscape };

export const text: Table = {
  [-5]: lineEnding,
  [-4]: lineEnding,
  [-3]: lineEnding,
  33: labelStartImage,
  38: characterReference,
  [STAR]: attention,
  60: autolink,
  91: labelStartLink,
  92: [hardBreakEscape, characterEscape],
  93: labelEnd,
  [UNDERSCORE]: attention,
  96: codeText,
};

/** The parser also resolves plain text inside emphasis; merging its pieces is all that is lost without it. */
export const insideSpan: NonNullable<Extension["insideSpan"]> = { null: [attention] };

export const attentionMarkers: NonNullable<Extension["attentionMarkers"]> = {
  null: [STAR, UNDERSCORE],
};

export const disable: NonNullable<Extension["disable"]> = { null: [] };

/** For a parser with the whole table: the same refusals. */
export const disabled: Extension = {
  disable: { null: ["htmlFlow", "htmlText", "definition", "setextUnderline", "codeIndented"] },
};
