"""The head: how strongly a question's features speak for each entry, and for none of them.

A linear classifier, trained when the index is built (`models/head/`) and only added up here. Its
last class is everything else that people ask. Decides the features and how they are weighed;
refuses to guess: a feature it never saw adds nothing, but shortens all others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, repeat
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
            self._ids.append(dict(zip(block, range(start, start + len(block)), strict=True)))
            start += len(block)
        # Few different ones, and a browser waits for this.
        each = {frequency: _idf(frequency, size) for frequency in set(frequencies)}
        self._idf = [each[frequency] for frequency in frequencies]
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

    `starts[c]:starts[c + 1]` is the slice of `gaps` and `values` for class `c`: its features in
    ascending order, each as its distance from the one before, the first from 0. `plane` has the
    weights of the vector's dimensions, class after class, each times `plane_scale`.
    """

    starts: Sequence[int]
    gaps: Sequence[int]
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
    """A trained head over its feature space. Immutable but for what it has unfolded."""

    def __init__(self, space: FeatureSpace, weights: HeadWeights, dimensions: int) -> None:
        self.space: Final = space
        self.weights: Final = weights
        self.none: Final = len(weights.bias) - 1
        """The class of what no entry answers."""
        self._dimensions = dimensions
        self._unfolded: dict[int, tuple[dict[int, float], list[float]]] = {}

    def row(self, text: str) -> Row:
        """Weigh a text's features, once for all classes."""
        return self.space.row(feature_blocks(text))

    def score(self, row: Row, vector: Sequence[float] | None, label: int) -> float:
        """Give a class's score for a text's row and its vector, if it has one."""
        values, plane = self._unfold(label)
        ids, factors = row
        total = sumprod(factors, map(values.get, ids, repeat(0)))
        score = self.weights.bias[label] + self.weights.scale * total
        if vector is not None and self._dimensions:
            score += VECTOR_WEIGHT * self.weights.plane_scale * sumprod(vector, plane)
        return score

    def _unfold(self, label: int) -> tuple[dict[int, float], list[float]]:
        """Lay out one class when it is first looked at: a question looks at few."""
        found = self._unfolded.get(label)
        if found is None:
            own = self.weights
            start, end = own.starts[label], own.starts[label + 1]
            numbers = accumulate(own.gaps[start:end])
            values = dict(zip(numbers, _shared(own.values[start:end]), strict=True))
            first = label * self._dimensions
            plane = _shared(own.plane[first : first + self._dimensions])
            found = self._unfolded[label] = values, plane
        return found


def _shared(weights: Sequence[int]) -> list[float]:
    """Give weights as numbers that all classes share: so those stay in the processor's cache."""
    return list(map(_EIGHT_BITS.get, weights, weights))


_EIGHT_BITS: Final = {weight: float(weight) for weight in range(-128, 128)}


def clipped(log_odds: float) -> float:
    """Give log-odds within what they can tell."""
    return max(-LIMIT, min(LIMIT, log_odds))
