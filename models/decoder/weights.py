"""A decoder's weights on JAX's device, as the forward pass takes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax.numpy as jnp

from models.decoder.shape import Shape
from models.decoder.tensors import NORMS, Tensors, open_gguf, open_safetensors
from models.gguf.header import Header

type Weights = dict[str, Any]
"""`embedding` and `output` (vocabulary, width), `norm` (width,), and `layers`, one dictionary each:
`attn_norm` and `ffn_norm` (width,), and the matrices of `Shape.matrices`, each (out, in)."""


def load_gguf(path: Path, architecture: str, kind: Any) -> tuple[Header, Shape, Weights]:
    """Read a GGUF file; matrices are kept as `kind`. Raises `BadFile`."""
    header, tensors = open_gguf(path, architecture)
    return header, tensors.shape, _placed(tensors, kind)


def load_safetensors(path: Path, kind: Any) -> tuple[Shape, Weights]:
    """Read a whole model from one file, whose config.json lies beside it. Raises `BadFile`."""
    tensors = open_safetensors(path)
    return tensors.shape, _placed(tensors, kind)


def _placed(tensors: Tensors, kind: Any) -> Weights:
    """On the device. Norms stay float32: they are small, and multiply everything."""
    placed: Weights = {
        "embedding": jnp.asarray(tensors.embedding(), kind),
        "norm": jnp.asarray(tensors.norm()),
    }
    output = tensors.output
    placed["output"] = placed["embedding"] if output is None else jnp.asarray(output(), kind)
    placed["layers"] = [
        {name: jnp.asarray(tensors.layer(number, name), kind) for name in tensors.shape.matrices()}
        | {name: jnp.asarray(tensors.layer(number, name)) for name in NORMS}
        for number in range(tensors.shape.layers)
    ]
    return placed
