"""Writes a GGUF file anew with its matrices in F16.

What the packaged weights are stored in, llama.cpp multiplies with inputs that it quantises too,
and a model of 135M parameters then answers badly; the same weights in F16 answer well. The result
depends on the input alone: the same bytes on every machine, so that its hash can be written down.
Keys stay as they are, save the file's type.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from models.errors import BadFile
from models.gguf.dequantise import check_known, to_float32
from models.gguf.header import Header, Tensor, read_header
from models.gguf.types import BLOCKS, F16, F32, FILE_TYPE_F16
from models.gguf.writing import entry, padded

_FILE_TYPE: Final = "general.file_type"
_AT_ONCE: Final = 1 << 20
"""So many blocks are in memory at a time."""


def write_half(source: Path, out: BinaryIO, told: Callable[[int, int], None]) -> None:
    """Write the F16 form of `source`; `told` hears bytes written, and of how many.

    Raises `BadFile` where the source is not a file that can be read, or is of an unknown type.
    """
    header = read_header(source)
    if not isinstance(header.keys.get(_FILE_TYPE), int):
        raise BadFile(f"{source.name} does not say its type under {_FILE_TYPE}.")
    for tensor in header.tensors:
        check_known(tensor.kind, tensor.name)
    wanted = _placed(header)
    total = header.data_start + sum(padded(each.size, header.alignment) for each in wanted)
    with source.open("rb") as file:
        out.write(_head(file, header, wanted))
        for old, new in zip(header.tensors, wanted, strict=True):
            file.seek(header.data_start + old.offset)
            _copy(file, out, old, new)
            out.write(bytes(padded(new.size, header.alignment) - new.size))
            told(out.tell(), total)


def _placed(header: Header) -> list[Tensor]:
    """Tensors in the header's order, one after the other; vectors stay as precise as they are."""
    placed = []
    offset = 0
    for tensor in header.tensors:
        kind = F16 if len(tensor.shape) > 1 else F32
        placed.append(replace(tensor, kind=kind, offset=offset))
        offset += padded(placed[-1].size, header.alignment)
    return placed


def _head(file: BinaryIO, header: Header, tensors: list[Tensor]) -> bytes:
    file.seek(0)
    head = bytearray(file.read(header.keys_end))
    struct.pack_into("<I", head, header.places[_FILE_TYPE], FILE_TYPE_F16)
    for tensor in tensors:
        head += entry(tensor)
    return bytes(head.ljust(header.data_start, b"\0"))


def _copy(file: BinaryIO, out: BinaryIO, old: Tensor, new: Tensor) -> None:
    block = BLOCKS[old.kind]
    form = "<f2" if new.kind == F16 else "<f4"
    left = old.size
    while left:
        taken = min(left, _AT_ONCE * block.size)
        data = file.read(taken)
        if len(data) != taken:
            raise BadFile(f"The file ends within the tensor {old.name!r}.")
        out.write(to_float32(data, old.kind).astype(np.dtype(form)).tobytes())
        left -= taken
