"""Writes the parts of a GGUF file: keys, what its head says of tensors, and where they lie.

Decides nothing. Format: github.com/ggml-org/ggml/blob/master/docs/gguf.md, version 3.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from models.gguf.header import DEFAULT_ALIGNMENT, MAGIC, VERSIONS, Tensor
from models.gguf.types import Type

_U32: Final = 4
_F32: Final = 6


def head(keys: Mapping[str, str | int | float], tensors: Sequence[Tensor]) -> bytes:
    """All before the data, which begins at its end; tensors have their places."""
    data = MAGIC + struct.pack("<IQQ", VERSIONS[-1], len(tensors), len(keys))
    data += b"".join(_key(name, value) for name, value in keys.items())
    data += b"".join(map(entry, tensors))
    return data.ljust(padded(len(data), DEFAULT_ALIGNMENT), b"\0")


def placed(tensors: Iterable[Tensor], alignment: int = DEFAULT_ALIGNMENT) -> list[Tensor]:
    """The tensors, one after the other."""
    found = []
    offset = 0
    for tensor in tensors:
        found.append(replace(tensor, offset=offset))
        offset += padded(tensor.size, alignment)
    return found


def entry(tensor: Tensor) -> bytes:
    """What a head says of a tensor."""
    count = len(tensor.shape)
    return (
        _text(tensor.name)
        + struct.pack(f"<I{count}Q", count, *tensor.shape)
        + struct.pack("<IQ", tensor.kind, tensor.offset)
    )


def padded(size: int, alignment: int) -> int:
    """The next multiple of an alignment."""
    return -(-size // alignment) * alignment


def _key(name: str, value: str | float) -> bytes:
    if isinstance(value, str):
        return _text(name) + struct.pack("<I", Type.STRING) + _text(value)
    if isinstance(value, int):
        return _text(name) + struct.pack("<II", _U32, value)
    return _text(name) + struct.pack("<If", _F32, value)


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()
