"""Which entry a visitor meant, or none: a probability for each candidate.

A conditional logit (McFadden, 1974): each candidate has a utility, a weighted sum of what the
signals say for it, and "none of them" has one of its own. Decides the signals and how the weights
are fitted to simulated users of this very knowledge base; refuses to trust few of them: the weights
stay near the usual ones where there is little evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, log, sumprod
from typing import Final

from kb.newton import Slope, maximise

SIGNALS: Final = ("words", "word_best", "meaning", "meaning_best", "odds", "lead")
"""In [0, 1]: the words' score and nearest cosine, the meaning's (mean of the three nearest) and its
nearest; in quarters of log-odds: the head's odds against "none of them" and against its first."""

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
    """Fit the weights where the penalised likelihood is highest; nothing seen: the prior.

    No weight goes below 0: one that would is held there, and the others are best beside it. A
    signal whose usual weight is 0 is not heard, and stays at 0.
    """
    usual = prior.choice.weights
    heard = [at for at, weight in enumerate(usual) if weight]
    centre = [*(usual[at] for at in heard), prior.choice.none]
    spread = [*(prior.spread[at] for at in heard), prior.spread[-1]]
    cases = [_case(situation, heard) for situation in situations]
    floors = [*[0.0] * len(heard), -inf]
    values = maximise(lambda values: _posterior(cases, values, centre, spread), centre, floors)
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


def _posterior(
    cases: Sequence[_Case],
    values: Sequence[float],
    centre: Sequence[float],
    spread: Sequence[float],
) -> Slope:
    """Give the log posterior, but for a constant, with its slope."""
    size = len(values)
    precision = [1 / (each * each) for each in spread]
    off = [c - v for c, v in zip(centre, values, strict=True)]
    value = -sum(p * each * each for p, each in zip(precision, off, strict=True)) / 2
    gradient = [p * each for p, each in zip(precision, off, strict=True)]
    curvature = [[precision[i] if i == j else 0.0 for j in range(size)] for i in range(size)]
    for columns, right, weight in cases:
        utilities = [sumprod(values, row) for row in zip(*columns, strict=True)]
        top = max(utilities)
        powers = [exp(utility - top) for utility in utilities]
        total = sum(powers)
        value += weight * (utilities[right] - top - log(total))
        shares = [power / total for power in powers]
        mean = [sumprod(shares, column) for column in columns]
        for i, column in enumerate(columns):
            gradient[i] += weight * (column[right] - mean[i])
            weighted = [share * signal for share, signal in zip(shares, column, strict=True)]
            for j in range(i + 1):
                curvature[i][j] += weight * (sumprod(weighted, columns[j]) - mean[i] * mean[j])
    for i in range(size):
        for j in range(i):
            curvature[j][i] = curvature[i][j]
    return Slope(value, gradient, curvature)


def logit(probability: float) -> float:
    """Give log(p / (1 - p)), with p kept off its ends."""
    kept = min(max(probability, 1e-6), 1 - 1e-6)
    return log(kept / (1 - kept))
