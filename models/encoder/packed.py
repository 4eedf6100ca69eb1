"""Reads an encoder's weights from the 4-bit file in which multilingual-e5-small is packaged.

Decides what of such a file is taken: its sizes and its tensors, matrices as (out, in). Takes
nothing on trust: every offset is held against the file's length, every tensor against the sizes
that the file states. Refuses any other file with `BadFile`.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.errors import BadFile

type Vectors = NDArray[np.float32]
type Bytes = NDArray[np.uint8]

MAGIC: Final = b"E5S1"
BLOCK: Final = 32
"""Weights that share one scale."""

MATRICES: Final = ("q", "k", "v", "ao", "fi", "fo")
"""Of a layer: query, key, value, attention's output, and the two of the inner network."""

NORMS: Final = ("aln", "oln")
"""Of a layer: after attention, and after the inner network."""

_BLOCK_BYTES: Final = 2 + BLOCK // 2
_NUMBER_BYTES: Final = 4
_SIZE_LIMIT: Final = 1 << 20
_LAYER_LIMIT: Final = 128


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of an encoder: width, layers, heads, inner width, its norms' epsilon, the pad token."""

    width: int
    layers: int
    heads: int
    inner: int
    epsilon: float
    pad: int


@dataclass(frozen=True, slots=True)
class _Place:
    start: int
    size: int
    quantised: bool


class Packed:
    """One file: its sizes, and its tensors as they are asked for."""

    def __init__(self, path: Path) -> None:
        if _magic(path) != MAGIC:
            raise BadFile(f"{path.name} is no 4-bit encoder: it does not begin with {MAGIC!r}.")
        self._path = path
        self._data: Bytes = np.memmap(path, dtype=np.uint8, mode="r")
        try:
            self.shape, self._places = _contents(self._data)
        except (struct.error, UnicodeDecodeError, OverflowError) as error:
            raise BadFile(f"{path.name} ends within its header, or is damaged: {error}.") from error
        _check(self.shape)

    @property
    def names(self) -> tuple[str, ...]:
        """The tensors that it holds."""
        return tuple(self._places)

    def flat(self, name: str) -> Vectors:
        """All numbers of a tensor. Raises `BadFile` where it is not there, or no whole ones."""
        return self._values(name, self._part(name))

    def tensor(self, name: str, *shape: int) -> Vectors:
        """A tensor of this shape. Raises `BadFile` where it is not there, or another."""
        values = self.flat(name)
        if values.size != math.prod(shape):
            raise BadFile(f"The tensor {name!r} has {values.size} numbers, not those of {shape}.")
        return values.reshape(shape)

    def rows(self, name: str, width: int, at_once: int) -> Iterator[Vectors]:
        """A matrix, so many rows at a time: for one that is too large to be unpacked whole."""
        part = self._part(name)
        step = at_once * (len(part) // self.height(name, width))
        for start in range(0, len(part), step):
            yield self._values(name, part[start : start + step]).reshape(-1, width)

    def height(self, name: str, width: int) -> int:
        """How many rows of this width a matrix has. Raises `BadFile` for no whole ones."""
        place = self._place(name)
        whole, size = (BLOCK, _BLOCK_BYTES) if place.quantised else (1, _NUMBER_BYTES)
        rows, rest = divmod(place.size, size * (width // whole))
        if not rows or rest or width % whole:
            raise BadFile(f"The tensor {name!r} has no whole rows of {width} numbers.")
        return rows

    def _place(self, name: str) -> _Place:
        if name not in self._places:
            raise BadFile(f"{self._path.name} has no tensor {name!r}.")
        return self._places[name]

    def _part(self, name: str) -> Bytes:
        place = self._place(name)
        if place.size % (_BLOCK_BYTES if place.quantised else _NUMBER_BYTES):
            raise BadFile(f"The tensor {name!r} has {place.size} bytes: no whole numbers.")
        return self._data[place.start : place.start + place.size]

    def _values(self, name: str, part: Bytes) -> Vectors:
        if self._place(name).quantised:
            values = _dequantise(part)
        else:
            values = np.frombuffer(part.tobytes(), "<f4").astype(np.float32)
        if not np.isfinite(values).all():
            raise BadFile(f"The tensor {name!r} holds what is no number.")
        return values


def _contents(data: Bytes) -> tuple[Shape, dict[str, _Place]]:
    """The header: sizes, a tokenizer (which is not used here), and where each tensor lies."""
    at = 8
    width, layers, heads, inner = struct.unpack_from("<4i", data, at)
    (epsilon,) = struct.unpack_from("<f", data, at + 28)
    at += 36
    pieces, _, _, pad, _ = struct.unpack_from("<5i", data, at)
    (names,) = struct.unpack_from("<Q", data, at + 20)
    at += 28 + 4 * (_small(pieces, "pieces") + 1) + 4 * pieces + names
    (normal,) = struct.unpack_from("<I", data, at + 4)
    at += 8 + normal
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    places: dict[str, _Place] = {}
    for _ in range(_small(count, "tensors")):
        (length,) = struct.unpack_from("<H", data, at)
        name = bytes(data[at + 2 : at + 2 + length]).decode("ascii")
        at += 2 + length
        quantised, start, size = struct.unpack_from("<B4xQQ", data, at)
        at += 21
        if start + size > len(data):
            raise BadFile(f"The tensor {name!r} lies beyond the file's end.")
        places[name] = _Place(start, size, bool(quantised))
    return Shape(width, layers, heads, inner, epsilon, pad), places


def _small(count: int, what: str) -> int:
    if not 0 <= count <= _SIZE_LIMIT:
        raise BadFile(f"The file states {count} {what}.")
    return count


def _check(shape: Shape) -> None:
    """Refuse sizes that no encoder has; each tensor is held against them when it is read."""
    for size, most in (
        (shape.width, _SIZE_LIMIT),
        (shape.inner, _SIZE_LIMIT),
        (shape.layers, _LAYER_LIMIT),
        (shape.heads, shape.width),
    ):
        if not 0 < size <= most:
            raise BadFile(f"The file states an encoder of impossible size: {shape}.")
    if shape.width % shape.heads or not 0 < shape.epsilon < 1:
        raise BadFile(f"The file states an encoder of impossible size: {shape}.")


def _dequantise(part: Bytes) -> Vectors:
    """Q4_0: blocks of a float16 scale and 32 nibbles, low halves first, each less eight."""
    blocks = part.reshape(-1, _BLOCK_BYTES)
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    low = (blocks[:, 2:] & 15).astype(np.int8) - 8
    high = (blocks[:, 2:] >> 4).astype(np.int8) - 8
    values: Vectors = (np.concatenate([low, high], axis=1) * scales).astype(np.float32)
    return values.reshape(-1)


def _magic(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(MAGIC))
