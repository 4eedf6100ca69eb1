"""Learns from outcomes of two models how much the strong one is worth for a prompt.

Decides the regression: the gain (1 where only the strong model was right, -1 where only the weak
one was) on the prompt's vector and shape, each form of prompt by itself; how much the vector counts
and how strong the penalty is, by the gap that is recovered on rows that were held out. A form of
which there are too few outcomes gains the mean: whoever is unsure is sent upward by the threshold
that the caller sets on that. It keeps sums, and no prompt.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, Final

from gateway.pipeline.learned.judge import average_gap
from gateway.pipeline.learned.ridge import apply, solve, sums
from gateway.pipeline.learned.shape import offers_choices, shape

type Embed = Callable[[str], Sequence[float]]
"""Gives a prompt its vector, always of the same length."""

FOLDS: Final = 4
LEAST: Final = 40
"""Outcomes of a form from which it is learnt."""
MOST: Final = 3.0
"""Standard deviations that a number of the shape counts at most."""
CHOICES: Final = tuple((vector, penalty) for vector in (0.0, 1.0) for penalty in (2.0, 20.0, 100.0))
"""How much the vector counts beside the shape, and the penalty: each is tried."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one prompt with both models; `vector` is its embedding."""

    prompt: str
    vector: Sequence[float]
    weak_ok: bool
    strong_ok: bool
    bench: str = ""

    @property
    def gain(self) -> int:
        """What the strong model was worth: -1, 0 or 1."""
        return int(self.strong_ok) - int(self.weak_ok)


@dataclass(frozen=True, slots=True)
class _Form:
    """What was learnt of prompts of one form."""

    means: Sequence[float]
    spreads: Sequence[float]
    weights: Sequence[float]

    def row(self, prompt: str, vector: Sequence[float]) -> list[float]:
        pairs = zip(shape(prompt), self.means, self.spreads, strict=True)
        told = [max(-MOST, min(MOST, (value - mean) / spread)) for value, mean, spread in pairs]
        scale = 1 / sqrt(2 * len(told))
        squares = [(value * value - 1) * scale for value in told]
        return [1.0, *vector, *(value * scale for value in told), *squares]


@dataclass(frozen=True, slots=True)
class LearnedRouter:
    """Predicts the gain of the strong model; `mean` where a form is not known."""

    forms: Mapping[bool, _Form]
    mean: float

    def gain(self, prompt: str, vector: Sequence[float]) -> float:
        """How much more often the strong model is right on such a prompt."""
        form = self.forms.get(offers_choices(prompt))
        if form is None:
            return self.mean
        return apply(form.weights, [form.row(prompt, vector)])[0]


def learn(outcomes: Sequence[Outcome]) -> LearnedRouter:
    """The router of some outcomes; the same outcomes give the same router."""
    by_form: dict[bool, list[Outcome]] = {}
    for one in outcomes:
        by_form.setdefault(offers_choices(one.prompt), []).append(one)
    forms = {form: _learn(own) for form, own in by_form.items() if len(own) >= LEAST}
    mean = sum(one.gain for one in outcomes) / max(1, len(outcomes))
    return LearnedRouter(forms, mean)


def _learn(own: Sequence[Outcome]) -> _Form:
    columns = list(zip(*(shape(one.prompt) for one in own), strict=True))
    means = [sum(column) / len(column) for column in columns]
    spreads = [
        sqrt(sum((value - mean) ** 2 for value in column) / len(column)) or 1.0
        for column, mean in zip(columns, means, strict=True)
    ]
    form = _Form(means, spreads, ())
    rows = [form.row(one.prompt, one.vector) for one in own]
    gains = [one.gain for one in own]
    parts = [sums(rows[fold::FOLDS], gains[fold::FOLDS]) for fold in range(FOLDS)]
    whole = parts[0]
    for part in parts[1:]:
        whole = whole + part
    size = len(own[0].vector)

    def scales(vector: float) -> list[float]:
        return [1.0, *[vector] * size, *[1.0] * (len(rows[0]) - size - 1)]

    rest = [whole - part for part in parts]

    def worth(choice: tuple[float, float]) -> float:
        """The mean gap recovered on folds that were held out."""
        vector, penalty = choice
        return sum(
            average_gap(
                apply(solve(others, scales(vector), penalty), rows[fold::FOLDS]),
                gains[fold::FOLDS],
            )
            for fold, others in enumerate(rest)
        )

    vector, penalty = max(CHOICES, key=worth)
    return _Form(means, spreads, solve(whole, scales(vector), penalty))


def read_outcomes(lines: Iterable[str], name: str, embed: Embed) -> list[Outcome]:
    """Outcomes of JSON Lines `{id, bench, prompt, weak_ok, strong_ok, vector?}`.

    `embed` gives a prompt's vector where the row has none. Raises `ValueError` naming line and
    field.
    """
    found = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            place = f"{name}, line {number}"
            row = json.loads(line) if line.lstrip().startswith("{") else None
            if not isinstance(row, dict):
                raise ValueError(f"{place}: each line must be one JSON object")
            found.append(_outcome(row, place, embed))
    sizes = {len(one.vector) for one in found}
    if len(sizes) > 1:
        raise ValueError(f"{name}: the vectors have {min(sizes)} and {max(sizes)} numbers")
    return found


def _outcome(row: Mapping[str, Any], place: str, embed: Embed) -> Outcome:
    prompt = row.get("prompt")
    if not isinstance(prompt, str):
        raise ValueError(f"{place}: the field 'prompt' must be there, as text")
    for field in ("weak_ok", "strong_ok"):
        if row.get(field) not in {0, 1}:
            raise ValueError(f"{place}: the field {field!r} must be there, as 0 or 1")
    vector = row.get("vector") or embed(prompt)
    return Outcome(
        prompt, vector, bool(row["weak_ok"]), bool(row["strong_ok"]), str(row.get("bench") or "all")
    )
