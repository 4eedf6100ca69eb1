"""What can be drawn of judged questions: answered against wrong, and confidence against rightness.

Decides which points and bins a picture has. Refuses nothing; without a question there is nothing to
draw. Every question counts as much as its weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from operator import itemgetter
from typing import Final

BINS: Final = 10
_SURE: Final = 1.96
"""Standard deviations within which 95 % of a normal variable lie."""

type Shown = tuple[float, bool, float]
"""The confidence of the first answer, whether it is right, and the weight of the question."""


@dataclass(frozen=True, slots=True)
class Point:
    """What a threshold means: shares in [0, 1].

    `answered`: of all questions. `wrong`: of those that are answered; 0 where none is.
    """

    threshold: float
    answered: float
    wrong: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Questions with a confidence in the tenth that begins at `start`.

    `confidence` is their mean, `right` their share of right answers, `low` and `high` where that
    share may truly lie (95 %), `count` how many they are.
    """

    start: float
    confidence: float
    right: float
    low: float
    high: float
    count: int


def at_threshold(shown: Sequence[Shown], threshold: float) -> Point:
    """Give what happens at a threshold: an answer is shown when its confidence is at least that."""
    total = sum(weight for _, _, weight in shown)
    answered = sum(weight for sure, _, weight in shown if sure >= threshold)
    wrong = sum(weight for sure, right, weight in shown if sure >= threshold and not right)
    return Point(
        threshold, answered / total if total else 0.0, wrong / answered if answered else 0.0
    )


def risk_coverage(shown: Sequence[Shown]) -> tuple[Point, ...]:
    """Give a point for each confidence, the surest first (El-Yaniv and Wiener, 2010, JMLR 11)."""
    total = sum(weight for _, _, weight in shown)
    points: list[Point] = []
    answered = wrong = 0.0
    for sure, right, weight in sorted(shown, key=itemgetter(0), reverse=True):
        answered += weight
        wrong += 0.0 if right else weight
        point = Point(sure, answered / total, wrong / answered) if answered else None
        if point and points and points[-1].threshold == sure:
            points[-1] = point
        elif point:
            points.append(point)
    return tuple(points)


def reliability(shown: Sequence[Shown]) -> tuple[Bin, ...]:
    """Give the questions by their confidence in tenths, each with its Wilson interval (1927).

    A tenth without a question is left out.
    """
    tenths: dict[int, list[Shown]] = {}
    for one in shown:
        tenths.setdefault(min(BINS - 1, int(one[0] * BINS)), []).append(one)
    found = []
    for tenth, part in sorted(tenths.items()):
        total = sum(weight for _, _, weight in part)
        right = sum(weight for _, is_right, weight in part if is_right) / total
        # Kish, 1965: so many questions of equal weight would tell as much.
        effective = total * total / sum(weight * weight for _, _, weight in part)
        low, high = _wilson(right, effective)
        sure = sum(sure * weight for sure, _, weight in part) / total
        found.append(Bin(tenth / BINS, sure, right, low, high, len(part)))
    return tuple(found)


def calibration_error(shown: Sequence[Shown]) -> float:
    """Give the mean gap between confidence and share of right answers, over bins of equal count.

    With equal weights it is `kb.evaluate.expected_calibration_error`; 0 without a question.
    """
    ranked = sorted(shown, key=itemgetter(0))
    gap = 0.0
    for number in range(BINS):
        part = ranked[number * len(ranked) // BINS : (number + 1) * len(ranked) // BINS]
        gap += abs(sum(weight * (sure - right) for sure, right, weight in part))
    return gap / sum(weight for _, _, weight in ranked) if ranked else 0.0


def boldest_for(shown: Sequence[Shown], most_wrong: float) -> Point | None:
    """Give the point that answers most with at most this share wrong; None where there is none."""
    fitting = [point for point in risk_coverage(shown) if point.wrong <= most_wrong]
    return max(fitting, key=lambda point: point.answered, default=None)


def _wilson(share: float, count: float) -> tuple[float, float]:
    """Give the 95 % interval of a share of (effectively) `count`."""
    square = _SURE * _SURE
    middle = share + square / (2 * count)
    spread = _SURE * sqrt(share * (1 - share) / count + square / (4 * count * count))
    return (
        max(0.0, (middle - spread) / (1 + square / count)),
        min(1.0, (middle + spread) / (1 + square / count)),
    )
