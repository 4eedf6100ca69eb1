"""The forward pass of a Llama-family decoder, over a cache of keys and values.

Pure functions. Grouped-query attention (Ainslie et al., 2023, arXiv:2305.13245), rotary embedding
(Su et al., 2021, arXiv:2104.09864), RMSNorm (Zhang & Sennrich, 2019, arXiv:1910.07467) and SwiGLU
(Shazeer, 2020, arXiv:2002.05202), as in Llama (Touvron et al., 2023, arXiv:2302.13971). Matrices
multiply in the type of the weights; norms, scores, softmax and logits are float32.

A cache has rows, one a conversation, each with room for `context` positions. What is written beyond
it is dropped: that is how padding and idle rows leave no trace. What lies behind a query's position
is masked, so a row needs no clearing when the next conversation takes it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from models.decoder.shape import Shape
from models.decoder.weights import Weights

type Cache = list[tuple[Any, Any]]
"""Of each layer keys and values, (rows, context, kv_heads, head)."""

type Gates = tuple[Any, Any]
"""Of each row its adapters: places in the pool (rows, several), and weights (rows, several)."""

type Lora = tuple[dict[str, tuple[Any, Any]], Gates] | None
"""By matrix A (layers, pool, rank, in) and B (layers, pool, out, rank); and each row's gates."""


class Turn(NamedTuple):
    """What is read: tokens (batch, length) at positions (batch, length) of rows (batch,).

    Rows may be None for all of the cache, in order, which saves copying it.
    """

    rows: Any | None
    tokens: Any
    positions: Any


def empty_cache(shape: Shape, rows: int, context: int, kind: Any) -> Cache:
    """A cache for so many rows."""
    size = (rows, context, shape.kv_heads, shape.head)
    return [(jnp.zeros(size, kind), jnp.zeros(size, kind)) for _ in range(shape.layers)]


def forward(
    shape: Shape, weights: Weights, cache: Cache, lora: Lora, turn: Turn, *, span: int
) -> tuple[Any, Cache]:
    """Read a turn.

    Gives states after the last norm, (batch, length, width) in float32, and the cache with the
    tokens in it. A position of `context` or more writes nothing. No position that counts is `span`
    or more: so much of the cache is looked at.
    """
    rows, tokens, positions = turn
    states = weights["embedding"][tokens].astype(jnp.float32)
    turns = _turns(shape, positions)
    place = (jnp.arange(len(tokens))[:, None] if rows is None else rows[:, None], positions)
    split = (*tokens.shape, -1, shape.head)
    written = []
    for number, (own, held) in enumerate(zip(weights["layers"], cache, strict=True)):
        low = _Low(lora, number)
        normed = _norm(states, own["attn_norm"], shape.epsilon)
        query = _turned(low.product(normed, own, "q").reshape(split), turns)
        key = _turned(low.product(normed, own, "k").reshape(split), turns)
        value = low.product(normed, own, "v").reshape(split)
        keys, values = (
            old.at[place].set(new.astype(old.dtype), mode="drop")
            for old, new in zip(held, (key, value), strict=True)
        )
        written.append((keys, values))
        if rows is not None:
            keys, values = keys[rows], values[rows]
        mixed = _attend(query, keys[:, :span], values[:, :span], positions)
        states += low.product(mixed, own, "o")
        normed = _norm(states, own["ffn_norm"], shape.epsilon)
        inner = jax.nn.silu(low.product(normed, own, "gate")) * low.product(normed, own, "up")
        states += low.product(inner, own, "down")
    return _norm(states, weights["norm"], shape.epsilon), written


def logits_of(weights: Weights, states: Any) -> Any:
    """Logits (…, vocabulary) in float32 of states (…, width)."""
    return _dot(states, weights["output"])


class _Low:
    """The products of one layer, with each row's adapters added: S3 5.2.

    `(W + Σ_j g_j α_j B_j A_j) x`, taken as `W x + Σ_j g_j α_j B_j (A_j x)`: nothing is merged, so
    that rows of one batch may have different adapters. The pool's B carries α.
    """

    def __init__(self, lora: Lora, layer: int) -> None:
        self._lora = lora
        self._layer = layer

    def product(self, states: Any, own: Weights, name: str) -> Any:
        """A matrix times states (batch, length, in): (batch, length, out) in float32."""
        whole = _dot(states, own[name])
        if self._lora is None or name not in self._lora[0]:
            return whole
        pool, (places, gates) = self._lora
        down, up = (each[self._layer, places] for each in pool[name])
        inner = _contracted("bti,bjri->btjr", states, down) * gates[:, None, :, None]
        return whole + _contracted("btjr,bjor->bto", inner, up)


def _dot(states: Any, matrix: Any) -> Any:
    return _contracted("...i,oi->...o", states, matrix)


def _contracted(form: str, states: Any, matrix: Any) -> Any:
    return jnp.einsum(
        form,
        states.astype(matrix.dtype),
        matrix,
        preferred_element_type=jnp.float32,
        precision=jax.lax.Precision.HIGHEST,
    )


def _norm(states: Any, weight: Any, epsilon: float) -> Any:
    square = jnp.mean(states * states, -1, keepdims=True)
    return states * jax.lax.rsqrt(square + epsilon) * weight


def _turns(shape: Shape, positions: Any) -> tuple[Any, Any]:
    """Cosine and sine of each position's angles: (batch, length, 1, head / 2)."""
    steps = jnp.arange(0, shape.head, 2, dtype=jnp.float32) / shape.head
    angles = positions[..., None].astype(jnp.float32) * shape.theta**-steps
    return jnp.cos(angles)[:, :, None], jnp.sin(angles)[:, :, None]


def _turned(heads: Any, turns: tuple[Any, Any]) -> Any:
    """Rotate (batch, length, heads, head); pairs are of an item of each half."""
    first, second = jnp.split(heads, 2, -1)
    cosine, sine = turns
    return jnp.concatenate(
        [first * cosine - second * sine, second * cosine + first * sine], axis=-1
    )


def _attend(query: Any, keys: Any, values: Any, positions: Any) -> Any:
    """Mix values (batch, context, kv_heads, head) for queries (batch, length, heads, head)."""
    batch, length, heads, head = query.shape
    grouped = query.reshape(batch, length, keys.shape[2], -1, head) * head**-0.5
    scores = _contracted("btkgd,bskd->bkgts", grouped, keys)
    seen = jnp.arange(keys.shape[1]) <= positions[:, :, None]
    scores = jnp.where(seen[:, None, None], scores, -jnp.inf)
    mixed = _contracted("bkgts,bskd->btkgd", jax.nn.softmax(scores, -1), values)
    return mixed.reshape(batch, length, heads * head)
