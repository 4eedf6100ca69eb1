"""Reads safetensors files, and trusts none.

A header is a stranger's word: its length, names, shapes and places are checked against the file
before anything of that size is made; tensors must fill the data from end to end. What is damaged,
truncated or hostile ends in one `BadFile`. Format:
github.com/huggingface/safetensors, README, "Format".
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.errors import BadFile

LONGEST_HEADER: Final = 8 << 20
"""A model of 70 B parameters needs some hundred thousand bytes."""

MOST_TENSORS: Final = 1 << 16
MOST_DIMENSIONS: Final = 8
SIZES: Final = {"F32": 4, "F16": 2, "BF16": 2}
"""Types of tensors that are read, with the bytes of one number."""

_FIELDS: Final = {"dtype", "shape", "data_offsets"}
_METADATA: Final = "__metadata__"


@dataclass(frozen=True, slots=True)
class Stored:
    """One tensor of a file: `begin` and `end` are bytes of the file, `shape` is row-major."""

    name: str
    kind: str
    shape: tuple[int, ...]
    begin: int
    end: int


def read_entries(path: Path) -> Mapping[str, Stored]:
    """What a file holds, by name. Raises `BadFile`, which names the file."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            return _entries(file.read(8), file.read(LONGEST_HEADER + 1), size)
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror}.") from error
    except BadFile as error:
        raise BadFile(
            f"{path.name} is not a safetensors file that can be loaded: {error} "
            "Remove it, and fetch it again."
        ) from error


def read_tensor(path: Path, stored: Stored) -> NDArray[np.float32]:
    """A tensor's numbers, in its shape. Raises `BadFile` where the file has become shorter."""
    with path.open("rb") as file:
        file.seek(stored.begin)
        data = file.read(stored.end - stored.begin)
    if len(data) != stored.end - stored.begin:
        raise BadFile(f"{path.name} ends within the tensor {stored.name!r}.")
    if stored.kind == "BF16":
        # The upper half of a float32.
        numbers = (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
    else:
        numbers = np.frombuffer(data, "<f4" if stored.kind == "F32" else "<f2").astype(np.float32)
    return numbers.reshape(stored.shape)


def _entries(length: bytes, after: bytes, size: int) -> dict[str, Stored]:
    if len(length) < 8:
        raise BadFile("It ends within the length of its header.")
    (count,) = struct.unpack("<Q", length)
    if count > LONGEST_HEADER:
        raise BadFile(f"It says that its header has {count} bytes; {LONGEST_HEADER} is the most.")
    if count > len(after):
        raise BadFile(f"It says that its header has {count} bytes, and ends at byte {size}.")
    rows = _parsed(after[:count])
    rows.pop(_METADATA, None)
    if len(rows) > MOST_TENSORS:
        raise BadFile(f"It has {len(rows)} tensors; {MOST_TENSORS} is the most.")
    start = 8 + count
    stored = [_stored(name, row, start) for name, row in rows.items()]
    at = start
    for each in sorted(stored, key=lambda each: (each.begin, each.end)):
        if each.begin != at:
            raise BadFile(f"The tensor {each.name!r} does not begin where the one before it ends.")
        at = each.end
    if at != size:
        raise BadFile(f"Its tensors end at byte {at} of {size}: it is truncated, or too long.")
    return {each.name: each for each in stored}


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        # json recurses; a thousand brackets are an error rather than a crash.
        rows = json.loads(data, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise BadFile("Its header is not JSON.") from error
    if not isinstance(rows, dict):
        raise BadFile("Its header is not a JSON object.")
    return rows


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadFile("A name comes twice in its header.")
    return found


def _stored(name: str, row: Any, start: int) -> Stored:
    if not isinstance(row, dict) or set(row) != _FIELDS:
        raise BadFile(f"The entry {name!r} has other fields than {', '.join(sorted(_FIELDS))}.")
    kind, shape, places = row["dtype"], row["shape"], row["data_offsets"]
    if not isinstance(kind, str) or kind not in SIZES:
        raise BadFile(f"The tensor {name!r} is {kind!r}; known here are {', '.join(SIZES)}.")
    if not _naturals(shape) or len(shape) > MOST_DIMENSIONS:
        raise BadFile(f"The shape of {name!r} is not one.")
    if not _naturals(places) or len(places) != 2:
        raise BadFile(f"The place of {name!r} is not one.")
    begin, end = places
    if end - begin != math.prod(shape) * SIZES[kind]:
        raise BadFile(f"The tensor {name!r} has {end - begin} bytes, which its shape contradicts.")
    return Stored(name, kind, tuple(shape), start + begin, start + end)


def _naturals(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(each, int) and not isinstance(each, bool) and 0 <= each < 1 << 48
        for each in value
    )
