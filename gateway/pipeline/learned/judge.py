"""How good a router between a weak and a strong model is, without asking either.

Decides the figures of Ong et al. (RouteLLM, 2024): the performance gap recovered (PGR) is how much
of the way from the weak model's score to the strong one's a share of strong calls goes. `apgr` is
its mean over all shares, `cpt50` and `cpt80` the least shares that recover 50 % and 80 %. Chance
has an `apgr` of 0.5.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

ROUNDS: Final = 200
MIDDLE: Final = 0.95


@dataclass(frozen=True, slots=True)
class RouterFigures:
    """`low` and `high` are where 95 % of the bootstrap's `apgr` lie."""

    apgr: float
    low: float
    high: float
    cpt50: float | None
    cpt80: float | None
    n: int


def judge(gains: Sequence[float], outcomes: Sequence[int], seed: int = 0) -> RouterFigures | None:
    """The figures of a router that calls the strong model where the predicted gain is highest.

    `outcomes` are the true gains, -1 to 1. None where the strong model is no better.
    """
    curve = _curve(gains, outcomes)
    if curve is None:
        return None
    drawn = random.Random(seed)  # noqa: S311 - a bootstrap, no secret
    count = len(gains)
    found = []
    for _ in range(ROUNDS):
        at = drawn.choices(range(count), k=count)
        again = _curve([gains[n] for n in at], [outcomes[n] for n in at])
        found += [] if again is None else [_mean(again)]
    found.sort()
    edge = int((1 - MIDDLE) / 2 * len(found))
    return RouterFigures(
        _mean(curve), found[edge], found[-1 - edge], _call(curve, 0.5), _call(curve, 0.8), count
    )


def average_gap(gains: Sequence[float], outcomes: Sequence[int]) -> float:
    """The `apgr` alone; 0.5 where the strong model is no better."""
    curve = _curve(gains, outcomes)
    return 0.5 if curve is None else _mean(curve)


def _curve(gains: Sequence[float], outcomes: Sequence[int]) -> list[float] | None:
    """The gap recovered with no, one, two … strong calls."""
    order = sorted(range(len(gains)), key=lambda at: -gains[at])
    total = sum(outcomes)
    if total <= 0:
        return None
    return [won / total for won in accumulate((outcomes[at] for at in order), initial=0)]


def _mean(curve: Sequence[float]) -> float:
    """The area under the curve, by trapezia."""
    return (sum(curve) - (curve[0] + curve[-1]) / 2) / (len(curve) - 1)


def _call(curve: Sequence[float], share: float) -> float | None:
    calls = next((at for at, value in enumerate(curve) if value >= share), None)
    return None if calls is None else calls / (len(curve) - 1)
