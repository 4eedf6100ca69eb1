"""Writes a model as GGUF with adapters merged into its weights, in F16 or F32.

`W + Σ_j g_j α_j B_j A_j`, in float32, rounded once. Keys stay as the base has them, save the file's
type; vectors stay F32, and what no adapter changes is what it was. Rows are taken some at a time,
so that a large model needs no more memory than a small one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import BinaryIO, Final

import numpy as np

from models.decoder.shape import Shape
from models.decoder.tensors import GGUF_NAMES, ROTATED, Numbers, permuted
from models.errors import BadFile
from models.export.adapters import in_form
from models.export.base import Base, Weighted
from models.gguf.dequantise import check_known, to_float32
from models.gguf.header import Header, Tensor
from models.gguf.types import BLOCKS, F16, F32
from models.gguf.writing import entry, padded, placed
from models.registry.progress import Told

_FILE_TYPE: Final = "general.file_type"
_FILE_TYPES: Final = {F32: 0, F16: 1}
_U32: Final = 4
_AT_ONCE: Final = 1 << 22
"""About so many numbers are in memory at a time."""


def merged_tensors(header: Header, kind: int) -> list[Tensor]:
    """The tensors of the file, placed. Raises `BadFile` where one is of an unknown type."""
    for tensor in header.tensors:
        check_known(tensor.kind, tensor.name)
    matrices = (replace(each, kind=kind if len(each.shape) > 1 else F32) for each in header.tensors)
    return placed(matrices, header.alignment)


def merged_size(header: Header, kind: int) -> int:
    """How many bytes the file will have."""
    last = max(merged_tensors(header, kind), key=lambda each: each.offset, default=None)
    return header.data_start + (padded(last.offset + last.size, header.alignment) if last else 0)


def write_merged(base: Base, adapters: Weighted, kind: int, out: BinaryIO, told: Told) -> None:
    """Write the base with adapters in it; `told` hears bytes written, and of how many.

    Raises `BadFile` where F16 cannot hold what comes out.
    """
    header = base.header
    changes = _changes(adapters, base.tensors.shape)
    tensors, total = merged_tensors(header, kind), merged_size(header, kind)
    with base.path.open("rb") as file:
        out.write(_head(file, header, tensors, _FILE_TYPES[kind]))
        for old, new in zip(header.tensors, tensors, strict=True):
            file.seek(header.data_start + old.offset)
            for numbers in _rows(file, old, changes.get(old.name, ())):
                out.write(in_form(numbers, new.kind, new.name))
                told(out.tell(), total)
            out.write(bytes(padded(new.size, header.alignment) - new.size))
    told(total, total)


def _changes(adapters: Weighted, shape: Shape) -> Mapping[str, list[tuple[Numbers, Numbers]]]:
    """Of each tensor, by its name, A and g α B of every adapter, rows in GGUF's order."""
    changes: dict[str, list[tuple[Numbers, Numbers]]] = {}
    for adapter, weight in adapters:
        for (layer, name), (down, up) in adapter.parts.items():
            turned = permuted(up, shape.head) if name in ROTATED else up
            own = changes.setdefault(f"blk.{layer}.{GGUF_NAMES[name]}.weight", [])
            own.append((down, turned * np.float32(weight)))
    return changes


def _head(file: BinaryIO, header: Header, tensors: Sequence[Tensor], file_type: int) -> bytes:
    file.seek(0)
    head = bytearray(file.read(header.keys_end))
    place = header.places.get(_FILE_TYPE)
    if place is not None and struct.unpack_from("<I", head, place - 4) == (_U32,):
        struct.pack_into("<I", head, place, file_type)
    head += b"".join(map(entry, tensors))
    return bytes(head.ljust(header.data_start, b"\0"))


def _rows(
    file: BinaryIO, tensor: Tensor, changes: Sequence[tuple[Numbers, Numbers]]
) -> Iterator[Numbers]:
    width, block = tensor.shape[0], BLOCKS[tensor.kind]
    row, count = width // block.items * block.size, tensor.items // width
    step = max(1, _AT_ONCE // width)
    for at in range(0, count, step):
        size = row * min(step, count - at)
        data = file.read(size)
        if len(data) != size:
            raise BadFile(f"The file ends within the tensor {tensor.name!r}.")
        numbers = to_float32(data, tensor.kind).reshape(-1, width)
        for down, up in changes:
            numbers = numbers + up[at : at + step] @ down
        yield numbers
