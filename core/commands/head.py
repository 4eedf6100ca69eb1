"""The head: a linear classifier over a part's features, read from the weights that a fit wrote.

It is a sum of a few dozen rows of four numbers, and needs no library (docs/adr/0027). Refuses
weights that are not whole: a head that lost some could call anything harmless.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from core.commands.labels import LABELS, Label
from core.errors import FanlightError

FORM: Final = 1

Shares = Mapping[Label, float]
"""A probability for each label; they add up to one."""


class BadWeights(FanlightError):
    """The weights of the head are not what a fit writes."""


@dataclass(frozen=True, slots=True)
class Mixing:
    """How much each voice counts: factors of log-probabilities, of the rules' word a plain sum.

    `most_delete` is the chance of DELETE up to which a part may still be called harmless.
    """

    head: float
    rules: float
    model: float
    most_delete: float


@dataclass(frozen=True, slots=True)
class Head:
    """Weights of the features, four each, and how they are mixed without and with a model."""

    rows: Mapping[str, tuple[float, ...]]
    bias: tuple[float, ...]
    alone: Mixing
    together: Mixing

    def shares(self, seen: Mapping[str, float]) -> Shares:
        """The head's probabilities for a part's features."""
        scores = list(self.bias)
        for name, value in seen.items():
            row = self.rows.get(name)
            if row is not None:
                for at in range(len(scores)):
                    scores[at] += value * row[at]
        return softmax(scores)


def softmax(scores: Sequence[float]) -> Shares:
    """The probabilities of scores that stand in the order of the labels."""
    top = max(scores)
    powers = [math.exp(score - top) for score in scores]
    total = sum(powers)
    return {label: power / total for label, power in zip(LABELS, powers, strict=True)}


def read_head(text: str) -> Head:
    """The head that a fit wrote; raises `BadWeights`."""
    try:
        told = json.loads(text)
        if told["form"] != FORM or told["labels"] != list(LABELS):
            raise BadWeights("These weights are of another form; fit them anew.")
        scale = float(told["scale"])
        rows = {str(name): _four(row, scale) for name, row in told["features"].items()}
        return Head(
            rows,
            _four(told["bias"], 1.0),
            Mixing(**told["alone"]),
            Mixing(**told["together"]),
        )
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise BadWeights(f"These are no weights of a head: {error!r}. Fit them anew.") from error


def _four(row: Any, scale: float) -> tuple[float, ...]:
    numbers = tuple(float(number) * scale for number in row)
    if len(numbers) != len(LABELS) or not all(map(math.isfinite, numbers)):
        raise ValueError("a row that is not four numbers")
    return numbers
