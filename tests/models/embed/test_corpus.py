"""The training texts, as they are read from what the collector wrote."""

import gzip
import json
from pathlib import Path

import pytest

from models.embed.corpus import (
    Meaning,
    joint_shares,
    make_corpus,
    read_counts,
    read_meanings,
)


def test_a_meaning_is_its_translations(tmp_path: Path) -> None:
    rows = [
        {"en": "the house", "es": "la casa", "kind": "sentence", "source": "x"},
        {"he": "בית", "en": "?!", "kind": "name"},
        {"en": "...", "fr": "maison", "kind": "name"},
    ]
    path = tmp_path / "texts.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    assert read_meanings(path) == [
        Meaning({"en": "the house", "es": "la casa"}, "sentence"),
        Meaning({"he": "בית"}, "name"),
    ]


def test_words_are_counted_as_they_are_once_normalised(tmp_path: Path) -> None:
    path = tmp_path / "words.tsv"
    path.write_text("en\tHouse\t3\nen\thouse\t2\nes\tcas\u00e1\t1\n", encoding="utf-8")
    assert read_counts(path) == {"en": {"house": 5.0}, "es": {"casa": 1.0}}


def test_a_small_language_is_not_crowded_out() -> None:
    shares = joint_shares({"en": {"house": 900.0, "the": 100.0}, "he": {"בית": 1.0}})
    assert shares == {"house": pytest.approx(0.9), "the": pytest.approx(0.1), "בית": 1.0}


def test_a_word_of_two_languages_has_both_shares() -> None:
    shares = joint_shares({"en": {"no": 1.0, "yes": 1.0}, "es": {"no": 1.0}})
    assert shares["no"] == pytest.approx(1.5)


def test_distinct_texts_are_numbered_once() -> None:
    meanings = [
        Meaning({"en": "close", "es": "cerrar"}, "interface"),
        Meaning({"en": "close", "es": "cerca"}, "sentence"),
        Meaning({"es": "close"}, "word"),
    ]
    corpus = make_corpus(meanings)
    assert corpus.texts == [("en", "close"), ("es", "cerrar"), ("es", "cerca"), ("es", "close")]
    assert corpus.members == [[0, 1], [0, 2], [3]]
    assert corpus.meanings is meanings
