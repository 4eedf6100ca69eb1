"""Which entry a visitor meant, or none: a probability for each candidate.

A conditional logit (McFadden, 1974): each candidate has a utility, a weighted sum of what the
signals say for it, and "none of them" has one of its own. Decides the signals and how the weights
are fitted to simulated users of this very knowledge base; refuses to trust few of them: the weights
stay near the usual ones where there is little evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, sumprod
from typing import Final

SIGNALS: Final = ("words", "word_best", "meaning", "meaning_best", "odds", "lead")
"""In [0, 1]: the words' score and nearest cosine, the meaning's (mean of the three nearest) and its
nearest; in quarters of log-odds: the head's odds against "none of them" and against its first."""
_ROUNDS: Final = 25
_STEP: Final = 3.0
_CLOSE: Final = 1e-3

type Signals = tuple[float, ...]
type _Case = tuple[list[tuple[float, ...]], int, float]
"""Columns of signals, the place of what is right, and the weight."""


@dataclass(frozen=True, slots=True)
class Situation:
    """One question as seen: its candidates' signals, which is right (None: none), its weight."""

    candidates: Sequence[Signals]
    right: int | None
    weight: float


@dataclass(frozen=True, slots=True)
class Choice:
    """Weights of the signals, none of which counts against, and what "none of them" is worth."""

    weights: tuple[float, ...]
    none: float

    def utility(self, signals: Signals) -> float:
        """Give a candidate's utility."""
        return sum(weight * signal for weight, signal in zip(self.weights, signals, strict=True))

    def probabilities(self, candidates: Sequence[Signals]) -> list[float]:
        """Give each candidate's probability; what is missing to one is "none of them"."""
        utilities = [self.utility(signals) for signals in candidates]
        top = max([self.none, *utilities])
        powers = [exp(utility - top) for utility in utilities]
        total = sum(powers) + exp(self.none - top)
        return [power / total for power in powers]


@dataclass(frozen=True, slots=True)
class Prior:
    """The usual weights, and how far each may easily go (standard deviations)."""

    choice: Choice
    spread: tuple[float, ...]


def fit_choice(situations: Sequence[Situation], prior: Prior) -> Choice:
    """Fit the weights by Newton's method on the penalised likelihood; nothing seen: the prior.

    A signal whose usual weight is 0 is not heard, and stays at 0.
    """
    usual = prior.choice.weights
    heard = [at for at, weight in enumerate(usual) if weight]
    centre = [*(usual[at] for at in heard), prior.choice.none]
    spread = [*(prior.spread[at] for at in heard), prior.spread[-1]]
    cases = [_case(situation, heard) for situation in situations]
    values = list(centre)
    for _ in range(_ROUNDS):
        gradient, curvature = _derivatives(cases, values, centre, spread)
        step = solve(curvature, gradient)
        moves = [max(-_STEP, min(_STEP, move)) for move in step]
        before = values
        values = [value + move for value, move in zip(values, moves, strict=True)]
        values = [max(0.0, value) for value in values[:-1]] + values[-1:]
        if max(abs(a - b) for a, b in zip(values, before, strict=True)) < _CLOSE:
            break
    weights = [0.0] * len(usual)
    for at, value in zip(heard, values, strict=False):
        # Rounded so that the last bits of a machine's arithmetic do not change the index.
        weights[at] = round(value, 3)
    return Choice(tuple(weights), round(values[-1], 3))


def _case(situation: Situation, heard: Sequence[int]) -> _Case:
    """Lay out the heard signals by column; "none of them" is the last candidate, and a column."""
    candidates = situation.candidates
    columns = [(*(signals[at] for signals in candidates), 0.0) for at in heard]
    columns.append((*[0.0] * len(candidates), 1.0))
    right = len(candidates) if situation.right is None else situation.right
    return columns, right, situation.weight


def _derivatives(
    cases: Sequence[_Case],
    values: Sequence[float],
    centre: Sequence[float],
    spread: Sequence[float],
) -> tuple[list[float], list[list[float]]]:
    """Gradient and negated Hessian of the log posterior."""
    size = len(values)
    precision = [1 / (each * each) for each in spread]
    gradient = [p * (c - v) for p, c, v in zip(precision, centre, values, strict=True)]
    curvature = [[precision[i] if i == j else 0.0 for j in range(size)] for i in range(size)]
    for columns, right, weight in cases:
        utilities = [sumprod(values, row) for row in zip(*columns, strict=True)]
        top = max(utilities)
        powers = [exp(utility - top) for utility in utilities]
        total = sum(powers)
        shares = [power / total for power in powers]
        mean = [sumprod(shares, column) for column in columns]
        for i, column in enumerate(columns):
            gradient[i] += weight * (column[right] - mean[i])
            weighted = [share * value for share, value in zip(shares, column, strict=True)]
            for j in range(i + 1):
                curvature[i][j] += weight * (sumprod(weighted, columns[j]) - mean[i] * mean[j])
    for i in range(size):
        for j in range(i):
            curvature[j][i] = curvature[i][j]
    return gradient, curvature


def solve(matrix: Sequence[Sequence[float]], target: Sequence[float]) -> list[float]:
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


def logit(probability: float) -> float:
    """Give log(p / (1 - p)), with p kept off its ends."""
    kept = min(max(probability, 1e-6), 1 - 1e-6)
    return log(kept / (1 - kept))
