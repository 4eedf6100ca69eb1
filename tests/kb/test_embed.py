import gzip
import json
from array import array
from itertools import combinations, pairwise
from math import sqrt, sumprod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.bundled import bundled_embedding
from kb.codec import IndexFormatError, Section, decode, encode
from kb.embed import (
    EMBEDDING,
    START,
    UNKNOWN,
    Embedding,
    load_embedding,
    segment,
    unit,
    unpack,
)
from kb.normalise import words
from tests.small_embedding import small_embedding

PIECES = {
    START: -6.0, START + "a": -5.0, START + "ab": -3.5, "a": -4.0, "b": -4.5,
    "ab": -7.0, "ba": -3.0, "abb": -2.5, "c": -9.0, "bc": -20.0,
}  # fmt: skip
NAMES = {name: number for number, name in enumerate(PIECES)}
SCORES = list(PIECES.values())
TRIPLES = (
    ("refund", "reembolso", "החזר כספי"),
    ("shipping", "envío", "משלוח"),
    ("password", "contraseña", "סיסמה"),
    ("opening hours", "horario de apertura", "שעות פתיחה"),
    ("credit card", "tarjeta de crédito", "כרטיס אשראי"),
    ("cancel my order", "cancelar mi pedido", "לבטל את ההזמנה שלי"),
    ("dog", "perro", "כלב"),
    ("water", "agua", "מים"),
    ("doctor", "médico", "רופא"),
    ("train", "tren", "רכבת"),
    ("phone number", "número de teléfono", "מספר טלפון"),
    ("I love you", "te quiero", "אני אוהב אותך"),
)


def all_splits(text: str) -> list[list[str]]:
    cuts = range(1, len(text))
    found = []
    for count in range(len(text)):
        for chosen in combinations(cuts, count):
            ends = [0, *chosen, len(text)]
            found.append([text[a:b] for a, b in pairwise(ends)])
    return found


def joint_score(parts: list[str]) -> float:
    return sum(PIECES.get(part, UNKNOWN if len(part) == 1 else -1e6) for part in parts)


@given(st.text(alphabet="abcx", min_size=1, max_size=7))
def test_a_split_has_the_best_joint_score(word: str) -> None:
    tokens = segment(word, NAMES, SCORES, 3)
    names = [list(NAMES)[token] for token in tokens]
    unknown = len(START + word) - sum(map(len, names))
    own = sum(PIECES[name] for name in names) + unknown * UNKNOWN
    if START + word in NAMES:
        assert names == [START + word]
    else:
        assert own == pytest.approx(max(map(joint_score, all_splits(START + word))))


def test_a_whole_word_wins_over_a_likelier_split() -> None:
    names = {START + "ab": 0, START: 1, "ab": 2}
    assert segment("ab", names, [-9.0, -1.0, -1.0], 3) == [0]


def test_unknown_characters_are_left_out() -> None:
    names = {START + "a": 0, "b": 1}
    assert segment("a☃b", names, [-1.0, -1.0], 2) == [0, 1]
    assert segment("☃", names, [-1.0, -1.0], 2) == []


@pytest.mark.parametrize("word", ["deliver", "unbelievableness", "חשבוניות", "descargármelo"])
def test_the_pieces_of_a_word_spell_it(embedding: Embedding, word: str) -> None:
    (plain,) = words(word)
    assert "".join(embedding.pieces(plain)) == START + plain


def test_a_very_long_word_is_cut(embedding: Embedding) -> None:
    assert embedding.split("ab" * 5_000) == embedding.split("ab" * 24)


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=200))
def test_every_string_has_a_unit_vector_or_none(embedding: Embedding, text: str) -> None:
    vector = embedding.vector(words(text))
    assert vector is None or (
        len(vector) == embedding.dimensions and sumprod(vector, vector) == pytest.approx(1)
    )


@pytest.mark.parametrize(
    "text", ["", " ", "🙂🙂", "?!", "\ud800", "a" * 25_000, "word " * 9_000, "a🙂b", "日本語"]
)
def test_odd_strings_have_a_unit_vector_or_none(embedding: Embedding, text: str) -> None:
    vector = embedding.vector(words(text))
    assert vector is None or sumprod(vector, vector) == pytest.approx(1)


def test_what_has_no_token_has_no_vector(embedding: Embedding) -> None:
    assert embedding.vector([]) is None
    assert embedding.vector(words("🙂")) is None


def test_the_order_of_words_does_not_matter(embedding: Embedding) -> None:
    assert embedding.vector(["red", "table"]) == pytest.approx(embedding.vector(["table", "red"]))


def test_vectors_that_cancel_out_are_none() -> None:
    assert unit([0.0, 0.0]) is None
    assert unit([3.0, 4.0]) == pytest.approx([0.6, 0.8])


def test_levels_are_read_lowest_bits_first() -> None:
    assert unpack(bytes([0b11_10_01_00])) == [-1.51, -0.453, 0.453, 1.51]


def test_full_caches_change_no_vector(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [["where", "are", "you"], ["refund", "policy"], ["where", "are", "you"]]
    plain = load_embedding(small_embedding())
    expected = [plain.vector(text) for text in texts]
    monkeypatch.setattr("kb.embed._CACHED_ROWS", 1)
    monkeypatch.setattr("kb.embed._CACHED_WORDS", 1)
    tight = load_embedding(small_embedding())
    assert [tight.vector(text) for text in texts] == expected


def sections() -> dict[str, Section]:
    found, _ = decode(small_embedding(), EMBEDDING)
    return found


def test_what_was_written_is_what_is_read() -> None:
    table = load_embedding(small_embedding())
    assert len(table) == len(sections()["norms"])
    assert table.dimensions == 16


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("meta", "{}"),
        ("meta", "nonsense"),
        ("meta", json.dumps({"dimensions": None})),
        ("meta", json.dumps({"dimensions": 20})),
        ("pieces", "one\ntwo"),
        ("pieces", array("B", [1])),
        ("scores", array("f", [-1.0])),
        ("norms", array("f", [1.0])),
        ("levels", array("B", [0])),
    ],
)
def test_parts_that_do_not_fit_are_refused_with_a_remedy(name: str, value: Section) -> None:
    with pytest.raises(IndexFormatError, match=r"damaged embedding.*fetch it again"):
        load_embedding(encode({**sections(), name: value}, EMBEDDING))


def test_a_width_that_four_does_not_divide_is_refused() -> None:
    odd: dict[str, Section] = {
        "meta": json.dumps({"dimensions": 6}), "pieces": "a\nb", "scores": array("f", [0.0, 0.0]),
        "norms": array("f", [1.0, 1.0]), "levels": array("B", [0, 0, 0]),
    }  # fmt: skip
    with pytest.raises(IndexFormatError, match="different sizes"):
        load_embedding(encode(odd, EMBEDDING))


@pytest.mark.parametrize("name", ["meta", "pieces", "scores", "norms", "levels"])
def test_a_missing_part_is_refused(name: str) -> None:
    rest = {key: value for key, value in sections().items() if key != name}
    with pytest.raises(IndexFormatError, match=f"damaged embedding.*{name}.*fetch it again"):
        load_embedding(encode(rest, EMBEDDING))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the embedding is cut short"),
        (small_embedding()[:-9], "the embedding is cut short"),
        (b"not gzip at all", "not an embedding"),
        (gzip.compress(b"fanlight-embedding 99\n[]\n", mtime=0), "expected 'fanlight-embedding 1'"),
        (gzip.compress(b"fanlight-kb 2\n[]\n", mtime=0), "found 'fanlight-kb 2'"),
        (gzip.compress(b"fanlight-embedding 1\nnonsense\n", mtime=0), "damaged embedding"),
    ],
)
def test_other_bytes_are_refused_with_a_remedy(data: bytes, reason: str) -> None:
    with pytest.raises(IndexFormatError, match=f"{reason}.*: fetch|{reason}.*; fetch it again"):
        load_embedding(data)


def test_the_bundled_file_is_small_enough_for_a_browser() -> None:
    packed = bundled_embedding()
    assert packed is not None
    assert len(packed) <= 2_500_000


@pytest.mark.parametrize("places", [(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)])
def test_a_translation_is_nearer_than_any_stranger(
    embedding: Embedding, places: tuple[int, int]
) -> None:
    here, there = places

    def cosine(one: str, other: str) -> float:
        first, second = embedding.vector(words(one)), embedding.vector(words(other))
        assert first is not None
        assert second is not None
        return sumprod(first, second)

    for own in TRIPLES:
        nearest = max(TRIPLES, key=lambda other: cosine(own[here], other[there]))
        assert nearest == own


def test_a_word_and_its_inflection_are_near(embedding: Embedding) -> None:
    one, other = embedding.vector(["deliver"]), embedding.vector(["delivered"])
    assert one is not None
    assert other is not None
    assert sumprod(one, other) > 2 / sqrt(embedding.dimensions)
