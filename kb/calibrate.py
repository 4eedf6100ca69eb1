"""What a score is worth: the probability that the answer shown is right.

Decides the logistic curve that turns a ranking into a confidence, from simulated users of this
very knowledge base. Refuses to trust few of them: with little evidence the curve stays near a
cautious default.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Final

FEATURES: Final = 4
"""Constant, score, lead over the next entry, known share of the question's words."""
_DEFAULT: Final = (-4.0, 7.0, 7.0, 0.5)
"""Where the curve starts from: what the bundled FAQ gives, rounded towards caution."""
_SPREAD: Final = (1.0, 3.0, 3.0, 1.0)
"""How far from the default each coefficient may easily go (standard deviation of its prior)."""
_ROUNDS: Final = 30
_LOWEST: Final = 0.001
_HIGHEST: Final = 0.995


@dataclass(frozen=True, slots=True)
class Evidence:
    """What ranking saw for one question, each in [0, 1]: best score, its lead, known share."""

    score: float
    lead: float
    known: float

    def row(self) -> tuple[float, float, float, float]:
        """Give the features in the order of the coefficients."""
        return (1.0, self.score, self.lead, self.known)


@dataclass(frozen=True, slots=True)
class Sample:
    """One simulated question: its evidence, whether the first entry was right, and its weight."""

    evidence: Evidence
    right: bool
    weight: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """The fitted curve: a lower score, a smaller lead or fewer known words never raise it."""

    coefficients: tuple[float, ...] = _DEFAULT

    def confidence(self, evidence: Evidence) -> float:
        """Give the probability that the entry with this evidence is the right answer."""
        total = sum(c * x for c, x in zip(self.coefficients, evidence.row(), strict=True))
        return min(max(logistic(total), _LOWEST), _HIGHEST)


def logistic(value: float) -> float:
    """Give 1 / (1 + e^-value), for any value."""
    if value < -700:
        return 0.0
    return 1 / (1 + exp(-value))


def logit(probability: float) -> float:
    """Give the value whose logistic is `probability`, which must be strictly between 0 and 1."""
    return log(probability / (1 - probability))


def fit(samples: Sequence[Sample]) -> Calibration:
    """Fit the curve by Newton's method on the penalised likelihood; no samples: the default."""
    coefficients = list(_DEFAULT)
    rows = [(sample.evidence.row(), float(sample.right), sample.weight) for sample in samples]
    for _ in range(_ROUNDS):
        gradient, curvature = _derivatives(rows, coefficients)
        step = _solve(curvature, gradient)
        coefficients = [c + max(-2.0, min(2.0, s)) for c, s in zip(coefficients, step, strict=True)]
        if max(abs(s) for s in step) < 1e-9:
            break
    # Rounded so that the last bits of a machine's arithmetic do not change the index.
    kept = [coefficients[0], *(max(0.0, c) for c in coefficients[1:])]
    return Calibration(tuple(round(c, 6) for c in kept))


def _derivatives(
    rows: Sequence[tuple[tuple[float, ...], float, float]], coefficients: Sequence[float]
) -> tuple[list[float], list[list[float]]]:
    """Gradient and negated Hessian of the log posterior."""
    size = len(coefficients)
    precision = [1 / (spread * spread) for spread in _SPREAD]
    gradient = [p * (d - c) for p, d, c in zip(precision, _DEFAULT, coefficients, strict=True)]
    curvature = [[precision[i] if i == j else 0.0 for j in range(size)] for i in range(size)]
    for row, right, weight in rows:
        value = logistic(sum(c * x for c, x in zip(coefficients, row, strict=True)))
        slope = weight * value * (1 - value)
        error = weight * (right - value)
        for i in range(size):
            gradient[i] += error * row[i]
            for j in range(i + 1):
                curvature[i][j] += slope * row[i] * row[j]
    for i in range(size):
        for j in range(i):
            curvature[j][i] = curvature[i][j]
    return gradient, curvature


def _solve(matrix: list[list[float]], target: list[float]) -> list[float]:
    """Solve a small positive definite system by elimination."""
    size = len(target)
    rows = [[*line, value] for line, value in zip(matrix, target, strict=True)]
    for i in range(size):
        for k in range(i + 1, size):
            factor = rows[k][i] / rows[i][i]
            for j in range(i, size + 1):
                rows[k][j] -= factor * rows[i][j]
    answer = [0.0] * size
    for i in reversed(range(size)):
        rest = sum(rows[i][j] * answer[j] for j in range(i + 1, size))
        answer[i] = (rows[i][size] - rest) / rows[i][i]
    return answer
