"""Two public sentence encoders, run in JAX: the teachers of the static embedding.

Decides how their packaged weights are read and how texts are batched. Both are BERT encoders with
mean pooling (Devlin et al., 2019, arXiv:1810.04805; Wang et al., 2024, arXiv:2402.05672). Refuses a
file that is not of the form it expects.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np

from models.encoder.packed import MATRICES, NORMS, Packed, Shape, Vectors

type Weights = dict[str, Any]

_BATCH: Final = 256
_STEP: Final = 4
"""Lengths are padded to a multiple of this, so that few shapes are compiled."""
_LONGEST: Final = 128
_MINILM_HEAD: Final = 32
_MINILM_MATRICES: Final = {
    "q": "attn.q_proj", "k": "attn.k_proj", "v": "attn.v_proj",
    "ao": "attn.o_proj", "fi": "mlp.fc1", "fo": "mlp.fc2",
}  # fmt: skip
_MINILM_NORMS: Final = {
    "aln": "attention_output_norm_layernorm",
    "oln": "mlp_output_norm_layernorm",
}


class Encoder:
    """Gives a unit vector for a text; `prefix` is put before each one."""

    def __init__(self, weights: Weights, shape: Shape, tokenizer: Any, prefix: str = "") -> None:
        self.width = shape.width
        self._shape = shape
        self._weights = weights
        # A tokenizer file may carry settings for batches; they are made here.
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._tokenizer = tokenizer
        self._prefix = prefix
        self._forward = jax.jit(_forward, static_argnames=("heads", "epsilon"))

    def encode(self, texts: Sequence[str], progress: Callable[[float], None]) -> Vectors:
        """Give float32 vectors of shape (texts, width), each of length one."""
        encoded = [
            entry.ids[:_LONGEST]
            for entry in self._tokenizer.encode_batch([self._prefix + text for text in texts])
        ]
        order = sorted(range(len(encoded)), key=lambda at: len(encoded[at]))
        vectors = np.zeros((len(texts), self.width), np.float32)
        for start in range(0, len(order), _BATCH):
            chosen = order[start : start + _BATCH]
            vectors[chosen] = self._batch([encoded[at] for at in chosen])
            progress(start / len(order))
        return vectors

    def _batch(self, rows: list[list[int]]) -> Vectors:
        length = -(-max(len(row) for row in rows) // _STEP) * _STEP
        ids = np.full((_BATCH, length), self._shape.pad, np.int32)
        mask = np.zeros((_BATCH, length), bool)
        for at, row in enumerate(rows):
            ids[at, : len(row)] = row
            mask[at, : len(row)] = True
        mask[len(rows) :, 0] = True
        shape = self._shape
        found = self._forward(self._weights, ids, mask, heads=shape.heads, epsilon=shape.epsilon)
        return np.asarray(found)[: len(rows)]


def load_e5(model: Path, tokenizer: Path) -> Encoder:
    """Read multilingual-e5-small from its packaged 4-bit weights (Q4_0 blocks, dequantised here).

    Queries carry the prefix that the model was trained with. Raises `BadFile` for another file.
    """
    from tokenizers import Tokenizer  # noqa: PLC0415 (only the teachers need it)

    packed = Packed(model)
    weights = _weights({name: packed.flat(name) for name in packed.names}, packed.shape)
    return Encoder(weights, packed.shape, Tokenizer.from_file(str(tokenizer)), "query: ")


def load_minilm(model: Path, tokenizer: Path) -> Encoder:
    """Read all-MiniLM-L6-v2 (English) from an ONNX file with float weights.

    Raises `ValueError` for a graph whose weights have other names.
    """
    import onnx  # noqa: PLC0415 (only the teachers need these)
    from onnx import numpy_helper  # noqa: PLC0415
    from tokenizers import Tokenizer  # noqa: PLC0415

    graph = onnx.load(str(model)).graph
    found = {entry.name: numpy_helper.to_array(entry) for entry in graph.initializer}
    try:
        tensors = _named(found)
    except KeyError as missing:
        raise ValueError(f"{model}: the weight {missing} is not there") from missing
    layers = sum(name.endswith(".q.w") for name in tensors)
    width = tensors["emb.ln.w"].shape[0]
    shape = Shape(width, layers, width // _MINILM_HEAD, 4 * width, 1e-12, 0)
    return Encoder(_weights(tensors, shape), shape, Tokenizer.from_file(str(tokenizer)))


def _named(found: dict[str, Vectors]) -> dict[str, Vectors]:
    """Give an ONNX file's weights the names of the 4-bit file, matrices as (out, in)."""
    start = ".model.embeddings"
    tensors = {
        "emb.word": found[f"{start}.word_embeddings.weight"],
        "emb.type": found[f"{start}.token_type_embeddings.weight"][0],
        "emb.pos": found[f"{start}.position_embeddings.weight"],
        "emb.ln.w": found["model.layers.-1.embeddings_norm_layernorm.weight"],
        "emb.ln.b": found["model.layers.-1.embeddings_norm_layernorm.bias"],
    }
    for layer in range(sum(name.endswith("attn.q_proj.MatMul.weight") for name in found)):
        own = f"model.layers.{layer}"
        for short, long in _MINILM_MATRICES.items():
            tensors[f"l{layer}.{short}.w"] = found[f"{own}.{long}.MatMul.weight"].T
            tensors[f"l{layer}.{short}.b"] = found[f"{own}.{long}.Add.bias"]
        for short, long in _MINILM_NORMS.items():
            tensors[f"l{layer}.{short}.w"] = found[f"{own}.{long}.weight"]
            tensors[f"l{layer}.{short}.b"] = found[f"{own}.{long}.bias"]
    return tensors


def _weights(tensors: dict[str, Vectors], shape: Shape) -> Weights:
    width, inner = shape.width, shape.inner
    sizes = {"fi": (inner, width), "fo": (width, inner)}
    layers: Weights = {}
    for name in MATRICES:
        size = sizes.get(name, (width, width))
        matrices = [tensors[f"l{i}.{name}.w"].reshape(size).T for i in range(shape.layers)]
        layers[f"{name}.w"] = jnp.asarray(np.stack(matrices), jnp.bfloat16)
        layers[f"{name}.b"] = _stacked(tensors, f"{name}.b", shape.layers)
    for name in NORMS:
        layers[f"{name}.w"] = _stacked(tensors, f"{name}.w", shape.layers)
        layers[f"{name}.b"] = _stacked(tensors, f"{name}.b", shape.layers)
    return {
        "word": jnp.asarray(tensors["emb.word"].reshape(-1, width)),
        "position": jnp.asarray(
            tensors["emb.pos"].reshape(-1, width) + tensors["emb.type"][:width]
        ),
        "norm.w": jnp.asarray(tensors["emb.ln.w"]),
        "norm.b": jnp.asarray(tensors["emb.ln.b"]),
        "layers": layers,
    }


def _stacked(tensors: dict[str, Vectors], name: str, layers: int) -> Any:
    return jnp.asarray(np.stack([tensors[f"l{i}.{name}"] for i in range(layers)]))


def _forward(weights: Weights, ids: Any, mask: Any, heads: int, epsilon: float) -> Any:
    """Token ids and their mask (batch, length) to unit vectors (batch, width)."""
    batch, length = ids.shape
    states = weights["word"][ids] + weights["position"][:length]
    states = _norm(states, weights["norm.w"], weights["norm.b"], epsilon)
    hidden = jnp.where(mask, 0.0, -1e9)[:, None, None, :]

    def layer(states: Any, own: Weights) -> tuple[Any, None]:
        size = states.shape[-1] // heads
        queries, keys, values = (
            _dense(states, own, name).reshape(batch, length, heads, size).transpose(0, 2, 1, 3)
            for name in ("q", "k", "v")
        )
        scores = queries @ keys.transpose(0, 1, 3, 2) / np.sqrt(size) + hidden
        mixed = (jax.nn.softmax(scores, -1) @ values).transpose(0, 2, 1, 3)
        mixed = _dense(mixed.reshape(batch, length, -1), own, "ao")
        states = _norm(states + mixed, own["aln.w"], own["aln.b"], epsilon)
        inner = jax.nn.gelu(_dense(states, own, "fi"), approximate=False)
        return _norm(states + _dense(inner, own, "fo"), own["oln.w"], own["oln.b"], epsilon), None

    states, _ = jax.lax.scan(layer, states, weights["layers"])
    pooled = (states * mask[..., None]).sum(1) / mask.sum(1)[:, None]
    return pooled / jnp.linalg.norm(pooled, axis=-1, keepdims=True)


def _dense(states: Any, own: Weights, name: str) -> Any:
    product = jnp.matmul(
        states.astype(jnp.bfloat16), own[f"{name}.w"], preferred_element_type=jnp.float32
    )
    return product + own[f"{name}.b"]


def _norm(states: Any, weight: Any, bias: Any, epsilon: float) -> Any:
    mean = states.mean(-1, keepdims=True)
    variance = ((states - mean) ** 2).mean(-1, keepdims=True)
    return (states - mean) * jax.lax.rsqrt(variance + epsilon) * weight + bias
