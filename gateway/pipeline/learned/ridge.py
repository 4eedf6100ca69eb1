"""Ridge regression from sums alone, so that an outcome more is added and nothing is kept of it.

Decides the solution of the normal equations by conjugate gradients (Hestenes and Stiefel, 1952).
Standard library only: some hundred numbers a row take a fraction of a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sumprod
from typing import Final

ROUNDS: Final = 80
CLOSE: Final = 1e-8


@dataclass(frozen=True, slots=True)
class Sums:
    """Of rows x (a 1 before it) and targets y: the sums of x xᵀ and of x y, and how many."""

    outer: Sequence[Sequence[float]]
    cross: Sequence[float]
    count: int

    def __sub__(self, other: Sums) -> Sums:
        return Sums(
            [
                [a - b for a, b in zip(one, two, strict=True)]
                for one, two in zip(self.outer, other.outer, strict=True)
            ],
            [a - b for a, b in zip(self.cross, other.cross, strict=True)],
            self.count - other.count,
        )

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            [
                [a + b for a, b in zip(one, two, strict=True)]
                for one, two in zip(self.outer, other.outer, strict=True)
            ],
            [a + b for a, b in zip(self.cross, other.cross, strict=True)],
            self.count + other.count,
        )


def sums(rows: Sequence[Sequence[float]], targets: Sequence[float]) -> Sums:
    """The sums of some rows; each row begins with 1."""
    columns = list(zip(*rows, strict=True))
    outer = [[0.0] * len(columns) for _ in columns]
    for at, column in enumerate(columns):
        for other in range(at, len(columns)):
            outer[at][other] = outer[other][at] = sumprod(column, columns[other])
    return Sums(outer, [sumprod(column, targets) for column in columns], len(rows))


def solve(found: Sums, scales: Sequence[float], penalty: float) -> list[float]:
    """The weights that fit best with each number of a row taken `scales` times.

    All but the first, the constant, cost the penalty.
    """
    size = len(found.cross)
    matrix = [
        [value * scales[at] * scale for value, scale in zip(row, scales, strict=True)]
        for at, row in enumerate(found.outer)
    ]
    for at in range(1, size):
        matrix[at][at] += penalty
    matrix[0][0] += CLOSE
    target = [value * scale for value, scale in zip(found.cross, scales, strict=True)]
    solved = _descend(matrix, target)
    return [value * scale for value, scale in zip(solved, scales, strict=True)]


def apply(weights: Sequence[float], rows: Iterable[Sequence[float]]) -> list[float]:
    """What the weights make of some rows."""
    return [sumprod(weights, row) for row in rows]


def _descend(matrix: Sequence[Sequence[float]], target: Sequence[float]) -> list[float]:
    """Conjugate gradients, scaled by the diagonal."""
    scale = [1 / (row[at] or 1.0) for at, row in enumerate(matrix)]
    values = [0.0] * len(target)
    rest = list(target)
    aimed = [s * r for s, r in zip(scale, rest, strict=True)]
    step = list(aimed)
    size = sumprod(rest, aimed)
    first = size
    for _ in range(ROUNDS):
        if size <= CLOSE * first or size == 0:
            break
        along = [sumprod(row, step) for row in matrix]
        share = size / sumprod(step, along)
        values = [v + share * s for v, s in zip(values, step, strict=True)]
        rest = [r - share * a for r, a in zip(rest, along, strict=True)]
        aimed = [s * r for s, r in zip(scale, rest, strict=True)]
        following = sumprod(rest, aimed)
        step = [a + following / size * s for a, s in zip(aimed, step, strict=True)]
        size = following
    return values
