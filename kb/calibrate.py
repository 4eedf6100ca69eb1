"""What the owner's marks say of the confidence: where it is too bold, or too shy.

A knowledge base does not tell what its visitors ask that it has no answer to. Some fifty questions
that the owner marked as rightly or wrongly answered do. Decides a shift and a slope on the log-odds
(Platt, 1999), held near "nothing to correct" by a prior; refuses to turn the order around.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, log1p
from typing import Final

from kb.choice import logit
from kb.newton import Slope, maximise

_SPREAD: Final = (1.5, 0.35)
"""How far shift and slope easily go from 0 and 1 (standard deviations of their priors)."""
_FLOORS: Final = (-inf, 0.1)


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
    shown = [(logit(confidence), right) for confidence, right in marks]
    shift, slope = maximise(lambda values: _posterior(shown, values), (0.0, 1.0), _FLOORS)
    return Correction(round(shift, 6), round(slope, 6))


def _posterior(shown: Sequence[tuple[float, bool]], values: Sequence[float]) -> Slope:
    """Give the log posterior, but for a constant, with its slope."""
    off = [c - v for c, v in zip((0.0, 1.0), values, strict=True)]
    value = -sum((each / s) ** 2 for each, s in zip(off, _SPREAD, strict=True)) / 2
    gradient = [each / s**2 for each, s in zip(off, _SPREAD, strict=True)]
    curvature = [[1 / _SPREAD[0] ** 2, 0.0], [0.0, 1 / _SPREAD[1] ** 2]]
    for log_odds, right in shown:
        row = (1.0, log_odds)
        odds = values[0] + values[1] * log_odds
        share = logistic(odds)
        value += min(odds if right else -odds, 0.0) - log1p(exp(-abs(odds)))
        for i in range(2):
            gradient[i] += (right - share) * row[i]
            for j in range(2):
                curvature[i][j] += share * (1 - share) * row[i] * row[j]
    return Slope(value, gradient, curvature)


def logistic(value: float) -> float:
    """Give 1 / (1 + e^-value), for any value."""
    return 1 / (1 + exp(-value)) if value > -700 else 0.0
