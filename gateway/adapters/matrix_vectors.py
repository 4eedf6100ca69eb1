"""The vectors of a knowledge base as one matrix, where numpy is installed.

It decides nothing: the rows that are near and their cosines are those of `kb.vectors`, which takes
ten times as long for them. Cosines are rounded to what both can tell, so that rows that are alike
stay alike. Imported only where numpy was found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from kb.embed import LEVELS, Vector
from kb.vectors import ALIKE, Vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIGITS: Final = 12
"""Of a cosine: sums in another order differ in the sixteenth."""
_FOURS: Final = np.array(
    [[LEVELS[byte >> shift & 3] for shift in (0, 2, 4, 6)] for byte in range(256)]
)
_HIGH_BITS: Final = np.array([2, 8, 32, 128], dtype=np.uint8)
_SIGNS: Final = 0b10101010
"""The high bit of each of a byte's four levels."""


class MatrixVectors(Vectors):
    """Packed unit vectors, unpacked at once. Immutable."""

    def __init__(self, levels: bytes, dimensions: int) -> None:
        super().__init__(levels, dimensions)
        packed = np.frombuffer(levels, dtype=np.uint8).reshape(len(self), dimensions // 4)
        # What is compared at a time.
        self._word = "u8" if packed.shape[1] % 8 == 0 else "u1"
        self._halves: NDArray[Any] = (packed & _SIGNS).view(self._word)
        rows = _FOURS[packed].reshape(len(self), packed.shape[1] * 4)
        lengths = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
        self._matrix: NDArray[np.float64] = rows / lengths

    def alike(self, vector: Vector, most: int) -> Sequence[int]:
        """Give about the `most` nearest rows by their signs alone, of more than so many."""
        positive = (np.asarray(vector) > 0).reshape(-1, 4)
        code: NDArray[Any] = (positive @ _HIGH_BITS).view(self._word)
        distances = np.bitwise_count(self._halves ^ code).sum(axis=1, dtype=np.uint16)
        limit = np.partition(distances, most - 1)[most - 1]
        nearer = np.flatnonzero(distances < limit)
        alike = np.flatnonzero(distances == limit)[: ALIKE * most - len(nearer)]
        return [*nearer.tolist(), *alike.tolist()]

    def cosines(self, vector: Vector, numbers: Sequence[int]) -> list[float]:
        """Give the cosines of a unit vector and these rows."""
        if not len(numbers):
            return []
        found: list[float] = (self._matrix[numbers] @ np.asarray(vector)).round(DIGITS).tolist()
        return found
