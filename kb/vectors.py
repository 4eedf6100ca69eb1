"""The vectors of a knowledge base's phrasings, and which are nearest to a question's.

Decides how they are kept (two bits a dimension) and how they are searched: all by the signs of
their dimensions, in one pass over whole numbers, then the best by their cosines. Refuses nothing; a
phrasing without a vector is never near. A server may search with a matrix library instead
(`MakeVectors`): the same rows, the same cosines, sooner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from math import dist, sqrt, sumprod
from typing import Final

from kb.embed import Vector, unpack

PROMISING: Final = 40
"""Phrasings whose cosine is worked out; the others are too far by their signs alone."""
ALIKE: Final = 4
"""Of rows that are equally near by their signs so many times as many are looked at, at the most."""
THRESHOLDS: Final = (-0.98, 0.0, 0.98)
"""Where one level passes into the next (Max, 1960)."""
_CACHED: Final = 4_096


class Vectors:
    """Packed unit vectors. Immutable but for its cache of unpacked rows."""

    def __init__(self, levels: bytes, dimensions: int) -> None:
        self.levels: Final = levels
        self._stride = dimensions // 4
        self._signs = _sign_mask(dimensions)
        count = len(levels) // self._stride if self._stride else 0
        self._codes = [self._code(number) for number in range(count)]
        self._rows: dict[int, tuple[float, ...]] = {}

    def __len__(self) -> int:
        return len(self._codes)

    def nearest(self, vector: Vector, most: int = PROMISING) -> list[tuple[float, int]]:
        """Give (cosine, number) of about the `most` nearest rows by their signs, in no order."""
        numbers = self.alike(vector, most) if len(self) > most else range(len(self))
        return list(zip(self.cosines(vector, numbers), numbers, strict=True))

    def alike(self, vector: Vector, most: int) -> Sequence[int]:
        """Give about the `most` nearest rows by their signs alone, of more than so many."""
        code = sign_code(vector)
        distances = [(code ^ other).bit_count() for other in self._codes]
        limit = sorted(distances)[most - 1]
        numbers = [n for n, distance in enumerate(distances) if distance < limit]
        # Of many that are alike, such as one sentence at the end of every page, the first.
        alike = (n for n, distance in enumerate(distances) if distance == limit)
        return [*numbers, *islice(alike, ALIKE * most - len(numbers))]

    def cosines(self, vector: Vector, numbers: Sequence[int]) -> list[float]:
        """Give the cosines of a unit vector and these rows.

        Between unit vectors |a - b|² = 2 - 2 cos: of all sums that the standard library has in C
        the distance takes the least time, half that of `sumprod`.
        """
        unit = tuple(vector)
        return [1 - dist(unit, self._row(number)) ** 2 / 2 for number in numbers]

    def cosine(self, vector: Vector, number: int) -> float:
        """Give the cosine of a unit vector and a row."""
        return self.cosines(vector, [number])[0]

    def _row(self, number: int) -> tuple[float, ...]:
        row = self._rows.get(number)
        if row is None:
            if len(self._rows) >= _CACHED:
                self._rows.clear()
            row = self._rows[number] = self._unpacked(number)
        return row

    def packed(self, number: int) -> bytes:
        """Give one row as it is kept."""
        return self.levels[number * self._stride : (number + 1) * self._stride]

    def _code(self, number: int) -> int:
        packed = self.levels[number * self._stride : (number + 1) * self._stride]
        return int.from_bytes(packed, "little") & self._signs

    def _unpacked(self, number: int) -> tuple[float, ...]:
        values = unpack(self.packed(number))
        length = sqrt(sumprod(values, values))
        return tuple(value / length for value in values)


type MakeVectors = Callable[[bytes, int], Vectors]
"""Makes vectors of packed levels and a number of dimensions."""


def pack_vector(vector: Sequence[float]) -> bytes:
    """Give a vector in two bits a dimension: the levels of a normal variable of its own spread."""
    scale = sqrt(sumprod(vector, vector) / len(vector)) or 1.0
    low, middle, high = (threshold * scale for threshold in THRESHOLDS)
    levels = [(value > low) + (value > middle) + (value > high) for value in vector]
    return bytes(
        a | b << 2 | c << 4 | d << 6
        for a, b, c, d in zip(*(levels[at::4] for at in range(4)), strict=True)
    )


def pack_all(vectors: Iterable[Sequence[float] | None], dimensions: int) -> bytes:
    """Give many vectors packed; one that is missing becomes a row that is near to nothing."""
    nothing = bytes(dimensions // 4)
    return b"".join(nothing if vector is None else pack_vector(vector) for vector in vectors)


def sign_code(vector: Sequence[float]) -> int:
    """Give the signs as the high bits of the two-bit levels have them."""
    return int("".join("2" if value > 0 else "0" for value in reversed(vector)), 4)


def _sign_mask(dimensions: int) -> int:
    return int("2" * dimensions, 4) if dimensions else 0
