"""The file of the embedding: what is packed is what `kb` reads."""

import numpy as np
import pytest

from kb.embed import START, load_embedding
from kb.vectors import pack_vector
from models.embed.pack import pack
from models.embed.vocabulary import Vocabulary

WORDS = [f"word{chr(97 + a)}{chr(97 + b)}" for a in range(5) for b in range(10)]
VOCABULARY = Vocabulary(tuple(START + word for word in WORDS), tuple(-5.0 for _ in WORDS))
TABLE = np.random.default_rng(1).normal(size=(len(WORDS), 256)).astype(np.float32)
LENGTHS = np.linalg.norm(TABLE, axis=1)


def test_each_row_comes_back_nearly_as_it_was() -> None:
    embedding = load_embedding(pack(VOCABULARY, TABLE))
    for word, row, length in zip(WORDS, TABLE, LENGTHS, strict=True):
        vector = embedding.vector([word])
        assert vector is not None
        assert np.dot(vector, row) / length >= 0.9


def test_a_long_row_counts_more_in_a_sum() -> None:
    table = TABLE.copy()
    table[0] *= 10
    embedding = load_embedding(pack(VOCABULARY, table))
    both = embedding.vector(WORDS[:2])
    assert both is not None
    assert np.dot(both, table[0]) / np.linalg.norm(table[0]) > 0.85


def test_rows_are_packed_as_kb_packs_a_vector() -> None:
    one = load_embedding(pack(Vocabulary((START + "a",), (-1.0,)), TABLE[:1]))
    assert one._levels == pack_vector([float(value) for value in TABLE[0]])


def test_a_row_of_nothing_adds_nothing() -> None:
    table = TABLE.copy()
    table[0] = 0
    embedding = load_embedding(pack(VOCABULARY, table))
    assert embedding.vector(WORDS[:1]) is None
    assert embedding.vector(WORDS[:2]) == pytest.approx(embedding.vector(WORDS[1:2]))


def test_the_same_table_gives_the_same_bytes() -> None:
    assert pack(VOCABULARY, TABLE) == pack(VOCABULARY, TABLE)


@pytest.mark.parametrize("shape", [(50, 254), (49, 256)])
def test_a_table_that_does_not_fit_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=f"{shape[1]}\\) does not fit 50 tokens"):
        pack(VOCABULARY, np.ones(shape, np.float32))
