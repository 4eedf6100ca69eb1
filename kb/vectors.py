"""The vectors of a knowledge base's phrasings, and which are nearest to a question's.

Decides how they are kept (two bits a dimension) and how they are searched: all by the signs of
their dimensions, eight dimensions of every row at a time, then the best by their cosines. Refuses
nothing; a phrasing without a vector is never near. A server may search with a matrix library
instead (`MakeVectors`): the same rows, the same cosines, sooner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache, cached_property
from math import dist, sqrt, sumprod
from typing import Final

from kb.embed import LEVELS, Vector, unpack

PROMISING: Final = 40
"""Phrasings whose cosine is worked out; the others are too far by their signs alone."""
ALIKE: Final = 4
"""Of rows that are equally near by their signs so many times as many are looked at, at the most."""
THRESHOLDS: Final = (-0.98, 0.0, 0.98)
"""Where one level passes into the next (Max, 1960)."""
_CACHED: Final = 4_096
_HALF: Final = 16
"""Planes whose differences fit in a byte a row, with room for as many again."""
_ALL_DIFFER: Final = b"\x80"
"""Every sign of half the planes: with as many again the byte would run over."""


class Vectors:
    """Packed unit vectors. Immutable but for its cache of unpacked rows."""

    def __init__(self, levels: bytes, dimensions: int) -> None:
        self.levels: Final = levels
        self._stride = dimensions // 4
        self._count = len(levels) // self._stride if self._stride else 0
        self._rows: dict[int, tuple[float, ...]] = {}

    def __len__(self) -> int:
        return self._count

    def nearest(self, vector: Vector, most: int = PROMISING) -> list[tuple[float, int]]:
        """Give (cosine, number) of about the `most` nearest rows by their signs, in no order."""
        numbers = self.alike(vector, most) if len(self) > most else range(len(self))
        return list(zip(self.cosines(vector, numbers), numbers, strict=True))

    def alike(self, vector: Vector, most: int) -> Sequence[int]:
        """Give about the `most` nearest rows by their signs alone, of more than so many."""
        distances = self._distances(vector)
        limit = _smallest(distances, most)
        near = [n for n, distance in enumerate(distances) if distance <= limit]
        numbers = [n for n in near if distances[n] < limit]
        # Of many that are alike, such as one sentence at the end of every page, the first.
        alike = [n for n in near if distances[n] == limit]
        return [*numbers, *alike[: ALIKE * most - len(numbers)]]

    def cosines(self, vector: Vector, numbers: Sequence[int]) -> list[float]:
        """Give the cosines of a unit vector and these rows.

        Between unit vectors |a - b|² = 2 - 2 cos: of all sums that the standard library has in C
        the distance takes the least time, half that of `sumprod`.
        """
        unit, rows = tuple(vector), self._rows
        return [1 - dist(unit, rows.get(n) or self._row(n)) ** 2 / 2 for n in numbers]

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

    @cached_property
    def _planes(self) -> list[bytes]:
        """The signs by column: each plane has eight dimensions, in a byte for each row."""
        columns = [self.levels[at :: self._stride] for at in range(self._stride)]
        if len(columns) % 2:
            columns.append(bytes(self._count))
        return [
            _sum(first.translate(_LOW), second.translate(_HIGH)).to_bytes(self._count, "little")
            for first, second in zip(columns[::2], columns[1::2], strict=True)
        ]

    def _distances(self, vector: Vector) -> Sequence[int]:
        """Give how many signs of each row differ from a vector's.

        As whole numbers of as many bytes as there are rows, the planes are compared with one
        look-up each and added with one addition each, whatever the number of rows.
        """
        signs = _sign_bytes(vector)
        off = [plane.translate(_off(own)) for plane, own in zip(self._planes, signs, strict=True)]
        half = _sum(*off[:_HALF])
        full = half.to_bytes(self._count, "little")
        if len(off) <= 2 * _HALF and _ALL_DIFFER not in full:
            return (half + _sum(*off[_HALF:])).to_bytes(self._count, "little")
        return [sum(row) for row in zip(*off, strict=True)]

    def _unpacked(self, number: int) -> tuple[float, ...]:
        values = unpack(self.packed(number))
        length = sqrt(sumprod(values, values))
        # A row has four different values: as many objects stay in the processor's cache.
        scaled = {level: level / length for level in LEVELS}
        return tuple(map(scaled.__getitem__, values))


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


def _sign_bytes(vector: Sequence[float]) -> bytes:
    """Give the signs as the planes have them."""
    bits = "".join(["1" if value > 0 else "0" for value in reversed(vector)])
    return int(bits, 2).to_bytes((len(bits) + 7) // 8, "little")


@cache
def _off(byte: int) -> bytes:
    """Give how many bits of each byte differ from those of one."""
    flipped = int.from_bytes(_BYTES) ^ int.from_bytes(bytes([byte]) * len(_BYTES))
    return flipped.to_bytes(len(_BYTES)).translate(_ONES)


def _sum(*rows: bytes) -> int:
    """Add rows of small numbers, each to those at its place: no sum may take more than a byte."""
    return sum(int.from_bytes(row, "little") for row in rows)


def _smallest(numbers: Sequence[int], most: int) -> int:
    """Give the largest of the `most` smallest numbers."""
    if not isinstance(numbers, bytes):
        return sorted(numbers)[most - 1]
    limit = min(numbers)
    found = numbers.count(limit)
    while found < most:
        limit += 1
        found += numbers.count(limit)
    return limit


_BYTES: Final = bytes(range(256))
_ONES: Final = bytes(byte.bit_count() for byte in _BYTES)
_LOW: Final = bytes(
    byte >> 1 & 1 | byte >> 2 & 2 | byte >> 3 & 4 | byte >> 4 & 8 for byte in _BYTES
)
"""The signs of a byte's four levels, which are their high bits, in four bits."""
_HIGH: Final = bytes(signs << 4 for signs in _LOW)
