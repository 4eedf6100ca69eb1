"""What the strong model was worth for the prompts that are nearest to one.

Decides a mean of the nearest prompts' gains, each weighed by the fourth power of its cosine, so
that few that are near say more than many that are not. Standard library only.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import nlargest
from math import dist
from typing import Final

NEAREST: Final = 80
POWER: Final = 4
_LEAST_WEIGHT: Final = 1e-9


class Neighbours:
    """Unit vectors of prompts and their gains. Immutable."""

    def __init__(self, vectors: Sequence[Sequence[float]], gains: Sequence[float]) -> None:
        self._rows = [tuple(vector) for vector in vectors]
        self._gains = tuple(gains)

    def gain(self, vector: Sequence[float]) -> float:
        """The gain that the nearest promise; 0 where none is near."""
        own = tuple(vector)
        # Between unit vectors |a - b|² = 2 - 2 cos.
        cosines = (1 - dist(own, row) ** 2 / 2 for row in self._rows)
        nearest = nlargest(NEAREST, zip(cosines, self._gains, strict=True))
        weights = [max(0.0, cosine) ** POWER for cosine, _ in nearest]
        total = sum(weight * gain for weight, (_, gain) in zip(weights, nearest, strict=True))
        return total / (sum(weights) + _LEAST_WEIGHT)
