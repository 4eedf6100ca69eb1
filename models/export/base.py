"""What an export begins with: a model's file, and adapters with weights that are to change it.

Decides nothing: the reader of tensors refuses what is no llama model, or is damaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from models.decoder.adapter import Adapter
from models.decoder.tensors import Numbers, Tensors, open_gguf
from models.errors import BadFile
from models.gguf.header import Header, read_header

ARCHITECTURE: Final = "llama"

type Weighted = Sequence[tuple[Adapter, float]]
"""Adapters with their weights g."""


@dataclass(frozen=True, slots=True)
class Base:
    """A GGUF file that has been checked."""

    path: Path
    header: Header
    tensors: Tensors


def open_base(path: Path) -> Base:
    """The base at a path. Raises `BadFile`."""
    found = read_header(path).text("general.architecture")
    if found != ARCHITECTURE:
        raise BadFile(f"{path.name} is a {found} model; {ARCHITECTURE} models are exported here.")
    header, tensors = open_gguf(path, ARCHITECTURE)
    return Base(path, header, tensors)


def merged(tensors: Tensors, adapters: Weighted) -> Tensors:
    """The tensors of `W + Σ_j g_j α_j B_j A_j`, in float32."""

    def layer(number: int, name: str) -> Numbers:
        numbers = tensors.layer(number, name)
        for adapter, weight in adapters:
            if (number, name) in adapter.parts:
                down, up = adapter.parts[number, name]
                change = np.multiply(up, weight, dtype=np.float32) @ down
                numbers = np.add(numbers, change, dtype=np.float32)
        return numbers

    return replace(tensors, layer=layer)
