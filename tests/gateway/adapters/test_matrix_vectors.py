"""The matrix finds what plain Python finds: the same rows, the same cosines, the same answers."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.matrix_vectors import MatrixVectors
from gateway.cli.builders import vectors_here
from kb import Entry, build_index, load_index
from kb.bundled import load_bundled
from kb.embed import unit
from kb.vectors import Vectors, pack_all

CLOSE = 1e-9


def some_vectors(seed: int, count: int, dimensions: int) -> list[list[float]]:
    rng = random.Random(seed)
    made = [[rng.gauss(0, 1) for _ in range(dimensions)] for _ in range(count)]
    # Some that are the very same: which of them comes first must not be a matter of rounding.
    return [made[rng.randrange(count)] if rng.random() < 0.3 else one for one in made]


@given(
    seed=st.integers(0, 2**32),
    count=st.integers(0, 200),
    dimensions=st.sampled_from([4, 8, 60, 256]),
    most=st.integers(1, 60),
)
def test_the_same_rows_with_the_same_cosines(
    seed: int, count: int, dimensions: int, most: int
) -> None:
    rows = some_vectors(seed, count, dimensions) if count else []
    levels = pack_all(rows, dimensions)
    plain, matrix = Vectors(levels, dimensions), MatrixVectors(levels, dimensions)
    (asked,) = some_vectors(seed + 1, 1, dimensions)
    vector = unit(asked)
    assert vector is not None
    expected, found = plain.nearest(vector, most), matrix.nearest(vector, most)
    assert [number for _, number in found] == [number for _, number in expected]
    assert [cosine for cosine, _ in found] == pytest.approx(
        [cosine for cosine, _ in expected], abs=CLOSE
    )
    assert len({cosine for cosine, _ in found}) <= len({cosine for cosine, _ in expected})


ENTRIES = [
    Entry("hours", "en", "When are you open?", "From nine to five. On Sundays we rest."),
    Entry("returns", "en", "How do I return an order?", "Send it back within thirty days."),
    Entry("price", "en", "What does it cost?", "Ten euros a month. A year costs a hundred."),
    Entry("refund", "en", "When do I get my money back?", "A refund takes three days."),
    Entry("password", "en", "I forgot my password", "Ask for a new one on the login page."),
    Entry("people", "en", "Can I talk to a person?", "Yes: write that you want to."),
]
QUESTIONS = (
    "opening times on a weekend",
    "my parcel is broken, I want it replaced",
    "is there a yearly plan",
    "cannot log in any more",
    "quiero hablar con alguien",
    "which stone is the moon made of",
    "",
)


def test_an_index_answers_alike_with_either() -> None:
    embedding = load_bundled()
    assert embedding is not None
    packed = build_index(ENTRIES, embedding=embedding)
    plain, quick = (load_index(packed, embedding, make) for make in (Vectors, MatrixVectors))
    for question in QUESTIONS:
        expected, found = plain.search(question), quick.search(question)
        assert [hit.entry.id for hit in found] == [hit.entry.id for hit in expected]
        assert [hit.sentence for hit in found] == [hit.sentence for hit in expected]
        assert [hit.confidence for hit in found] == pytest.approx(
            [hit.confidence for hit in expected], abs=CLOSE
        )


def test_it_is_used_where_numpy_is() -> None:
    assert vectors_here() is MatrixVectors


WITHOUT = """
import sys
sys.modules["numpy"] = None
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "numpy" else found(name, *more)
from gateway.cli.builders import vectors_here
from kb.vectors import Vectors
assert vectors_here() is Vectors
assert "gateway.adapters.matrix_vectors" not in sys.modules
"""


def test_without_numpy_plain_python_does_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
