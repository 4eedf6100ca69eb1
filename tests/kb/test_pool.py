from math import cos, sin

from hypothesis import given
from hypothesis import strategies as st

from kb.embed import Vector
from kb.pool import LEAST, pooled

OTHERS = 200
"""So many units that each keeps `LEAST` vectors only."""


def at(angle: float) -> Vector:
    return [cos(angle), sin(angle)]


def rows(angles: list[float]) -> list[tuple[int, int, Vector | None]]:
    """One unit with these vectors, before many units with one each."""
    own: list[tuple[int, int, Vector | None]] = [(0, n, at(a)) for n, a in enumerate(angles)]
    return own + [(1 + n, len(angles) + n, at(0.0)) for n in range(OTHERS)]


def kept(angles: list[float]) -> list[int]:
    return [number for unit, number in pooled(rows(angles)) if unit == 0]


def test_few_vectors_are_all_kept() -> None:
    assert pooled([(0, 0, at(0)), (0, 1, at(0)), (2, 2, at(1))]) == [(0, 0), (0, 1), (2, 2)]


def test_a_phrasing_without_a_vector_is_left_out() -> None:
    assert pooled([(0, 0, None), (0, 1, at(0)), (1, 2, None)]) == [(0, 1)]


def test_nothing_is_kept_of_nothing() -> None:
    assert pooled([]) == []


def test_of_many_the_most_different_are_kept() -> None:
    angles = [0.001 * n for n in range(60)] + [2.0, 3.0, 4.0]
    found = kept(angles)
    assert len(found) == LEAST
    assert {60, 61, 62} <= set(found)


@given(st.lists(st.floats(0, 6.28), max_size=40))
def test_what_is_kept_is_in_order_distinct_and_not_too_much(angles: list[float]) -> None:
    found = kept(angles)
    assert found == sorted(set(found))
    assert len(found) == min(LEAST, len(angles))


def test_copies_of_one_phrasing_do_not_crowd_out_another() -> None:
    assert 50 in kept([0.5] * 50 + [1.5])


def test_other_units_keep_theirs() -> None:
    found = pooled(rows([0.1 * n for n in range(40)]))
    assert [unit for unit, _ in found if unit] == list(range(1, OTHERS + 1))
