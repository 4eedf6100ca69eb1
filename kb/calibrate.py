"""What the owner's marks say of the confidence: where it is too bold, or too shy.

A knowledge base does not tell what its visitors ask that it has no answer to. Some fifty questions
that the owner marked as rightly or wrongly answered do. Decides a shift and a slope on the log-odds
(Platt, 1999), held near "nothing to correct" by a prior; refuses to turn the order around.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import Final

from kb.choice import logit, solve

_SPREAD: Final = (1.5, 0.35)
"""How far shift and slope easily go from 0 and 1 (standard deviations of their priors)."""
_LEAST_SLOPE: Final = 0.1
_ROUNDS: Final = 50


@dataclass(frozen=True, slots=True)
class Correction:
    """`logit(corrected) = shift + slope * logit(confidence)`."""

    shift: float = 0.0
    slope: float = 1.0

    def apply(self, probability: float) -> float:
        """Give the corrected probability."""
        if self.shift == 0.0 and self.slope == 1.0:
            return probability
        return logistic(self.shift + self.slope * logit(probability))


UNCORRECTED: Final = Correction()


def fit_marks(marks: Sequence[tuple[float, bool]]) -> Correction:
    """Fit (confidence shown, whether the answer was right); no marks: nothing to correct."""
    values = [0.0, 1.0]
    for _ in range(_ROUNDS):
        gradient = [-(v - c) / s**2 for v, c, s in zip(values, (0.0, 1.0), _SPREAD, strict=True)]
        curvature = [[1 / _SPREAD[0] ** 2, 0.0], [0.0, 1 / _SPREAD[1] ** 2]]
        for confidence, right in marks:
            row = (1.0, logit(confidence))
            share = logistic(values[0] + values[1] * row[1])
            for i in range(2):
                gradient[i] += (right - share) * row[i]
                for j in range(2):
                    curvature[i][j] += share * (1 - share) * row[i] * row[j]
        step = solve(curvature, gradient)
        values = [
            value + max(-1.0, min(1.0, move)) for value, move in zip(values, step, strict=True)
        ]
        values[1] = max(_LEAST_SLOPE, values[1])
        if max(map(abs, step)) < 1e-9:
            break
    return Correction(round(values[0], 6), round(values[1], 6))


def logistic(value: float) -> float:
    """Give 1 / (1 + e^-value), for any value."""
    return 1 / (1 + exp(-value)) if value > -700 else 0.0
