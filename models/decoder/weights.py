"""A decoder's weights, from GGUF or safetensors, as the forward pass takes them.

Decides which tensors a file must have: exactly those, in exactly the shapes that its sizes ask for.
Checks all of them before it reads one. GGUF keeps the rows of q and k in the order of interleaved
rotation (pairs side by side); here they lie as safetensors has them, first halves first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from models.decoder.safetensors import read_entries, read_tensor
from models.decoder.shape import Shape, config_shape, gguf_shape
from models.errors import BadFile
from models.gguf.dequantise import check_known, to_float32
from models.gguf.fitness import check_fitness
from models.gguf.header import Header, read_header

type Numbers = NDArray[np.float32]
type Weights = dict[str, Any]
"""`embedding` and `output` (vocabulary, width), `norm` (width,), and `layers`, one dictionary each:
`attn_norm` and `ffn_norm` (width,), and the matrices of `Shape.matrices`, each (out, in)."""

GGUF_NAMES: Final = {
    "q": "attn_q", "k": "attn_k", "v": "attn_v", "o": "attn_output",
    "gate": "ffn_gate", "up": "ffn_up", "down": "ffn_down",
}  # fmt: skip
_GGUF_NORMS: Final = {"attn_norm": "attn_norm", "ffn_norm": "ffn_norm"}
_NAMES: Final = {
    "q": "self_attn.q_proj", "k": "self_attn.k_proj", "v": "self_attn.v_proj",
    "o": "self_attn.o_proj",
    "gate": "mlp.gate_proj", "up": "mlp.up_proj", "down": "mlp.down_proj",
}  # fmt: skip
_NORMS: Final = {"attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm"}
_ROTATED: Final = ("q", "k")


def load_gguf(path: Path, architecture: str, kind: Any) -> tuple[Header, Shape, Weights]:
    """Read a GGUF file; matrices are kept as `kind`. Raises `BadFile`."""
    header = read_header(path)
    check_fitness(header, architecture)
    if architecture != "llama":
        raise BadFile(f"{path.name} is a {architecture} model; JAX runs llama models here.")
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
        return unpermuted(numbers, shape.head) if name in _ROTATED else numbers

    output = tensor("output.weight") if "output.weight" in held else None
    ends = (tensor("token_embd.weight"), tensor("output_norm.weight"), output)
    return header, shape, _placed(shape, ends, layer, kind)


def load_safetensors(path: Path, kind: Any) -> tuple[Shape, Weights]:
    """Read a whole model from one file, whose config.json lies beside it. Raises `BadFile`."""
    shape = config_shape(path.with_name("config.json"))
    held = read_entries(path)
    wanted = _wanted(shape, "model.layers.{}.{}.weight", _NAMES | _NORMS)
    wanted |= {"model.embed_tokens.weight": (shape.vocabulary, shape.width)}
    wanted |= {"model.norm.weight": (shape.width,)}
    if "lm_head.weight" in held:
        wanted |= {"lm_head.weight": (shape.vocabulary, shape.width)}
    _check(path, {name: each.shape for name, each in held.items()}, wanted)

    def tensor(name: str) -> Numbers:
        return read_tensor(path, held[name])

    def layer(number: int, name: str) -> Numbers:
        return tensor(f"model.layers.{number}.{(_NAMES | _NORMS)[name]}.weight")

    output = tensor("lm_head.weight") if "lm_head.weight" in held else None
    ends = (tensor("model.embed_tokens.weight"), tensor("model.norm.weight"), output)
    return shape, _placed(shape, ends, layer, kind)


def unpermuted(rows: Numbers, head: int) -> Numbers:
    """Rows (out, in) of q or k from GGUF's order, pairs side by side, to first halves first."""
    pairs = rows.reshape(-1, head // 2, 2, *rows.shape[1:])
    return np.ascontiguousarray(pairs.swapaxes(1, 2)).reshape(rows.shape)


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
        raise BadFile(f"{path.name} has the tensor {more[0]!r}, which JAX does not run here.")


def _placed(
    shape: Shape,
    ends: tuple[Numbers, Numbers, Numbers | None],
    layer: Callable[[int, str], Numbers],
    kind: Any,
) -> Weights:
    """On the device. Norms stay float32: they are small, and multiply everything."""
    embedding, norm, output = ends
    placed: Weights = {"embedding": jnp.asarray(embedding, kind), "norm": jnp.asarray(norm)}
    placed["output"] = placed["embedding"] if output is None else jnp.asarray(output, kind)
    placed["layers"] = [
        {name: jnp.asarray(layer(number, name), kind) for name in shape.matrices()}
        | {name: jnp.asarray(layer(number, name)) for name in _NORMS}
        for number in range(shape.layers)
    ]
    return placed
