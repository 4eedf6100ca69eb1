"""Reads adapters in the forms that people have, and writes one as llama.cpp loads it.

Decides by what a path is: a folder, or a safetensors file with its adapter_config.json beside, is
PEFT's; all else is GGUF. Refuses numbers that are none: they would make every word one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from models.decoder.adapter import Adapter, gguf_adapter
from models.decoder.shape import Shape
from models.decoder.tensors import GGUF_NAMES, ROTATED, Numbers, permuted
from models.errors import BadFile
from models.export.peft import WEIGHTS, peft_adapter
from models.gguf.header import DEFAULT_ALIGNMENT, Tensor, read_header
from models.gguf.types import F16, F32
from models.gguf.writing import head, padded, placed

FORMS: Final = {F32: "<f4", F16: "<f2"}
"""The types of tensors that are written, as numpy calls them."""

BASE: Final = "fanlight.base_model"
"""The key under which an adapter says of which model it is, by the catalogue's id."""


def read_adapter(path: Path, shape: Shape, base: str | None = None) -> Adapter:
    """The adapter at a path, for the base of this id. Raises `BadFile`.

    An adapter fits any base of its shapes; one that was exported here says whose it is, and is
    refused for another.
    """
    if path.is_dir():
        found = peft_adapter(path / WEIGHTS, shape)
    elif path.suffix == ".safetensors":
        found = peft_adapter(path, shape)
    else:
        found = gguf_adapter(path, shape)
        named = read_header(path).keys.get(BASE)
        if base is not None and named not in (None, base):
            raise BadFile(f"{path.name} is an adapter of {named}, not of {base}.")
    for (layer, name), both in found.parts.items():
        if not all(np.isfinite(each).all() for each in both):
            raise BadFile(f"{path.name} holds what is no number, in {name} of layer {layer}.")
    return found


def adapter_size(adapter: Adapter, kind: int) -> int:
    """How many bytes the adapter takes as a file, about."""
    return sum(padded(each.size, DEFAULT_ALIGNMENT) for each in _tensors(adapter, kind)) + (1 << 20)


def write_adapter(
    adapter: Adapter, shape: Shape, kind: int, out: BinaryIO, base: str | None = None
) -> None:
    """Write an adapter of a model of this shape as GGUF; `kind` is F32 or F16.

    α is in B already. Where all ranks are the same, alpha is the rank, so that alpha / rank is 1;
    else it is 0, which says that there is no scale. Raises `BadFile` where F16 cannot hold it.
    """
    ranks = {len(down) for down, _ in adapter.parts.values()}
    keys: dict[str, str | int | float] = {
        "general.architecture": "llama",
        "general.type": "adapter",
        "adapter.type": "lora",
        "adapter.lora.alpha": float(ranks.pop()) if len(ranks) == 1 else 0.0,
        **({} if base is None else {BASE: base}),
    }
    tensors = placed(_tensors(adapter, kind))
    out.write(head(keys, tensors))
    for tensor, numbers in zip(tensors, _numbers(adapter, shape), strict=True):
        data = in_form(numbers, kind, tensor.name)
        out.write(data.ljust(padded(tensor.size, DEFAULT_ALIGNMENT), b"\0"))


def in_form(numbers: Numbers, kind: int, name: str) -> bytes:
    """Numbers as a tensor of F32 or F16 has them. Raises `BadFile` where F16 cannot hold them."""
    with np.errstate(over="ignore"):
        stored = numbers.astype(np.dtype(FORMS[kind]))
    if kind == F16 and not np.isfinite(stored).all():
        raise BadFile(f"{name} has numbers beyond ±65504, which F16 cannot hold. Export F32.")
    return stored.tobytes()


def _tensors(adapter: Adapter, kind: int) -> list[Tensor]:
    """Not yet placed; shapes are in ggml's order."""
    return [
        Tensor(f"blk.{layer}.{GGUF_NAMES[name]}.weight.lora_{half}", each.shape[::-1], kind, 0)
        for (layer, name), both in sorted(adapter.parts.items())
        for half, each in zip("ab", both, strict=True)
    ]


def _numbers(adapter: Adapter, shape: Shape) -> Iterator[Numbers]:
    for (_, name), (down, up) in sorted(adapter.parts.items()):
        yield down
        yield permuted(up, shape.head) if name in ROTATED else up
