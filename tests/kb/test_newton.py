from collections.abc import Callable, Sequence
from math import exp, inf, log1p, tanh

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.newton import Slope, maximise, solve

number = st.floats(-5, 5)
square = st.lists(st.lists(st.floats(-2, 2), min_size=3, max_size=3), min_size=3, max_size=3)


def positive_definite(root: list[list[float]]) -> list[list[float]]:
    return [[sum(row[i] * row[j] for row in root) + (i == j) for j in range(3)] for i in range(3)]


def product(matrix: list[list[float]], values: Sequence[float]) -> list[float]:
    return [sum(a * b for a, b in zip(row, values, strict=True)) for row in matrix]


def hill(matrix: list[list[float]], pull: list[float]) -> Callable[[Sequence[float]], Slope]:
    """A quadratic that a Newton step climbs at once, if no floor is in the way."""

    def look(values: Sequence[float]) -> Slope:
        bent = product(matrix, values)
        value = sum((p - b / 2) * v for p, b, v in zip(pull, bent, values, strict=True))
        return Slope(value, [p - b for p, b in zip(pull, bent, strict=True)], matrix)

    return look


@given(square, st.lists(number, min_size=3, max_size=3))
def test_a_positive_definite_system_is_solved(root: list[list[float]], target: list[float]) -> None:
    matrix = positive_definite(root)
    assert product(matrix, solve(matrix, target)) == pytest.approx(target, abs=1e-6)


@given(square, st.lists(number, min_size=3, max_size=3))
def test_at_the_top_nothing_rises_but_below_a_floor(
    root: list[list[float]], pull: list[float]
) -> None:
    look = hill(positive_definite(root), pull)
    top = maximise(look, (1.0, 1.0, 1.0), (0.0, 0.5, -inf))
    for value, floor, gradient in zip(top, (0.0, 0.5, -inf), look(top).gradient, strict=True):
        assert value >= floor
        assert gradient <= 1e-4
        assert gradient >= -1e-4 or value == floor


def test_a_value_is_best_beside_one_at_its_floor() -> None:
    # Without a floor the top is at (-1, 2). Clamped it would be (0, 2); with it, the top is (0, 1).
    look = hill([[1.0, 0.9, 0.0], [0.9, 0.9, 0.0], [0.0, 0.0, 1.0]], [0.8, 0.9, 0.0])
    assert maximise(look, (1.0, 1.0, 0.0), (-inf, -inf, -inf)) == pytest.approx([-1, 2, 0])
    assert maximise(look, (1.0, 1.0, 0.0), (0.0, 0.0, -inf)) == pytest.approx([0, 1, 0])


def test_a_value_that_starts_on_its_floor_leaves_it() -> None:
    look = hill([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], [2.0, -2.0, 2.0])
    assert maximise(look, (0.0, 0.0, 0.0), (0.0, 0.0, -inf)) == pytest.approx([2, 0, 2])


@pytest.mark.parametrize("start", [-50.0, -2.0, 0.0, 2.0, 700.0])
def test_a_step_that_would_pass_over_the_top_is_halved(start: float) -> None:
    def look(values: Sequence[float]) -> Slope:
        """-log cosh: a plain Newton step from beyond 1.09 goes further away each time."""
        (value,) = values
        height = -abs(value) - log1p(exp(-2 * abs(value)))
        return Slope(height, [-tanh(value)], [[1 - tanh(value) ** 2 + 1e-12]])

    assert maximise(look, (start,), (-inf,)) == pytest.approx([0], abs=1e-4)
