"""A llama model's parameters as MLC names and joins them.

q, k and v are one matrix, and so are gate and up; rows lie as safetensors has them. With group
quantisation each matrix, the embedding too, becomes `q_weight` and `q_scale`; norms stay numbers.
Names: github.com/mlc-ai/mlc-llm, `llama_model.py`. Decides which quantisations are written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.decoder.tensors import NORMS, Numbers, Tensors
from models.errors import BadFile
from models.export.quantise import GROUP, PACKED, Halves, quantise
from models.export.shards import Stored

_JOINED: Final = {
    "self_attn.qkv_proj": ("q", "k", "v"),
    "self_attn.o_proj": ("o",),
    "mlp.gate_up_proj": ("gate", "up"),
    "mlp.down_proj": ("down",),
}
_NUMBER: Final = 2
_WORD: Final = 4
"""Bytes of a number and of a word in a shard."""


@dataclass(frozen=True, slots=True)
class Quantisation:
    """How numbers are stored: `half` is float16, else float32; `grouped` is four bits each."""

    name: str
    half: bool
    grouped: bool

    def size(self, rows: int, width: int) -> int:
        """What a matrix takes in a shard, where float32 lies as bfloat16."""
        if not self.grouped:
            return rows * width * _NUMBER
        return rows * -(-width // GROUP) * (GROUP // PACKED * _WORD + _NUMBER)


QUANTISATIONS: Final = {
    each.name: each
    for each in (
        Quantisation("q4f16_1", half=True, grouped=True),
        Quantisation("q4f32_1", half=False, grouped=True),
        Quantisation("q0f16", half=True, grouped=False),
        Quantisation("q0f32", half=False, grouped=False),
    )
}


def parameters_size(tensors: Tensors, quantisation: Quantisation) -> int:
    """What all shards take together."""
    shape = tensors.shape
    size = quantisation.size
    ends = 1 if tensors.output is None else 2
    layer = sum(size(*each) for each in shape.matrices().values()) + 2 * _NUMBER * shape.width
    return ends * size(shape.vocabulary, shape.width) + shape.layers * layer + _NUMBER * shape.width


def count(tensors: Tensors) -> int:
    """How many numbers the model has."""
    shape = tensors.shape
    layer = sum(outer * inner for outer, inner in shape.matrices().values()) + 2 * shape.width
    ends = 1 if tensors.output is None else 2
    return ends * shape.vocabulary * shape.width + shape.layers * layer + shape.width


def parameters(tensors: Tensors, quantisation: Quantisation) -> Iterator[tuple[str, Stored]]:
    """Every parameter by its name, one after the other. Raises `BadFile` beyond float16."""
    yield from _matrix("model.embed_tokens", [tensors.embedding()], quantisation)
    for number in range(tensors.shape.layers):
        layer = f"model.layers.{number}"
        for name, parts in _JOINED.items():
            each = [tensors.layer(number, part) for part in parts]
            yield from _matrix(f"{layer}.{name}", each, quantisation)
        for own, name in NORMS.items():
            yield _plain(f"{layer}.{name}.weight", tensors.layer(number, own), quantisation)
    yield _plain("model.norm.weight", tensors.norm(), quantisation)
    if tensors.output is not None:
        yield from _matrix("lm_head", [tensors.output()], quantisation)


def _matrix(
    name: str, parts: Sequence[Numbers], quantisation: Quantisation
) -> Iterator[tuple[str, Stored]]:
    whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
    if not quantisation.grouped:
        yield _plain(f"{name}.weight", whole, quantisation)
        return
    words, scales = quantise(_held(name, whole, quantisation))
    yield f"{name}.q_weight", words
    yield f"{name}.q_scale", scales.astype(np.float16) if quantisation.half else scales


def _plain(name: str, numbers: Numbers, quantisation: Quantisation) -> tuple[str, Stored]:
    return name, _held(name, numbers, quantisation)


def _held(name: str, numbers: Numbers, quantisation: Quantisation) -> Numbers | Halves:
    with np.errstate(over="ignore"):
        held = numbers.astype(np.float16) if quantisation.half else numbers
    if not np.isfinite(held).all():
        raise BadFile(f"{name} has numbers that {quantisation.name} cannot hold.")
    return held
