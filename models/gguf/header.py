"""Reads the header of a GGUF file, and refuses one that an engine should not be shown.

A header is a stranger's word: every count, length, shape and offset is checked against what the
file can hold before anything of that size is made. What is damaged, truncated or hostile ends in
one `BadFile` that says what and where. Format: github.com/ggml-org/ggml/blob/master/docs/gguf.md,
versions 2 and 3, little-endian.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from models.errors import BadFile
from models.gguf.types import BLOCKS, FIXED, Type

MAGIC: Final = b"GGUF"
VERSIONS: Final = (2, 3)
MOST_KEYS: Final = 4_096
MOST_TENSORS: Final = 1 << 16
MOST_DIMENSIONS: Final = 4
LONGEST_NAME: Final = 63
"""What ggml keeps of a tensor's name, less its closing zero."""

LONGEST_KEY: Final = (1 << 16) - 1
LONGEST_STRING: Final = 1 << 20
"""A chat template is the longest text that a header holds, some ten thousand bytes."""

DEFAULT_ALIGNMENT: Final = 32
LARGEST_ALIGNMENT: Final = 1 << 16

type Value = int | float | bool | str | Array


@dataclass(frozen=True, slots=True)
class Array:
    """An array of a header; kept are its kind and length, and items where they are few."""

    kind: int
    count: int
    items: tuple[int | float | bool | str, ...]


@dataclass(frozen=True, slots=True)
class Tensor:
    """What a header says of one tensor; `offset` counts from where the data begins.

    `shape` is in ggml's order: the first dimension is the one whose items lie side by side.
    """

    name: str
    shape: tuple[int, ...]
    kind: int
    offset: int

    @property
    def items(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)

    @property
    def size(self) -> int:
        """How many bytes it takes."""
        block = BLOCKS[self.kind]
        return self.items // block.items * block.size


@dataclass(frozen=True, slots=True)
class Header:
    """A header that has been checked against the size of its file.

    `places` holds, for each key, where its value's bytes begin; `keys_end` is where the last ends.
    """

    version: int
    keys: Mapping[str, Value]
    places: Mapping[str, int]
    keys_end: int
    tensors: tuple[Tensor, ...]
    alignment: int
    data_start: int

    def text(self, key: str) -> str:
        """The text under a key. Raises `BadFile` where there is none."""
        value = self.keys.get(key)
        if not isinstance(value, str):
            raise BadFile(f"The header has no text under {key}.")
        return value

    def count(self, key: str) -> int:
        """The positive number under a key. Raises `BadFile` where there is none."""
        value = self.keys.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 1 << 32:
            raise BadFile(f"The header has no positive number under {key}.")
        return value


def read_header(path: Path) -> Header:
    """The header of a file. Raises `BadFile`, which names it."""
    try:
        with path.open("rb") as file:
            return parse_header(file, path.stat().st_size)
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror}.") from error
    except BadFile as error:
        raise BadFile(
            f"{path.name} is not a GGUF file that can be loaded: {error} "
            "Remove it, and pull the model again."
        ) from error


def parse_header(file: BinaryIO, size: int) -> Header:
    """The header at the beginning of a file of `size` bytes. Raises `BadFile`."""
    cursor = _Cursor(file, size)
    if cursor.take(4, "the mark") != MAGIC:
        raise BadFile("It does not begin with GGUF.")
    version = cursor.number("<I", "the version")
    if version not in VERSIONS:
        raise BadFile(f"It is of version {version}; known are {VERSIONS[0]} and {VERSIONS[-1]}.")
    tensor_count = cursor.bounded("<Q", "the number of tensors", MOST_TENSORS)
    key_count = cursor.bounded("<Q", "the number of keys", MOST_KEYS)
    keys, places = _keys(cursor, key_count)
    keys_end = cursor.at
    tensors = tuple(_tensor(cursor) for _ in range(tensor_count))
    alignment = _alignment(keys)
    data_start = -(-cursor.at // alignment) * alignment
    _check_places(tensors, alignment, size - data_start)
    return Header(version, keys, places, keys_end, tensors, alignment, data_start)


class _Cursor:
    """Reads forward, and never past the end of the file."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self.at = 0

    @property
    def left(self) -> int:
        """How many bytes are still to come."""
        return self._size - self.at

    def take(self, count: int, what: str) -> bytes:
        """The next bytes."""
        if count > self.left:
            raise BadFile(f"It ends within {what}, at byte {self._size}.")
        data = self._file.read(count)
        if len(data) != count:
            raise BadFile(f"It ends within {what}.")
        self.at += count
        return data

    def number(self, form: str, what: str) -> int:
        """The next whole number."""
        (value,) = struct.unpack(form, self.take(struct.calcsize(form), what))
        return int(value)

    def bounded(self, form: str, what: str, most: int) -> int:
        """The next whole number, which is a count or a length."""
        value = self.number(form, what)
        if value > most:
            raise BadFile(f"It says that {what} is {value}; more than {most} is refused.")
        return value

    def text(self, what: str, longest: int) -> str:
        """The next string."""
        data = self.take(self.bounded("<Q", f"the length of {what}", longest), what)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise BadFile(f"{what} is not UTF-8.") from error


def _keys(cursor: _Cursor, count: int) -> tuple[dict[str, Value], dict[str, int]]:
    keys: dict[str, Value] = {}
    places: dict[str, int] = {}
    for number in range(count):
        name = cursor.text(f"key {number}", LONGEST_KEY)
        if name in keys:
            raise BadFile(f"The key {name!r} comes twice.")
        kind = cursor.number("<I", f"the type of {name!r}")
        places[name] = cursor.at
        keys[name] = _array(cursor, name) if kind == Type.ARRAY else _value(cursor, kind, name)
    return keys, places


def _value(cursor: _Cursor, kind: int, name: str) -> int | float | bool | str:
    if kind == Type.STRING:
        return cursor.text(f"the value of {name!r}", LONGEST_STRING)
    form = FIXED.get(kind)
    if form is None:
        raise BadFile(f"The value of {name!r} is of the unknown type {kind}.")
    (value,) = struct.unpack(form, cursor.take(struct.calcsize(form), f"the value of {name!r}"))
    found: int | float | bool = value
    return found


def _array(cursor: _Cursor, name: str) -> Array:
    """Numbers are skipped in one step, strings one by one; arrays of arrays are not used."""
    what = f"the array {name!r}"
    kind = cursor.number("<I", what)
    form = FIXED.get(kind)
    smallest = struct.calcsize(form) if form else 8
    if form is None and kind != Type.STRING:
        raise BadFile(f"{what} holds items of type {kind}, which is refused.")
    count = cursor.bounded("<Q", f"the length of {what}", cursor.left // smallest)
    if form is None:
        for _ in range(count):
            _skip_text(cursor, what)
    else:
        cursor.take(count * smallest, what)
    return Array(kind, count, ())


def _skip_text(cursor: _Cursor, what: str) -> None:
    cursor.take(cursor.bounded("<Q", f"a length in {what}", LONGEST_STRING), what)


def _tensor(cursor: _Cursor) -> Tensor:
    name = cursor.text("a tensor's name", LONGEST_NAME)
    dimensions = cursor.bounded("<I", f"the number of dimensions of {name!r}", MOST_DIMENSIONS)
    shape = tuple(cursor.number("<Q", f"the shape of {name!r}") for _ in range(dimensions))
    kind = cursor.number("<I", f"the type of {name!r}")
    offset = cursor.number("<Q", f"the place of {name!r}")
    if not shape or 0 in shape:
        raise BadFile(f"The tensor {name!r} is empty.")
    block = BLOCKS.get(kind)
    if block is None:
        raise BadFile(f"The tensor {name!r} is of the unknown type {kind}.")
    if shape[0] % block.items:
        raise BadFile(f"The tensor {name!r} has rows of {shape[0]}, not in {block.items}s.")
    return Tensor(name, shape, kind, offset)


def _alignment(keys: Mapping[str, Value]) -> int:
    value = keys.get("general.alignment", DEFAULT_ALIGNMENT)
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not 8 <= value <= LARGEST_ALIGNMENT or value & (value - 1):  # type: ignore[operator]
        raise BadFile("general.alignment is no power of two from 8 to 65536.")
    return int(value)  # type: ignore[arg-type]


def _check_places(tensors: tuple[Tensor, ...], alignment: int, room: int) -> None:
    """Every tensor lies within the file, in its place, and on no other's."""
    names: set[str] = set()
    end = 0
    for tensor in sorted(tensors, key=lambda each: each.offset):
        if tensor.name in names:
            raise BadFile(f"The tensor {tensor.name!r} comes twice.")
        names.add(tensor.name)
        if tensor.offset % alignment:
            raise BadFile(f"The tensor {tensor.name!r} is not aligned to {alignment} bytes.")
        if tensor.offset < end:
            raise BadFile(f"The tensor {tensor.name!r} lies upon another.")
        end = tensor.offset + tensor.size
        if end > room:
            raise BadFile(
                f"The tensor {tensor.name!r} ends at byte {end} of the data, of which the file has "
                f"{max(room, 0)}: it is truncated, or lies about its shape."
            )
