"""Trains a head for `kb.build`, and brings its weights down to eight bits.

Decides how long to train and which weights are worth keeping. Needs numpy and scipy, which is why
it is not in `kb`.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy.sparse import csr_matrix

from kb.head import VECTOR_WEIGHT, HeadWeights, Lesson, Row
from models.head.softmax import Course, Examples, Fitted, fit_softmax

SMALL: Final = 2_000
"""Texts below which the course is longer: each epoch has few steps."""
EPOCHS: Final = (20, 8)
BATCH: Final = (32, 64)
"""Texts a step, likewise; larger steps learn less in the same time (docs/log.md)."""
MOST: Final = 127
SMALLEST: Final = 3
"""Weights below this are left out: two thirds of all, and of the time a question takes. It costs
.001 once the medians are away (docs/log.md), and ruins a head otherwise."""


class SoftmaxTrainer:
    """Fits heads by softmax regression; `seed` orders the texts."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed

    def fit(self, lesson: Lesson) -> HeadWeights:
        """Fit the labels to the texts' rows and vectors."""
        width = next((len(vector) for vector in lesson.vectors if vector is not None), 0)
        dense = np.zeros((len(lesson.rows), max(1, width)), np.float32)
        for at, vector in enumerate(lesson.vectors):
            if vector is not None:
                dense[at] = np.asarray(vector, np.float32) * VECTOR_WEIGHT
        examples = Examples(
            _matrix(lesson.rows, lesson.features),
            dense,
            np.asarray(lesson.labels, np.int64),
            lesson.classes,
        )
        large = len(lesson.rows) > SMALL
        course = Course(EPOCHS[large], BATCH[large], seed=self._seed)
        return _quantised(fit_softmax(examples, course), width)


def _matrix(rows: Sequence[Row], features: int) -> csr_matrix:
    ends = np.cumsum([0, *(len(ids) for ids, _ in rows)])
    ids = np.fromiter((number for own, _ in rows for number in own), np.int32, ends[-1])
    weights = np.fromiter((weight for _, own in rows for weight in own), np.float32, ends[-1])
    return csr_matrix((weights, ids, ends), shape=(len(rows), features))


def _quantised(fitted: Fitted, width: int) -> HeadWeights:
    # What is added to all classes alike changes no probability: with a feature's median taken away
    # most of its weights are nothing, and need not be kept.
    centred = fitted.sparse - np.median(fitted.sparse, axis=1, keepdims=True)
    scale = float(np.abs(centred).max(initial=1e-9)) / MOST
    table = np.rint(centred / scale).astype(np.int8)
    table[np.abs(table) < SMALLEST] = 0
    labels, numbers = np.nonzero(table.T)
    starts = np.searchsorted(labels, np.arange(table.shape[1] + 1))
    gaps = np.diff(numbers, prepend=0)
    first = starts[:-1][np.diff(starts) > 0]
    gaps[first] = numbers[first]
    plane = fitted.dense[:width]
    plane_scale = float(np.abs(plane).max(initial=1e-9)) / MOST
    return HeadWeights(
        starts=array("I", starts.tolist()),
        gaps=array("I", gaps.tolist()),
        values=array("b", table[numbers, labels].tolist()),
        scale=float(np.float32(scale)),
        bias=array("f", fitted.bias.tolist()),
        plane=array("b", np.rint(plane.T / plane_scale).astype(np.int8).ravel().tolist()),
        plane_scale=float(np.float32(plane_scale)),
    )
