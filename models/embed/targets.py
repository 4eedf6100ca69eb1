"""Where each training text should lie: the teachers' vectors, brought onto one footing.

Decides how two teachers become one target: vectors are centred per language and kind of text (a
teacher's languages lie apart, whatever is said), partly whitened (its first directions drown the
rest), joined, and turned so that few dimensions hold most. Translations share one target.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

type Vectors = NDArray[np.float32]

WHITENING: Final = 0.25
"""Power of the inverse eigenvalue: 0 leaves a space as it is, 0.5 makes all directions equal."""
ENGLISH_SHARE: Final = 0.35
"""Share of a target's energy that the English teacher gives."""
RIDGE: Final = 10.0
"""Penalty of the regression that fills in the English teacher."""


def centred(vectors: Vectors, groups: Sequence[str]) -> Vectors:
    """Take each group's mean away, and give rows of length one."""
    result = vectors.copy()
    names = np.array(groups)
    for name in sorted(set(groups)):
        result[names == name] -= result[names == name].mean(0)
    return _units(result)


def whitened(vectors: Vectors) -> Vectors:
    """Turn onto the covariance's eigenvectors and weaken the strong ones; rows of length one."""
    values, directions = np.linalg.eigh(np.cov(vectors.T))
    scales = np.maximum(values, values.max() * 1e-6) ** -WHITENING
    return _units((vectors @ directions * scales).astype(np.float32))


def shared(vectors: Vectors, members: Sequence[Sequence[int]]) -> Vectors:
    """Give each row of meanings the mean of its texts' vectors, with length one."""
    means = np.stack([vectors[list(own)].mean(0) for own in members])
    return _units(means.astype(np.float32))


def completed(known: Vectors, has: NDArray[np.bool_], source: Vectors) -> Vectors:
    """Fill the rows that the English teacher did not see, by ridge regression from the other."""
    x, y = source[has], known[has]
    gram = x.T @ x + RIDGE * np.eye(x.shape[1], dtype=np.float32)
    filled = known.copy()
    filled[~has] = source[~has] @ np.linalg.solve(gram, x.T @ y)
    return _units(filled)


def joined(first: Vectors, english: Vectors, dimensions: int) -> Vectors:
    """Join both teachers by their shares of energy and keep the main `dimensions`, length one."""
    both = np.concatenate(
        [first * np.sqrt(1 - ENGLISH_SHARE), english * np.sqrt(ENGLISH_SHARE)], axis=1
    )
    _, directions = np.linalg.eigh(both.T @ both)
    return _units((both @ directions[:, ::-1][:, :dimensions]).astype(np.float32))


def _units(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units: Vectors = (vectors / np.maximum(lengths, 1e-9)).astype(np.float32)
    return units
