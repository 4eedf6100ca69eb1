"""The head: how strongly a question's features speak for each entry, and for none of them.

A linear classifier, trained when the index is built (`models/head/`) and only added up here. Its
last class is everything else that people ask. Decides the features and how they are weighed;
refuses to guess: a feature it never saw adds nothing, but shortens all others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log, sqrt, sumprod
from typing import Final, Protocol

from kb.features import Blocks, feature_blocks

WEIGHTS: Final = (1.0, 0.6, 1.5)
"""What each block counts: words, pairs of words, letters."""
UNSEEN: Final = (1.0, 0.5, 0.5)
"""How far a feature that no phrasing has counts in its block's length."""
VECTOR_WEIGHT: Final = 1.5
LIMIT: Final = 12.0
"""Log-odds beyond this tell nothing more."""

type Row = tuple[list[int], list[float]]
"""Ids of a text's known features, and their weights."""


class FeatureSpace:
    """The features of a knowledge base, with how common each is (`frequencies`) in `size` texts."""

    def __init__(
        self, names: Sequence[Sequence[str]], frequencies: Sequence[int], size: int
    ) -> None:
        self.names: Final = names
        self.frequencies: Final = frequencies
        self.size: Final = size
        self._ids: list[dict[str, int]] = []
        start = 0
        for block in names:
            self._ids.append({name: start + at for at, name in enumerate(block)})
            start += len(block)
        self._idf = [_idf(frequency, size) for frequency in frequencies]
        self._unseen = [weight * _idf(0, size) for weight in UNSEEN]

    def __len__(self) -> int:
        return len(self.frequencies)

    def row(self, blocks: Blocks) -> Row:
        """Weigh a text's features: sub-linear counts, idf, each block of unit length."""
        ids: list[int] = []
        weights: list[float] = []
        for block, known, unseen, share in zip(
            blocks, self._ids, self._unseen, WEIGHTS, strict=True
        ):
            length = 0.0
            found: list[tuple[int, float]] = []
            for name, count in Counter(block).items():
                scale = 1.0 + log(count) if count > 1 else 1.0
                number = known.get(name)
                if number is None:
                    length += (scale * unseen) ** 2
                else:
                    weight = scale * self._idf[number]
                    length += weight * weight
                    found.append((number, weight))
            if found:
                factor = share / sqrt(length)
                ids += [number for number, _ in found]
                weights += [factor * weight for _, weight in found]
        return ids, weights


def feature_space(texts: Iterable[Blocks]) -> FeatureSpace:
    """Count the features of a knowledge base's texts, background included."""
    counters: tuple[Counter[str], ...] = (Counter(), Counter(), Counter())
    size = 0
    for blocks in texts:
        size += 1
        for counter, block in zip(counters, blocks, strict=True):
            counter.update(set(block))
    names = [sorted(counter) for counter in counters]
    frequencies = [
        counter[name] for counter, own in zip(counters, names, strict=True) for name in own
    ]
    return FeatureSpace(names, frequencies, size)


def _idf(frequency: int, size: int) -> float:
    return log(1 + (size - frequency + 0.5) / (frequency + 0.5))


@dataclass(frozen=True, slots=True)
class HeadWeights:
    """Weights in eight bits, each times `scale`; classes in order, "none of them" the last.

    `starts[f]:starts[f + 1]` is the slice of `classes` and `values` for feature `f`. `plane` has
    the weights of the vector's dimensions, class after class, each times `plane_scale`.
    """

    starts: Sequence[int]
    classes: Sequence[int]
    values: Sequence[int]
    scale: float
    bias: Sequence[float]
    plane: Sequence[int]
    plane_scale: float


@dataclass(frozen=True, slots=True)
class Lesson:
    """Texts with their labels in [0, classes), as weighed rows of `features` features and vectors.

    A text without a vector has None.
    """

    rows: Sequence[Row]
    vectors: Sequence[Sequence[float] | None]
    labels: Sequence[int]
    features: int
    classes: int


class Trainer(Protocol):
    """Fits a head; what does so needs more than the standard library, and is given."""

    def fit(self, lesson: Lesson) -> HeadWeights:
        """Fit the labels; the same lesson gives the same weights."""
        ...


class Head:
    """A trained head over its feature space. Immutable."""

    def __init__(self, space: FeatureSpace, weights: HeadWeights, dimensions: int) -> None:
        self.space: Final = space
        self.weights: Final = weights
        self._dimensions = dimensions
        self._count = len(weights.bias)
        self._planes: dict[int, list[float]] = {}

    def begin(self, text: str) -> list[float]:
        """Give each class's score from the text's features alone, the last for none of them."""
        ids, factors = self.space.row(feature_blocks(text))
        own = self.weights
        scores = list(own.bias)
        scale = own.scale
        for number, factor in zip(ids, factors, strict=True):
            start, end = own.starts[number], own.starts[number + 1]
            scaled = factor * scale
            for label, value in zip(own.classes[start:end], own.values[start:end], strict=True):
                scores[label] += scaled * value
        return scores

    def meaning(self, vector: Sequence[float] | None, label: int) -> float:
        """Give what a text's vector adds to one class's score."""
        if vector is None or not self._dimensions:
            return 0.0
        plane = self._planes.get(label)
        if plane is None:
            start = label * self._dimensions
            plane = self._planes[label] = list(
                map(float, self.weights.plane[start : start + self._dimensions])
            )
        return VECTOR_WEIGHT * self.weights.plane_scale * sumprod(vector, plane)


def clipped(log_odds: float) -> float:
    """Give log-odds within what they can tell."""
    return max(-LIMIT, min(LIMIT, log_odds))
