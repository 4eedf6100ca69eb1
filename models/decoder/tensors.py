"""A decoder's tensors, from GGUF or safetensors, each read when it is asked for.

Decides which tensors a file must have: exactly those, in exactly the shapes that its sizes ask for.
Checks all of them before it reads one. GGUF keeps the rows of q and k in the order of interleaved
rotation (pairs side by side); here they lie as safetensors has them, first halves first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.decoder.safetensors import read_entries, read_tensor
from models.decoder.shape import Shape, config_shape, gguf_shape
from models.errors import BadFile
from models.gguf.dequantise import check_known, to_float32
from models.gguf.fitness import check_fitness
from models.gguf.header import Header, read_header

type Numbers = NDArray[np.float32]

GGUF_NAMES: Final = {
    "q": "attn_q", "k": "attn_k", "v": "attn_v", "o": "attn_output",
    "gate": "ffn_gate", "up": "ffn_up", "down": "ffn_down",
}  # fmt: skip
NAMES: Final = {
    "q": "self_attn.q_proj", "k": "self_attn.k_proj", "v": "self_attn.v_proj",
    "o": "self_attn.o_proj",
    "gate": "mlp.gate_proj", "up": "mlp.up_proj", "down": "mlp.down_proj",
}  # fmt: skip
NORMS: Final = {"attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm"}
ROTATED: Final = ("q", "k")
_GGUF_NORMS: Final = {"attn_norm": "attn_norm", "ffn_norm": "ffn_norm"}


@dataclass(frozen=True, slots=True)
class Tensors:
    """A model's tensors; `output` is None where the embedding is the output too.

    `layer` gives a matrix of `Shape.matrices`, (out, in), or a norm of `NORMS`, (width,).
    """

    shape: Shape
    embedding: Callable[[], Numbers]
    norm: Callable[[], Numbers]
    output: Callable[[], Numbers] | None
    layer: Callable[[int, str], Numbers]


def open_gguf(path: Path, architecture: str) -> tuple[Header, Tensors]:
    """The tensors of a GGUF file. Raises `BadFile`."""
    header = read_header(path)
    check_fitness(header, architecture)
    if architecture != "llama":
        raise BadFile(f"{path.name} is a {architecture} model; only llama models are read here.")
    shape = gguf_shape(header)
    held = {each.name: each for each in header.tensors}
    wanted = _wanted(shape, "blk.{}.{}.weight", GGUF_NAMES | _GGUF_NORMS)
    wanted |= {"token_embd.weight": (shape.vocabulary, shape.width)}
    wanted |= {"output_norm.weight": (shape.width,)}
    if "output.weight" in held:
        wanted |= {"output.weight": (shape.vocabulary, shape.width)}
    _check(path, {name: each.shape[::-1] for name, each in held.items()}, wanted)
    for each in header.tensors:
        check_known(each.kind, each.name)

    def tensor(name: str) -> Numbers:
        stored = held[name]
        with path.open("rb") as file:
            file.seek(header.data_start + stored.offset)
            data = file.read(stored.size)
        return to_float32(data, stored.kind).reshape(wanted[name])

    def layer(number: int, name: str) -> Numbers:
        numbers = tensor(f"blk.{number}.{(GGUF_NAMES | _GGUF_NORMS)[name]}.weight")
        return unpermuted(numbers, shape.head) if name in ROTATED else numbers

    return header, Tensors(
        shape,
        embedding=lambda: tensor("token_embd.weight"),
        norm=lambda: tensor("output_norm.weight"),
        output=(lambda: tensor("output.weight")) if "output.weight" in held else None,
        layer=layer,
    )


def open_safetensors(path: Path) -> Tensors:
    """The tensors of a file, whose config.json lies beside it. Raises `BadFile`."""
    shape = config_shape(path.with_name("config.json"))
    held = read_entries(path)
    wanted = _wanted(shape, "model.layers.{}.{}.weight", NAMES | NORMS)
    wanted |= {"model.embed_tokens.weight": (shape.vocabulary, shape.width)}
    wanted |= {"model.norm.weight": (shape.width,)}
    if "lm_head.weight" in held:
        wanted |= {"lm_head.weight": (shape.vocabulary, shape.width)}
    _check(path, {name: each.shape for name, each in held.items()}, wanted)

    def tensor(name: str) -> Numbers:
        return read_tensor(path, held[name])

    return Tensors(
        shape,
        embedding=lambda: tensor("model.embed_tokens.weight"),
        norm=lambda: tensor("model.norm.weight"),
        output=(lambda: tensor("lm_head.weight")) if "lm_head.weight" in held else None,
        layer=lambda number, name: tensor(f"model.layers.{number}.{(NAMES | NORMS)[name]}.weight"),
    )


def unpermuted(rows: Numbers, head: int) -> Numbers:
    """Rows (out, in) of q or k from GGUF's order, pairs side by side, to first halves first."""
    pairs = rows.reshape(-1, head // 2, 2, *rows.shape[1:])
    return np.ascontiguousarray(pairs.swapaxes(1, 2)).reshape(rows.shape)


def permuted(rows: Numbers, head: int) -> Numbers:
    """The way back: rows (out, in) of q or k in GGUF's order."""
    halves = rows.reshape(-1, 2, head // 2, *rows.shape[1:])
    return np.ascontiguousarray(halves.swapaxes(1, 2)).reshape(rows.shape)


def _wanted(shape: Shape, form: str, names: Mapping[str, str]) -> dict[str, tuple[int, ...]]:
    sizes: dict[str, tuple[int, ...]] = dict(shape.matrices())
    return {
        form.format(number, own): sizes.get(name, (shape.width,))
        for number in range(shape.layers)
        for name, own in names.items()
    }


def _check(
    path: Path, held: Mapping[str, tuple[int, ...]], wanted: Mapping[str, tuple[int, ...]]
) -> None:
    for name, shape in wanted.items():
        if name not in held:
            raise BadFile(f"{path.name} lacks the tensor {name!r}.")
        if held[name] != shape:
            raise BadFile(f"{path.name}: {name!r} is {held[name]}, where {shape} is needed.")
    if more := sorted(held.keys() - wanted.keys()):
        raise BadFile(f"{path.name} has the tensor {more[0]!r}, which is not run here.")
