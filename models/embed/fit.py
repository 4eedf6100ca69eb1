"""Token vectors whose sums lie where the teachers put whole texts.

Decides the objective: cosine to the target, and InfoNCE (van den Oord et al., 2018,
arXiv:1807.03748) among a batch with near duplicates left out. The last epochs see the vectors as
they will be packed, in two bits (straight-through; Bengio et al., 2013, arXiv:1308.3432), so that
packing costs little.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from kb.embed import LEVELS
from kb.vectors import THRESHOLDS

type Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Numbers of a training run; `packed_epochs` of the epochs see two-bit vectors."""

    epochs: int = 7
    packed_epochs: int = 3
    batch: int = 1024
    rate: float = 3e-3
    final_rate: float = 0.05
    dropout: float = 0.10
    contrast: float = 0.1
    temperature: float = 0.05
    duplicate: float = 0.85
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Examples:
    """Token ids (texts, length) with -1 after the last, targets (texts, dimensions), weights."""

    tokens: NDArray[np.int32]
    targets: Vectors
    weights: NDArray[np.float32]


def fit(
    start: Vectors, examples: Examples, recipe: Recipe, report: Callable[[int, float], None]
) -> Vectors:
    """Train the table (tokens, dimensions) from `start`; `report` is told epoch and mean loss."""
    count = len(examples.tokens)
    steps = count // recipe.batch
    schedule = optax.cosine_decay_schedule(
        recipe.rate, steps * recipe.epochs, alpha=recipe.final_rate
    )
    optimiser = optax.adam(schedule)
    table = jnp.asarray(start)
    state = optimiser.init(table)
    step = jax.jit(partial(_step, optimiser=optimiser, recipe=recipe), static_argnames="packed")
    order = np.random.default_rng(recipe.seed)
    key = jax.random.key(recipe.seed)
    for epoch in range(recipe.epochs):
        packed = epoch >= recipe.epochs - recipe.packed_epochs
        places = order.permutation(count)
        losses = []
        for at in range(steps):
            chosen = places[at * recipe.batch : (at + 1) * recipe.batch]
            batch = (examples.tokens[chosen], examples.targets[chosen], examples.weights[chosen])
            key, own = jax.random.split(key)
            table, state, loss = step(table, state, batch, own, packed=packed)
            losses.append(loss)
        report(epoch, float(jnp.mean(jnp.stack(losses))))
    return np.asarray(table)


def _step(
    table: Any, state: Any, batch: Any, key: Any, *, packed: bool, optimiser: Any, recipe: Recipe
) -> tuple[Any, Any, Any]:
    loss, gradient = jax.value_and_grad(_loss)(table, batch, key, packed, recipe)
    update, state = optimiser.update(gradient, state, table)
    return optax.apply_updates(table, update), state, loss


def _loss(table: Any, batch: Any, key: Any, packed: bool, recipe: Recipe) -> Any:
    tokens, targets, weights = batch
    kept = (tokens >= 0) & ~jax.random.bernoulli(key, recipe.dropout, tokens.shape)
    rows = _as_packed(table) if packed else table
    summed = (rows[jnp.maximum(tokens, 0)] * kept[..., None]).sum(1)
    # Dropout can empty a text: the length must not reach zero, nor its gradient infinity.
    vectors = summed * jax.lax.rsqrt((summed**2).sum(-1, keepdims=True) + 1e-6)
    cosines = vectors @ targets.T
    alike = (targets @ targets.T > recipe.duplicate) & ~jnp.eye(len(targets), dtype=bool)
    logits = jnp.where(alike, -1e9, cosines / recipe.temperature)
    own = jnp.diagonal(cosines)
    contrast = jax.nn.logsumexp(logits, axis=1) - own / recipe.temperature
    return ((1 - own + recipe.contrast * contrast) * weights).sum() / weights.sum()


def _as_packed(table: Any) -> Any:
    """Two-bit levels in the forward pass, the identity in the backward one."""
    norms = jnp.linalg.norm(table, axis=1, keepdims=True)
    scale = norms / np.sqrt(table.shape[1])
    scaled = table / jnp.maximum(scale, 1e-9)
    low, middle, high = (scaled > threshold for threshold in THRESHOLDS)
    first, second, third, fourth = LEVELS
    levels = jnp.where(high, fourth, jnp.where(middle, third, jnp.where(low, second, first)))
    return table + jax.lax.stop_gradient(levels * scale - table)
