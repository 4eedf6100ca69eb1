from math import sumprod
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.embed import Vector, unit
from kb.vectors import ALIKE, Vectors, pack_all, pack_vector, sign_code

DIMENSIONS = 256


def normal(rng: Random, dimensions: int = DIMENSIONS) -> Vector:
    vector = unit([rng.gauss(0, 1) for _ in range(dimensions)])
    assert vector is not None
    return vector


def near(rng: Random, vector: Vector, noise: float) -> Vector:
    other = normal(rng)
    moved = unit([a + noise * b for a, b in zip(vector, other, strict=True)])
    assert moved is not None
    return moved


@given(st.integers(0, 10_000))
def test_a_packed_cosine_is_close_to_the_true_one(seed: int) -> None:
    rng = Random(seed)
    row = normal(rng)
    packed = Vectors(pack_vector(row), DIMENSIONS)
    for noise in (0.0, 0.5, 2.0, 50.0):
        question = near(rng, row, noise)
        assert packed.cosine(question, 0) == pytest.approx(sumprod(question, row), abs=0.12)


def test_the_nearest_contain_the_truly_nearest() -> None:
    rng = Random(1)
    rows = [normal(rng) for _ in range(500)]
    packed = Vectors(pack_all(rows, DIMENSIONS), DIMENSIONS)
    found = 0
    for _ in range(200):
        # A question is about something: its cosine to a phrasing is some 0.3 or more.
        question = near(rng, rng.choice(rows), 3.0)
        truly = max(range(500), key=lambda number: sumprod(question, rows[number]))
        found += truly in {number for _, number in packed.nearest(question)}
    assert found >= 0.95 * 200


def test_about_as_many_as_asked_for_are_near() -> None:
    rng = Random(2)
    packed = Vectors(pack_all([normal(rng) for _ in range(100)], DIMENSIONS), DIMENSIONS)
    question = normal(rng)
    numbers = [number for _, number in packed.nearest(question, 10)]
    assert 10 <= len(numbers) < 30
    assert len(packed.nearest(question, 100)) == 100
    assert {cosine for cosine, _ in packed.nearest(question, 10)} == {
        packed.cosine(question, number) for number in numbers
    }


@given(st.lists(st.floats(-3, 3).filter(bool), min_size=8, max_size=8))
def test_a_sign_code_agrees_with_the_packed_signs(vector: list[float]) -> None:
    packed = int.from_bytes(pack_vector(vector), "little")
    highs = int("2" * 8, 4)
    assert sign_code(vector) == packed & highs


def test_rows_are_kept_as_they_were_packed() -> None:
    rng = Random(3)
    first, second = normal(rng), normal(rng)
    packed = Vectors(pack_all([first, second], DIMENSIONS), DIMENSIONS)
    assert packed.packed(1) == pack_vector(second)
    assert len(packed) == 2


def test_a_missing_vector_is_near_to_nothing() -> None:
    rng = Random(4)
    packed = Vectors(pack_all([normal(rng), None], DIMENSIONS), DIMENSIONS)
    assert len(packed) == 2
    assert abs(packed.cosine(normal(rng), 1)) < 0.25


def test_a_vector_of_zeros_can_be_packed() -> None:
    assert len(pack_vector([0.0] * 8)) == 2


def test_nothing_is_near_among_none() -> None:
    none = Vectors(b"", DIMENSIONS)
    assert len(none) == len(Vectors(b"", 0)) == 0
    assert none.nearest(normal(Random(6))) == []


def test_a_full_cache_changes_no_cosine(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = Random(5)
    rows, question = [normal(rng) for _ in range(3)], normal(rng)
    wide = Vectors(pack_all(rows, DIMENSIONS), DIMENSIONS)
    monkeypatch.setattr("kb.vectors._CACHED", 1)
    tight = Vectors(pack_all(rows, DIMENSIONS), DIMENSIONS)
    numbers = [0, 1, 2, 0]
    assert [tight.cosine(question, n) for n in numbers] == [
        wide.cosine(question, n) for n in numbers
    ]


def test_of_rows_that_are_alike_only_so_many_are_looked_at() -> None:
    row = [1.0, -1.0, 0.5, -0.5] * 2
    vectors = Vectors(pack_all([row] * 500, 8), 8)
    found = vectors.nearest(row, 10)
    assert sorted(number for _, number in found) == list(range(ALIKE * 10))


def nearest_by_signs(rows: list[Vector], asked: Vector, most: int) -> list[int]:
    """The same choice, row by row."""
    off = [sum((a > 0) != (b > 0) for a, b in zip(row, asked, strict=True)) for row in rows]
    limit = sorted(off)[most - 1]
    nearer = [number for number, each in enumerate(off) if each < limit]
    alike = [number for number, each in enumerate(off) if each == limit]
    return [*nearer, *alike[: ALIKE * most - len(nearer)]]


@pytest.mark.parametrize("dimensions", [4, 8, 12, 128, 132, 252, 256, 260, 512])
def test_signs_are_compared_alike_by_columns_and_by_rows(dimensions: int) -> None:
    rng = Random(dimensions)
    rows = [normal(rng, dimensions) for _ in range(60)]
    vectors = Vectors(pack_all(rows, dimensions), dimensions)
    for asked in (normal(rng, dimensions), rows[7]):
        assert vectors.alike(asked, 10) == nearest_by_signs(rows, asked, 10)


@pytest.mark.parametrize("dimensions", [128, 256])
def test_a_row_that_differs_in_every_sign_disturbs_no_other(dimensions: int) -> None:
    rng = Random(8)
    asked = normal(rng, dimensions)
    opposite = [-value for value in asked]
    rows = [opposite, asked, opposite, *(normal(rng, dimensions) for _ in range(20))]
    vectors = Vectors(pack_all(rows, dimensions), dimensions)
    assert vectors.alike(asked, 5) == nearest_by_signs(rows, asked, 5)
    assert vectors.alike(asked, 22) == nearest_by_signs(rows, asked, 22)
