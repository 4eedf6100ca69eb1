import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { readCharsmap } from "../../src/engines/encoder/charsmap.ts";
import { readTokenizer, TokenizerError } from "../../src/engines/encoder/tokenizer.ts";

interface Case {
  readonly tokenizer: Record<string, unknown>;
  readonly samples: readonly { readonly text: string; readonly ids: readonly number[] }[];
}

/** What the reference says of small vocabularies; tests/models/encoder/test_tokenizers.py asks it again. */
const SAMPLES = new URL("../../../tests/models/encoder/tokenizers.json", import.meta.url);
const { wordpiece, unigram } = JSON.parse(await readFile(SAMPLES, "utf8")) as Record<
  "wordpiece" | "unigram",
  Case
>;

describe.each([
  ["WordPiece", wordpiece],
  ["Unigram", unigram],
])("%s", (_name, { tokenizer, samples }) => {
  const read = readTokenizer(JSON.stringify(tokenizer));

  it.each(samples)("cuts $text as the reference does", ({ text, ids }) => {
    expect(read.encode(text, 1_000)).toEqual(ids);
  });

  it("gives no more than is wanted, with both ends", () => {
    const [, some] = samples;
    const ids = read.encode(some?.text ?? "", 4);
    expect(ids).toHaveLength(4);
    expect([ids[0], ids[3]]).toEqual([some?.ids[0], some?.ids.at(-1)]);
  });
});

const changed = (of: Case, change: object) => JSON.stringify({ ...of.tokenizer, ...change });

describe("a tokenizer that is not known", () => {
  it.each([
    ["no JSON", "{", "no JSON"],
    ["another type", changed(wordpiece, { model: { type: "BPE" } }), "BPE"],
    ["no model", changed(wordpiece, { model: undefined }), "undefined"],
    ["another normaliser", changed(wordpiece, { normalizer: { type: "NFC" } }), "NFC"],
    [
      "a normaliser that does other things",
      changed(wordpiece, { normalizer: { type: "BertNormalizer", clean_text: false } }),
      "clean_text",
    ],
    ["other words", changed(wordpiece, { pre_tokenizer: { type: "Whitespace" } }), "Whitespace"],
    ["no template", changed(wordpiece, { post_processor: null }), "template"],
    [
      "a template of a token that is none",
      changed(unigram, {
        post_processor: {
          type: "TemplateProcessing",
          single: [{ SpecialToken: { id: "<x>" } }, { Sequence: {} }],
        },
      }),
      "<x>",
    ],
    [
      "no unknown token",
      changed(unigram, { model: { type: "Unigram", vocab: [["a", 0]], unk_id: 7 } }),
      "unknown",
    ],
    [
      "no unknown piece",
      changed(wordpiece, { model: { type: "WordPiece", vocab: {}, unk_token: "[UNK]" } }),
      "unknown",
    ],
    [
      "words marked otherwise",
      changed(unigram, {
        pre_tokenizer: { type: "Metaspace", add_prefix_space: true, replacement: "_" },
      }),
      "marked",
    ],
    [
      "another replacement",
      changed(unigram, { normalizer: { type: "Replace", pattern: { String: "a" }, content: "b" } }),
      "Replace",
    ],
    [
      "a damaged table",
      changed(unigram, { normalizer: { type: "Precompiled", precompiled_charsmap: "AAAA" } }),
      "damaged",
    ],
  ])("is refused: %s", (_why, text, said) => {
    expect(() => readTokenizer(text)).toThrow(TokenizerError);
    expect(() => readTokenizer(text)).toThrow(said);
  });
});

describe("a table of characters", async () => {
  const file = new URL("../../../tests/models/encoder/charsmap.json", import.meta.url);
  const { charsmap, samples } = JSON.parse(await readFile(file, "utf8")) as {
    readonly charsmap: string;
    readonly samples: readonly { readonly text: string; readonly normal: string }[];
  };

  it.each(samples)("makes $normal of $text, as the reference does", ({ text, normal }) => {
    const read = readCharsmap(charsmap);
    expect(read(text)).toBe(normal);
    expect(read(text)).toBe(normal);
  });
});
