"""Reads the arrays of a header, which `header.py` only measures.

Takes a header that has been checked: kinds and counts are its, and fit the file.
"""

from __future__ import annotations

import struct
from pathlib import Path

from models.errors import BadFile
from models.gguf.header import Array, Header
from models.gguf.types import FIXED, Type

_INTEGERS = "bBhHiIqQ"
_BEFORE = 12
"""An array's kind and length lie before its items."""


def read_texts(path: Path, header: Header, key: str) -> list[str]:
    """The strings under a key. Raises `BadFile` where there are none."""
    array = _array(header, key)
    if array.kind != Type.STRING:
        raise BadFile(f"The header has no texts under {key}.")
    found = []
    with path.open("rb") as file:
        file.seek(header.places[key] + _BEFORE)
        for _ in range(array.count):
            (length,) = struct.unpack("<Q", file.read(8))
            try:
                found.append(file.read(length).decode("utf-8"))
            except UnicodeDecodeError as error:
                raise BadFile(f"A text under {key} is not UTF-8.") from error
    return found


def read_integers(path: Path, header: Header, key: str) -> list[int]:
    """The whole numbers under a key. Raises `BadFile` where there are none."""
    array = _array(header, key)
    form = FIXED.get(array.kind, "")[1:]
    if not form or form not in _INTEGERS:
        raise BadFile(f"The header has no whole numbers under {key}.")
    with path.open("rb") as file:
        file.seek(header.places[key] + _BEFORE)
        data = file.read(array.count * struct.calcsize(form))
    return list(struct.unpack(f"<{array.count}{form}", data))


def _array(header: Header, key: str) -> Array:
    value = header.keys.get(key)
    if not isinstance(value, Array):
        raise BadFile(f"The header has no array under {key}.")
    return value
