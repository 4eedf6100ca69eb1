"""Which tokens the embedding has."""

import json
from pathlib import Path

import pytest

from kb.embed import START, segment
from models.embed.vocabulary import WORD_SCORE, choose, read_pieces

PIECES = {
    START: -3.0, "a": -6.0, "b": -6.0, START + "a": -5.0, "bab": -7.0, "aba": -7.5, "rare": -8.0,
}  # fmt: skip
COUNTS = {"abab": 5.0, "ababa": 3.0, "ba": 1.0, "7": 9.0, "b": 9.0}


def tokenizer(path: Path, vocab: list[list[object]], kind: str = "Unigram") -> Path:
    file = path / "tokenizer.json"
    file.write_text(json.dumps({"model": {"type": kind, "vocab": vocab}}), encoding="utf-8")
    return file


def test_pieces_that_a_normalised_text_can_have_are_read(tmp_path: Path) -> None:
    vocab: list[list[object]] = [
        ["<s>", 0], [START + "order", -5], ["ing", -4.5], ["Order", -6], ["ción", -6], ["של", -6],
        ["ם", -7], ["x" * 30, -9], [".", -2], ["訂", -8], ["7", -5],
    ]  # fmt: skip
    assert read_pieces(tokenizer(tmp_path, vocab)) == {
        START + "order": -5.0, "ing": -4.5, "של": -6.0, "ם": -7.0, "7": -5.0,
    }  # fmt: skip


def test_a_tokenizer_of_another_kind_is_refused_by_its_name(tmp_path: Path) -> None:
    file = tokenizer(tmp_path, [], "BPE")
    with pytest.raises(ValueError, match=r"tokenizer\.json: a Unigram tokenizer .* not BPE"):
        read_pieces(file)


def test_single_characters_always_stay() -> None:
    chosen = choose(COUNTS, {**PIECES, "z": -9.0}, 5, 0)
    assert {"a", "b", "z", START + "a"} <= set(chosen.names)


def test_the_commonest_pieces_and_words_are_chosen() -> None:
    chosen = choose(COUNTS, PIECES, 5, 1)
    assert "bab" in chosen.names
    assert "rare" not in chosen.names
    assert START + "abab" in chosen.names
    assert START + "ababa" not in chosen.names


def test_numbers_and_letters_are_no_whole_words() -> None:
    chosen = choose(COUNTS, PIECES, 5, 99)
    assert START + "7" not in chosen.names
    assert START + "b" not in chosen.names


def test_a_piece_keeps_its_score_and_a_word_has_its_own() -> None:
    chosen = choose(COUNTS, PIECES, 5, 1)
    scores = dict(zip(chosen.names, chosen.scores, strict=True))
    assert scores["a"] == PIECES["a"]
    assert scores[START + "abab"] == WORD_SCORE


def test_no_token_is_there_twice_and_the_order_is_fixed() -> None:
    chosen = choose(COUNTS, PIECES, 6, 9)
    assert len(set(chosen.names)) == len(chosen.names)
    assert choose(dict(reversed(COUNTS.items())), PIECES, 6, 9) == chosen


def test_every_word_of_known_letters_has_tokens() -> None:
    chosen = choose(COUNTS, PIECES, 5, 1)
    ids = {name: at for at, name in enumerate(chosen.names)}
    for word in ("aabb", "bbbb", "abab", "ab"):
        assert segment(word, ids, chosen.scores, 8)
