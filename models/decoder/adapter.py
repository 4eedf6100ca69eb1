"""Adapters: low-rank changes of a model's matrices.

`W_eff = W + Σ_j g_j α_j B_j A_j` (S3 5.2; Hu et al., 2021, arXiv:2106.09685). `α_j` is the file's
alpha divided by its rank, as PEFT and llama.cpp have it; it is multiplied into B when a file is
read. Refuses an adapter whose shapes are not those of the model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from models.decoder.shape import Shape
from models.decoder.tensors import GGUF_NAMES, ROTATED, Numbers, unpermuted
from models.errors import BadFile
from models.gguf.dequantise import check_known, to_float32
from models.gguf.header import Header, Tensor, read_header

HIGHEST_RANK: Final = 256
_OURS: Final = {own: name for name, own in GGUF_NAMES.items()}
_NAME: Final = re.compile(r"blk\.(\d{1,6})\.(\w+)\.weight\.lora_([ab])")


@dataclass(frozen=True, slots=True)
class Adapter:
    """By layer and matrix, A (rank, in) and B (out, rank), with α in B."""

    parts: Mapping[tuple[int, str], tuple[Numbers, Numbers]]

    @property
    def rank(self) -> int:
        """The highest of its ranks."""
        return max(len(down) for down, _ in self.parts.values())


def gguf_adapter(path: Path, shape: Shape) -> Adapter:
    """Read an adapter as llama.cpp loads it. Raises `BadFile`."""
    header = read_header(path)
    if header.keys.get("general.type") != "adapter" or header.keys.get("adapter.type") != "lora":
        raise BadFile(f"{path.name} is no LoRA adapter.")
    if (own := header.text("general.architecture")) != "llama":
        raise BadFile(f"{path.name} is an adapter of a {own} model, not of a llama model.")
    alpha = header.keys.get("adapter.lora.alpha")
    if not isinstance(alpha, float) or not np.isfinite(alpha):
        raise BadFile(f"{path.name} says no number under adapter.lora.alpha.")
    pairs = _pairs(path, header, shape)
    parts = {}
    for (layer, name), (down, up) in pairs.items():
        rank = down.shape[1]
        a, b = (_numbers(path, header, each) for each in (down, up))
        b = unpermuted(b, shape.head) if name in ROTATED else b
        # Zero alpha means that the file carries no scale: github.com/ggml-org/llama.cpp, get_scale.
        parts[layer, name] = (a, b * np.float32(alpha / rank if alpha else 1.0))
    return Adapter(parts)


def _pairs(
    path: Path, header: Header, shape: Shape
) -> dict[tuple[int, str], tuple[Tensor, Tensor]]:
    """A and B of each matrix, with shapes that are the model's; in ggml's order, inner first."""
    halves: dict[tuple[int, str], dict[str, Tensor]] = {}
    for tensor in header.tensors:
        found = _NAME.fullmatch(tensor.name)
        name = _OURS.get(found[2]) if found else None
        if found is None or name is None or int(found[1]) >= shape.layers:
            raise BadFile(f"{path.name} changes {tensor.name!r}, which the model does not have.")
        check_known(tensor.kind, tensor.name)
        halves.setdefault((int(found[1]), name), {})[found[3]] = tensor
    if not halves:
        raise BadFile(f"{path.name} changes nothing.")
    for (layer, name), both in halves.items():
        outer, inner = shape.matrices()[name]
        ranks = {both[each].shape[at] for each, at in (("a", -1), ("b", 0)) if each in both}
        wanted = {"a": (inner, *ranks), "b": (*ranks, outer)}
        if {half: tensor.shape for half, tensor in both.items()} != wanted:
            raise BadFile(
                f"{path.name} is an adapter of another model: {name} of layer {layer} does not "
                f"make {outer} of {inner}."
            )
        if max(ranks) > HIGHEST_RANK:
            raise BadFile(f"{path.name} has rank {max(ranks)}; {HIGHEST_RANK} is the most.")
    return {place: (both["a"], both["b"]) for place, both in halves.items()}


def _numbers(path: Path, header: Header, tensor: Tensor) -> Numbers:
    with path.open("rb") as file:
        file.seek(header.data_start + tensor.offset)
        data = file.read(tensor.size)
    return to_float32(data, tensor.kind).reshape(tensor.shape[::-1])


def random_adapter(shape: Shape, rank: int, random: np.random.Generator) -> Adapter:
    """Small random changes of q and v in every layer: to measure with."""
    parts = {}
    for name in ("q", "v"):
        outer, inner = shape.matrices()[name]
        for layer in range(shape.layers):
            a, b = random.standard_normal((rank, inner)), random.standard_normal((outer, rank))
            parts[layer, name] = (a.astype(np.float32) * 0.02, b.astype(np.float32) * 0.02)
    return Adapter(parts)
