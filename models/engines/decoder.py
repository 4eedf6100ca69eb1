"""A decoder of the Llama family in JAX, from a GGUF file.

Grouped-query attention, rotary positions over neighbouring pairs (as GGUF stores queries and keys),
RMS normalisation, SwiGLU, tied embeddings or not; a cache of keys and values; one program for
reading a prompt and one for writing a token. Pure functions over a tree of arrays. The layers'
weights lie stacked, so that all of them are one compiled loop. Rows of a batch stand at places of
their own: prompts of several lengths are read and continued together.

Sources of the formulas: arXiv 2104.09864 (rotary), 1910.07467 (RMS), 2002.05202 (SwiGLU),
2305.13245 (grouped queries).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from models.errors import BadFile
from models.gguf.dequantise import check_known, to_float32
from models.gguf.fitness import check_fitness
from models.gguf.header import Header, Tensor, read_header

ARCHITECTURE: Final = "llama"

LAYER: Final = {
    "attention_norm": "attn_norm",
    "query": "attn_q",
    "key": "attn_k",
    "value": "attn_v",
    "attention_out": "attn_output",
    "feed_norm": "ffn_norm",
    "gate": "ffn_gate",
    "up": "ffn_up",
    "down": "ffn_down",
}
"""What a layer holds, and GGUF's names for it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a decoder."""

    layers: int
    width: int
    heads: int
    key_heads: int
    head_width: int
    rotary_base: float
    epsilon: float


class Weights(NamedTuple):
    """A decoder's numbers: `embedding` (tokens, width), `layers` stacked (layers, …), `head`."""

    embedding: Array
    layers: dict[str, Array]
    norm: Array
    head: Array


class Cache(NamedTuple):
    """Keys and values, each (layers, rows, positions, key heads, head width)."""

    keys: Array
    values: Array


def load(path: Path, dtype: Any = jnp.bfloat16) -> tuple[Shape, Weights]:
    """The sizes and the numbers in a file. Raises `BadFile`."""
    header = read_header(path)
    check_fitness(header, ARCHITECTURE)
    shape = _shape(header)
    tensors = {tensor.name: tensor for tensor in header.tensors}
    data = np.memmap(path, np.uint8, "r", header.data_start)

    def read(name: str) -> np.ndarray[Any, Any]:
        tensor = tensors.get(f"{name}.weight")
        if tensor is None:
            raise BadFile(f"{path.name} has no tensor {name}.weight.")
        numbers: np.ndarray[Any, Any] = _numbers(data, tensor).astype(dtype)
        return numbers

    layers = {
        ours: jnp.asarray(np.stack([read(f"blk.{at}.{theirs}") for at in range(shape.layers)]))
        for ours, theirs in LAYER.items()
    }
    embedding = jnp.asarray(read("token_embd"))
    head = jnp.asarray(read("output")) if "output.weight" in tensors else embedding
    return shape, Weights(embedding, layers, jnp.asarray(read("output_norm")), head)


def empty_cache(shape: Shape, rows: int, positions: int, dtype: Any = jnp.bfloat16) -> Cache:
    """A cache for so many rows of so many tokens, with nothing in it."""
    size = (shape.layers, rows, positions, shape.key_heads, shape.head_width)
    return Cache(jnp.zeros(size, dtype), jnp.zeros(size, dtype))


@partial(jax.jit, static_argnums=0, donate_argnums=2)
def step(
    shape: Shape, weights: Weights, cache: Cache, tokens: Array, start: Array
) -> tuple[Array, Cache]:
    """Logits (rows, tokens, vocabulary) of `tokens` (rows, tokens) at places from `start` (rows,).

    One program for each number of tokens: a prompt is read with many, a reply written with one.
    What stands behind a row's last token may be anything: it is overwritten before it is seen.
    """
    x = weights.embedding[tokens]
    places = start[:, None] + jnp.arange(tokens.shape[1])
    seen = jnp.arange(cache.keys.shape[2]) <= places[:, :, None]
    turn = _turns(shape, places)

    def layer(x: Array, held: tuple[dict[str, Array], Array, Array]) -> tuple[Array, Any]:
        w, keys, values = held
        h = _norm(x, w["attention_norm"], shape.epsilon)
        q = _turned(_heads(h @ w["query"].T, shape.heads), turn)
        k = _turned(_heads(h @ w["key"].T, shape.key_heads), turn)
        v = _heads(h @ w["value"].T, shape.key_heads)
        keys, values = _kept(keys, k, start), _kept(values, v, start)
        x = x + _attend(shape, q, keys, values, seen) @ w["attention_out"].T
        h = _norm(x, w["feed_norm"], shape.epsilon)
        x = x + (jax.nn.silu(h @ w["gate"].T) * (h @ w["up"].T)) @ w["down"].T
        return x, (keys, values)

    x, (keys, values) = jax.lax.scan(layer, x, (weights.layers, cache.keys, cache.values))
    logits = _norm(x, weights.norm, shape.epsilon) @ weights.head.T
    return logits.astype(jnp.float32), Cache(keys, values)


def greedy(
    shape: Shape, weights: Weights, prompts: Sequence[Sequence[int]], count: int
) -> tuple[list[list[int]], Array]:
    """The `count` likeliest next tokens of each prompt, one after the other.

    Also the logits (prompts, vocabulary) of the first of them.
    """
    lengths = jnp.asarray([len(prompt) for prompt in prompts])
    longest = int(lengths.max())
    padded = jnp.asarray([[*prompt, *[0] * (longest - len(prompt))] for prompt in prompts])
    dtype = weights.embedding.dtype
    cache = empty_cache(shape, len(prompts), longest + count, dtype)
    logits, cache = step(shape, weights, cache, padded, jnp.zeros_like(lengths))
    first = jnp.take_along_axis(logits, (lengths - 1)[:, None, None], axis=1)[:, 0]
    written = [jnp.argmax(first, axis=-1)]
    for at in range(count - 1):
        logits, cache = step(shape, weights, cache, written[-1][:, None], lengths + at)
        written.append(jnp.argmax(logits[:, 0], axis=-1))
    return np.stack(written, axis=1).tolist(), first


def _attend(shape: Shape, q: Array, keys: Array, values: Array, seen: Array) -> Array:
    """Each group of query heads looks at its own key head; softmax in 32 bits."""
    rows, count = q.shape[:2]
    q = q.reshape(rows, count, shape.key_heads, -1, shape.head_width)
    scores = jnp.einsum("rtkgd,rskd->rkgts", q, keys, preferred_element_type=jnp.float32)
    scores = jnp.where(seen[:, None, None], scores * shape.head_width**-0.5, -jnp.inf)
    weights = jax.nn.softmax(scores, axis=-1).astype(values.dtype)
    found = jnp.einsum("rkgts,rskd->rtkgd", weights, values)
    return found.reshape(rows, count, -1).astype(q.dtype)


def _kept(held: Array, new: Array, start: Array) -> Array:
    """The cache (rows, positions, …) with `new` (rows, tokens, …) in it, each row at its place."""
    write = partial(jax.lax.dynamic_update_slice_in_dim, axis=0)
    return jax.vmap(write)(held, new.astype(held.dtype), start)


def _heads(x: Array, heads: int) -> Array:
    return x.reshape(*x.shape[:2], heads, -1)


def _norm(x: Array, weight: Array, epsilon: float) -> Array:
    wide = x.astype(jnp.float32)
    scale = jax.lax.rsqrt(jnp.mean(wide * wide, axis=-1, keepdims=True) + epsilon)
    return (wide * scale).astype(x.dtype) * weight


def _turns(shape: Shape, places: Array) -> tuple[Array, Array]:
    """Cosine and sine (rows, tokens, 1, pairs) of each place's turn of each pair."""
    pairs = jnp.arange(0, shape.head_width, 2, dtype=jnp.float32)
    angles = places[:, :, None, None] * shape.rotary_base ** (-pairs / shape.head_width)
    return jnp.cos(angles), jnp.sin(angles)


def _turned(x: Array, turn: tuple[Array, Array]) -> Array:
    cosine, sine = turn
    even, odd = x[..., 0::2].astype(jnp.float32), x[..., 1::2].astype(jnp.float32)
    both = jnp.stack([even * cosine - odd * sine, even * sine + odd * cosine], axis=-1)
    return both.reshape(x.shape).astype(x.dtype)


def _shape(header: Header) -> Shape:
    width, heads = (
        header.count(f"{ARCHITECTURE}.{name}")
        for name in ("embedding_length", "attention.head_count")
    )
    return Shape(
        layers=header.count(f"{ARCHITECTURE}.block_count"),
        width=width,
        heads=heads,
        key_heads=header.count(f"{ARCHITECTURE}.attention.head_count_kv"),
        head_width=width // heads,
        rotary_base=_real(header, "rope.freq_base"),
        epsilon=_real(header, "attention.layer_norm_rms_epsilon"),
    )


def _real(header: Header, name: str) -> float:
    value = header.keys.get(f"{ARCHITECTURE}.{name}")
    if not isinstance(value, float) or not 0 < value < float("inf"):
        raise BadFile(f"The header has no positive number under {ARCHITECTURE}.{name}.")
    return value


def _numbers(data: Any, tensor: Tensor) -> Any:
    check_known(tensor.kind, tensor.name)
    raw = data[tensor.offset : tensor.offset + tensor.size].tobytes()
    return to_float32(raw, tensor.kind).reshape(tensor.shape[::-1])
