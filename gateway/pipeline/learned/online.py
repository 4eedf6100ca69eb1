"""Learns from one outcome after another how probable it is that a model suffices for a question.

Decides the update: logistic regression with a normal belief over the weights whose precision is
kept for each weight alone, one step of Newton's for each outcome (Chapelle and Li, 2011, algorithm
3). The belief says how sure it is, so that whoever goes by it can go upward where it is not. It has
a fixed size, whatever comes; weights and precisions are bounded; it keeps no question.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, sqrt
from typing import Final

MOST: Final = 8.0
"""A weight's greatest size: beyond it a probability no longer changes."""
MOST_SURE: Final = 1e6
"""A precision's greatest value."""
SHOWN: Final = 3.0
"""A number of a row counts this much at most."""


class Belief:
    """What is believed of one tier. `count` is how many outcomes it has seen."""

    __slots__ = ("_means", "_precisions", "count")

    def __init__(self, precisions: Sequence[float]) -> None:
        """Nothing is known: each weight is 0, as sure as these positive precisions say."""
        self._means = [0.0] * len(precisions)
        self._precisions = list(precisions)
        self.count = 0

    @property
    def weights(self) -> tuple[float, ...]:
        """The means of the weights."""
        return tuple(self._means)

    def learn(self, row: Sequence[float], sufficed: float) -> None:
        """An outcome: `sufficed` in [0, 1]. Raises `ValueError` for a row of another length."""
        kept = [_bounded(value, SHOWN) for value in row]
        given = probability(sum(m * x for m, x in zip(self._means, kept, strict=True)))
        error, curve = min(1.0, max(0.0, sufficed)) - given, given * (1 - given)
        for at, value in enumerate(kept):
            surer = min(MOST_SURE, self._precisions[at] + curve * value * value)
            self._precisions[at] = surer
            self._means[at] = _bounded(self._means[at] + error * value / surer, MOST)
        self.count += 1

    def chance(self, row: Sequence[float], deviations: float = 0.0) -> float:
        """The probability that it suffices, so many standard deviations above what is believed."""
        kept = [_bounded(value, SHOWN) for value in row]
        mean = sum(m * x for m, x in zip(self._means, kept, strict=True))
        spread = sqrt(sum(x * x / q for x, q in zip(kept, self._precisions, strict=True)))
        return probability(mean + deviations * spread)


def probability(value: float) -> float:
    """The logistic function, without overflow."""
    if value >= 0:
        return 1 / (1 + exp(-min(value, 700.0)))
    grown = exp(max(value, -700.0))
    return grown / (1 + grown)


def _bounded(value: float, most: float) -> float:
    return max(-most, min(most, value))
