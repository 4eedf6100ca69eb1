"""Fits the head of the command classifier, and how much head, rules and a model count.

Decides the optimiser (softmax regression with an L2 penalty, full batches, Adam) and what it learns
from: commands of one part, since a command of several has one label and many causes. Mixing and
calibration are fitted on families that the head has not seen, in five folds. Same input, same
weights on the same machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from core.commands.ensemble import FLOOR
from core.commands.features import features
from core.commands.head import FORM, Head, Mixing, Shares, read_head
from core.commands.labels import LABELS, Label
from core.commands.parts import Part, parts_of
from core.commands.rules import by_rules
from models.commands.examples import Example

type Floats = NDArray[np.float64]

PENALTY: Final = 0.001
STEPS: Final = 400
RATE: Final = 0.1
SCALE: Final = 0.01
"""Weights are kept as whole hundredths."""

FOLDS: Final = 5
MOST_DELETE: Final = (0.12, 0.06)
"""The chance of DELETE up to which a part may be called harmless, without and with a model: chosen
on families that are not held out (docs/adr/0027)."""

HEADS: Final = (0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0)
RULES: Final = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5)
"""No more: the tables were written beside these families, so the folds flatter them."""
MODELS: Final = (0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class Lesson:
    """One part with its label, the family it is of, and a model's likelihoods where there are."""

    part: Part
    label: Label
    family: str
    model: Shares | None = None


@dataclass(frozen=True, slots=True)
class Voice:
    """What each voice says of a part that the head was not fitted on."""

    head: Shares
    ruled: Label | None
    model: Shares | None
    label: Label


def lessons(
    examples: Iterable[Example], likelihoods: Mapping[str, Shares] | None = None
) -> list[Lesson]:
    """What is learnt from: the examples of one part."""
    known, found = likelihoods or {}, []
    for each in examples:
        parts = parts_of(each.command)
        if len(parts) == 1:
            part = parts[0]
            found.append(Lesson(part, each.label, each.family, known.get(part.text)))
    return found


def fit(found: Sequence[Lesson]) -> Head:
    """The head over all lessons, mixed as the folds say."""
    voices = _unseen(found)
    alone = _mixing(voices, (0.0,), MOST_DELETE[0])
    heard = [voice for voice in voices if voice.model is not None]
    together = _mixing(heard, MODELS, MOST_DELETE[1]) if heard else alone
    return _fitted(found, alone, together)


def written(head: Head) -> str:
    """The head as a text that `read_head` reads."""
    told: dict[str, Any] = {
        "form": FORM,
        "labels": list(LABELS),
        "scale": SCALE,
        "bias": [round(number, 4) for number in head.bias],
        "alone": asdict(head.alone),
        "together": asdict(head.together),
    }
    rows = ",\n".join(
        f"{json.dumps(name, ensure_ascii=False)}:{json.dumps(whole, separators=(',', ':'))}"
        for name, row in sorted(head.rows.items())
        if any(whole := [round(number / SCALE) for number in row])
    )
    start = json.dumps(told, indent=1)
    return f'{start[:-2]},\n "features": {{\n{rows}\n}}\n}}\n'


def _fitted(found: Sequence[Lesson], alone: Mixing, together: Mixing) -> Head:
    seen = [features(each.part) for each in found]
    names = {name: at for at, name in enumerate(sorted({name for one in seen for name in one}))}
    ends = np.cumsum([0, *(len(one) + 1 for one in seen)])
    places = [place for one in seen for place in (*(names[name] for name in one), len(names))]
    values = [value for one in seen for value in (*one.values(), 1.0)]
    inputs = csr_matrix((values, places, ends), shape=(len(seen), len(names) + 1))
    wanted = np.array([[each.label == label for label in LABELS] for each in found], float)
    weights = _descend(inputs, wanted)
    rows = {name: tuple(map(float, weights[at])) for name, at in names.items()}
    head = Head(rows, tuple(map(float, weights[-1])), alone, together)
    return read_head(written(head))  # with the very numbers that are kept


def _descend(inputs: csr_matrix, wanted: Floats) -> Floats:
    """Adam (Kingma and Ba, 2015) on the penalised cross-entropy; the last row is the bias."""
    weights = np.zeros((inputs.shape[1], wanted.shape[1]))
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, STEPS + 1):
        scores = inputs @ weights
        shares = np.exp(scores - scores.max(1, keepdims=True))
        shares /= shares.sum(1, keepdims=True)
        slope = inputs.T @ (shares - wanted) / inputs.shape[0]
        slope[:-1] += PENALTY * weights[:-1]
        mean = 0.9 * mean + 0.1 * slope
        square = 0.999 * square + 0.001 * slope**2
        rate = RATE * (1 - step / (STEPS + 1))
        weights -= rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    return weights


def _unseen(found: Sequence[Lesson]) -> list[Voice]:
    """Every lesson as a head sees it that was fitted without its family."""
    families = sorted({each.family for each in found})
    plain, voices = Mixing(1.0, 0.0, 0.0, MOST_DELETE[0]), []
    for fold in range(FOLDS):
        away = set(families[fold::FOLDS])
        rest = [each for each in found if each.family not in away]
        if not rest:
            continue
        head = _fitted(rest, plain, plain)
        for each in (one for one in found if one.family in away):
            rule = by_rules(each.part)
            shares = head.shares(features(each.part))
            voices.append(Voice(shares, rule[0] if rule else None, each.model, each.label))
    return voices


def _mixing(voices: Sequence[Voice], models: Sequence[float], most_delete: float) -> Mixing:
    """The factors under which the labels are likeliest; this also calibrates."""
    if not voices:
        return Mixing(1.0, 1.0, 0.0, most_delete)
    heads = np.log([[max(one.head[label], FLOOR) for label in LABELS] for one in voices])
    rules = np.array([[one.ruled == label for label in LABELS] for one in voices], float)
    told = np.array(
        [[np.log(max(one.model[x], FLOOR)) if one.model else 0.0 for x in LABELS] for one in voices]
    )
    right = np.array([LABELS.index(one.label) for one in voices])
    best = min(
        ((h, r, m) for h in HEADS for r in RULES for m in models),
        key=lambda three: _loss(three[0] * heads + three[1] * rules + three[2] * told, right),
    )
    return Mixing(*best, most_delete)


def _loss(scores: Floats, right: NDArray[np.int64]) -> float:
    top = scores.max(1)
    total = top + np.log(np.exp(scores - top[:, None]).sum(1))
    return float((total - scores[np.arange(len(right)), right]).mean())
