"""Softmax regression over sparse and dense features, by Adagrad.

Decides the optimiser and its numbers (Duchi et al., 2011, JMLR 12): many features are rare, and
Adagrad gives each its own rate. Same input, same seed: same weights on the same machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

type Floats = NDArray[np.float32]

FIRST: Final = 1e-2
"""Sum of squares that Adagrad starts from."""
FAINT: Final = 1e-2
"""Errors of a class's probability below this teach nothing: all but a few classes of each text,
which makes a step many times faster (docs/log.md)."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """Weights of the sparse features (features, classes), the dense ones, and the biases."""

    sparse: Floats
    dense: Floats
    bias: Floats


@dataclass(frozen=True, slots=True)
class Course:
    """Numbers of a training run."""

    epochs: int
    batch: int
    rate: float = 0.5
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Examples:
    """Sparse (texts, features) and dense (texts, dimensions) inputs, labels in [0, classes)."""

    sparse: csr_matrix
    dense: Floats
    labels: NDArray[np.int64]
    classes: int


def fit_softmax(examples: Examples, course: Course) -> Fitted:
    """Fit the classes to the labels."""
    sparse, dense, labels = examples.sparse, examples.dense, examples.labels
    classes = examples.classes
    rng = np.random.default_rng(course.seed)
    table = np.zeros((sparse.shape[1], classes), np.float32)
    plane = np.zeros((dense.shape[1], classes), np.float32)
    bias = np.zeros(classes, np.float32)
    seen = [np.full_like(array, FIRST) for array in (table, plane, bias)]
    count = sparse.shape[0]
    for _ in range(course.epochs):
        order = rng.permutation(count)
        for start in range(0, count, course.batch):
            rows = order[start : start + course.batch]
            part, flat = sparse[rows], dense[rows]
            error = _softmax(part @ table + flat @ plane + bias)
            error[np.arange(len(rows)), labels[rows]] -= 1
            error /= len(rows)
            _descend(plane, seen[1], flat.T @ error, course.rate)
            _descend(bias, seen[2], error.sum(0), course.rate)
            error[np.abs(error) < FAINT / len(rows)] = 0
            _descend_sparse(table, seen[0], part.T @ csr_matrix(error), course.rate)
    return Fitted(table, plane, bias)


def _softmax(scores: Floats) -> Floats:
    scores = scores - scores.max(1, keepdims=True)
    powers: Floats = np.exp(scores)
    powers /= powers.sum(1, keepdims=True)
    return powers


def _descend(own: Floats, seen: Floats, step: Floats, rate: float) -> None:
    seen += step * step
    own -= rate * step / np.sqrt(seen)


def _descend_sparse(own: Floats, seen: Floats, step: csr_matrix, rate: float) -> None:
    """Move the weights that a step touches, and look at no other."""
    touched = step.tocoo()
    place = (touched.row, touched.col)
    squares = seen[place] + touched.data * touched.data
    seen[place] = squares
    own[place] -= rate * touched.data / np.sqrt(squares)
