"""Learns from outcomes of two models how much the strong one is worth for a prompt.

Decides how the gain (1 where only the strong model was right, -1 where only the weak one was) is
predicted, each form of prompt by itself: by a regression on the prompt's vector and shape, or by
the prompts that are nearest; and of the regression how much the vector counts and how strong the
penalty is. What is taken is what recovers most of the gap on rows that were held out. A form of
which there are too few outcomes gains the mean: whoever is unsure is sent upward by the threshold
that the caller sets on that. It keeps vectors and sums, and no prompt.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, Final, Protocol

from gateway.pipeline.learned.judge import average_gap
from gateway.pipeline.learned.neighbours import Neighbours
from gateway.pipeline.learned.ridge import apply, solve, sums
from gateway.pipeline.learned.shape import offers_choices, shape, without_choices

type Embed = Callable[[str], Sequence[float]]
"""Gives a prompt its vector, always of the same length."""

FOLDS: Final = 4
COMPARED: Final = 500
"""Rows of a fold on which regression and neighbours are compared: these take their time."""
LEAST: Final = 40
"""Outcomes of a form from which it is learnt."""
MOST: Final = 3.0
"""Standard deviations that a number of the shape counts at most."""
CHOICES: Final = tuple((vector, penalty) for vector in (0.0, 1.0) for penalty in (2.0, 20.0, 100.0))
"""How much the vector counts beside the shape, and the penalty: each is tried."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one prompt with both models.

    `vector` is its embedding, `stem` that of the prompt without the choices that it offers; none
    where only the whole one's is known.
    """

    prompt: str
    vector: Sequence[float]
    weak_ok: bool
    strong_ok: bool
    bench: str = ""
    stem: Sequence[float] = ()

    @property
    def gain(self) -> int:
        """What the strong model was worth: -1, 0 or 1."""
        return int(self.strong_ok) - int(self.weak_ok)


class _Form(Protocol):
    """What was learnt of prompts of one form."""

    def gain(self, one: Outcome) -> float: ...


@dataclass(frozen=True, slots=True)
class _Near:
    """What the nearest prompts of a form say."""

    neighbours: Neighbours

    def gain(self, one: Outcome) -> float:
        return self.neighbours.gain(_whole_and_stem(one))


@dataclass(frozen=True, slots=True)
class _Fit:
    """What a regression over prompts of a form says."""

    means: Sequence[float]
    spreads: Sequence[float]
    weights: Sequence[float]

    def gain(self, one: Outcome) -> float:
        return apply(self.weights, [self.row(one.prompt, one.vector)])[0]

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

    def gain(self, one: Outcome) -> float:
        """How much more often the strong model is right on such a prompt, whatever came of it."""
        form = self.forms.get(offers_choices(one.prompt))
        return self.mean if form is None else form.gain(one)


def learn(outcomes: Sequence[Outcome]) -> LearnedRouter:
    """The router of some outcomes; the same outcomes give the same router."""
    by_form: dict[bool, list[Outcome]] = {}
    for one in outcomes:
        by_form.setdefault(offers_choices(one.prompt), []).append(one)
    forms = {form: _learn(own) for form, own in by_form.items() if len(own) >= LEAST}
    mean = sum(one.gain for one in outcomes) / max(1, len(outcomes))
    return LearnedRouter(forms, mean)


def _learn(own: Sequence[Outcome]) -> _Form:
    gains = [one.gain for one in own]
    vectors = [_whole_and_stem(one) for one in own]
    fit, foretold = _regression(own, gains)
    lead = 0.0
    for fold, fitted in enumerate(foretold):
        known = Neighbours(
            [vector for at, vector in enumerate(vectors) if at % FOLDS != fold],
            [gain for at, gain in enumerate(gains) if at % FOLDS != fold],
        )
        near = [known.gain(each) for each in vectors[fold::FOLDS][:COMPARED]]
        truth = gains[fold::FOLDS][:COMPARED]
        lead += average_gap(near, truth) - average_gap(fitted[:COMPARED], truth)
    return _Near(Neighbours(vectors, gains)) if lead > 0 else fit


def _regression(
    own: Sequence[Outcome], gains: Sequence[int]
) -> tuple[_Fit, Sequence[Sequence[float]]]:
    """The best regression, and what it said of each fold when that was held out."""
    columns = list(zip(*(shape(one.prompt) for one in own), strict=True))
    means = [sum(column) / len(column) for column in columns]
    spreads = [
        sqrt(sum((value - mean) ** 2 for value in column) / len(column)) or 1.0
        for column, mean in zip(columns, means, strict=True)
    ]
    form = _Fit(means, spreads, ())
    rows = [form.row(one.prompt, one.vector) for one in own]
    parts = [sums(rows[fold::FOLDS], gains[fold::FOLDS]) for fold in range(FOLDS)]
    whole = parts[0]
    for part in parts[1:]:
        whole = whole + part
    size = len(own[0].vector)

    def scales(vector: float) -> list[float]:
        return [1.0, *[vector] * size, *[1.0] * (len(rows[0]) - size - 1)]

    def held_out(choice: tuple[float, float]) -> list[list[float]]:
        vector, penalty = choice
        return [
            apply(solve(whole - part, scales(vector), penalty), rows[fold::FOLDS])
            for fold, part in enumerate(parts)
        ]

    def worth(said: Sequence[Sequence[float]]) -> float:
        return sum(average_gap(each, gains[fold::FOLDS]) for fold, each in enumerate(said))

    foretold = {choice: held_out(choice) for choice in CHOICES}
    vector, penalty = best = max(CHOICES, key=lambda choice: worth(foretold[choice]))
    return _Fit(means, spreads, solve(whole, scales(vector), penalty)), foretold[best]


def _whole_and_stem(one: Outcome) -> list[float]:
    """One unit vector of two: its cosine with another's is the mean of their two cosines."""
    if not one.stem:
        return list(one.vector)
    return [value / sqrt(2) for value in (*one.vector, *one.stem)]


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
    own = row.get("vector")
    return Outcome(
        prompt,
        own or embed(prompt),
        bool(row["weak_ok"]),
        bool(row["strong_ok"]),
        str(row.get("bench") or "all"),
        stem=() if own else embed(without_choices(prompt)),
    )
