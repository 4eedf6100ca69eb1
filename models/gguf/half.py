"""Writes a GGUF file anew with its matrices in F16, or in Q8_0 for browsers.

What the packaged weights are stored in, llama.cpp multiplies with inputs that it quantises too,
and a model of 135M parameters then answers badly; the same weights in F16 answer well, and in
Q8_0, which is half as large, nearly as well. The result depends on the input alone: the same bytes
on every machine, so that its hash can be written down. Keys stay as they are, save the file's type.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from models.errors import BadFile
from models.gguf.dequantise import check_known, to_float32
from models.gguf.header import Header, Tensor, read_header
from models.gguf.types import BLOCKS, F16, F32, FILE_TYPES, Q8_0
from models.gguf.writing import entry, padded

_FILE_TYPE: Final = "general.file_type"
_AT_ONCE: Final = 1 << 20
"""So many blocks are in memory at a time."""


def write_half(source: Path, out: BinaryIO, told: Callable[[int, int], None]) -> None:
    """Write the F16 form of `source`; `told` hears bytes written, and of how many.

    Raises `BadFile` where the source is not a file that can be read, or is of an unknown type.
    """
    _write(source, F16, out, told)


def write_eight_bits(source: Path, out: BinaryIO, told: Callable[[int, int], None]) -> None:
    """Write the Q8_0 form of `source`, as `write_half` does the other."""
    _write(source, Q8_0, out, told)


def _write(source: Path, kind: int, out: BinaryIO, told: Callable[[int, int], None]) -> None:
    header = read_header(source)
    if not isinstance(header.keys.get(_FILE_TYPE), int):
        raise BadFile(f"{source.name} does not say its type under {_FILE_TYPE}.")
    for tensor in header.tensors:
        check_known(tensor.kind, tensor.name)
    wanted = _placed(header, kind)
    total = header.data_start + sum(padded(each.size, header.alignment) for each in wanted)
    with source.open("rb") as file:
        out.write(_head(file, header, wanted, FILE_TYPES[kind]))
        for old, new in zip(header.tensors, wanted, strict=True):
            file.seek(header.data_start + old.offset)
            _copy(file, out, old, new)
            out.write(bytes(padded(new.size, header.alignment) - new.size))
            told(out.tell(), total)


def _placed(header: Header, kind: int) -> list[Tensor]:
    """Tensors in the header's order, one after the other; vectors stay as precise as they are.

    So do matrices whose rows are no whole blocks.
    """
    placed = []
    offset = 0
    for tensor in header.tensors:
        fits = len(tensor.shape) > 1 and tensor.shape[0] % BLOCKS[kind].items == 0
        placed.append(replace(tensor, kind=kind if fits else F32, offset=offset))
        offset += padded(placed[-1].size, header.alignment)
    return placed


def _head(file: BinaryIO, header: Header, tensors: list[Tensor], file_type: int) -> bytes:
    file.seek(0)
    head = bytearray(file.read(header.keys_end))
    struct.pack_into("<I", head, header.places[_FILE_TYPE], file_type)
    for tensor in tensors:
        head += entry(tensor)
    return bytes(head.ljust(header.data_start, b"\0"))


def _copy(file: BinaryIO, out: BinaryIO, old: Tensor, new: Tensor) -> None:
    block = BLOCKS[old.kind]
    left = old.size
    while left:
        taken = min(left, _AT_ONCE * block.size)
        data = file.read(taken)
        if len(data) != taken:
            raise BadFile(f"The file ends within the tensor {old.name!r}.")
        out.write(_packed(to_float32(data, old.kind), new.kind))
        left -= taken


def _packed(numbers: NDArray[np.float32], kind: int) -> bytes:
    if kind != Q8_0:
        return numbers.astype(np.dtype("<f2" if kind == F16 else "<f4")).tobytes()
    # ggml's quantize_row_q8_0: a scale for each 32 numbers, of which the largest becomes 127.
    rows = numbers.reshape(-1, BLOCKS[Q8_0].items)
    scale = np.abs(rows).max(axis=1, keepdims=True) / np.float32(127)
    inverse = np.divide(1, scale, out=np.zeros_like(scale), where=scale != 0)
    scaled = rows * inverse
    # Halves go away from zero, as C's roundf has it.
    steps = (np.sign(scaled) * np.floor(np.abs(scaled) + np.float32(0.5))).astype(np.int8)
    return np.concatenate(
        [scale.astype("<f2").view(np.uint8), steps.view(np.uint8)], axis=1
    ).tobytes()
