"""How the next token is chosen from logits, row by row.

Pure functions. Penalties come first: repetition over prompt and reply (Keskar et al., 2019,
arXiv:1909.05858), presence and frequency over the reply alone, as OpenAI defines them. Then
temperature, the `top_k` likeliest, and of those the fewest that reach `top_p` (Holtzman et al.,
2020, arXiv:1904.09751). A row's seed and position alone decide: neither the other rows nor when it
joined them.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import jax
import jax.numpy as jnp

LIKELIEST: Final = 20
"""So many of the likeliest tokens are told; it is the most that OpenAI's dialect asks for."""


class Choosing(NamedTuple):
    """What decides, each (rows,); `prompted` and `said` count tokens, (rows, vocabulary)."""

    temperature: Any
    top_p: Any
    top_k: Any
    repetition: Any
    presence: Any
    frequency: Any
    seed: Any
    position: Any
    prompted: Any
    said: Any


class Chosen(NamedTuple):
    """Tokens (rows,) with natural log-probabilities of the model's own; and the likeliest."""

    tokens: Any
    logprobs: Any
    likeliest: Any
    likeliest_logprobs: Any


def choose(logits: Any, by: Choosing, *, sampled: bool, told: bool) -> Chosen:
    """Choose from logits (rows, vocabulary).

    `sampled` says that some row is not simply the likeliest of the model's own, `told` that some
    row wants likelihoods: work that no row needs is left out.
    """
    own = jax.nn.log_softmax(logits) if told else logits
    tokens = jnp.argmax(logits, -1)
    if sampled:
        penalised = _penalised(logits, by)
        likeliest = jnp.argmax(penalised, -1)
        drawn = jax.vmap(_drawn)(penalised, by)
        tokens = jnp.where(by.temperature > 0, drawn, likeliest)
    logprobs = jnp.take_along_axis(own, tokens[:, None], -1)[:, 0]
    if told:
        best, places = jax.lax.top_k(own, LIKELIEST)
    else:
        best, places = own[:, :0], tokens[:, None][:, :0]
    return Chosen(tokens, logprobs, places, best)


def _penalised(logits: Any, by: Choosing) -> Any:
    seen = (by.prompted + by.said) > 0
    factor = by.repetition[:, None]
    repeated = jnp.where(logits > 0, logits / factor, logits * factor)
    penalised = jnp.where(seen, repeated, logits)
    penalised -= by.frequency[:, None] * by.said
    return penalised - by.presence[:, None] * (by.said > 0)


def _drawn(logits: Any, by: Choosing) -> Any:
    """One row's token. The likeliest is always kept, however small `top_p` is."""
    ordered, tokens = jax.lax.top_k(logits, len(logits))
    warmed = ordered / jnp.maximum(by.temperature, 1e-6)
    near = jnp.arange(len(logits)) < by.top_k
    chances = jax.nn.softmax(jnp.where(near, warmed, -jnp.inf))
    before = jnp.cumsum(chances) - chances
    kept = jnp.where((before < by.top_p) & near, warmed, -jnp.inf)
    key = jax.random.fold_in(jax.random.key(by.seed), by.position)
    return tokens[jax.random.categorical(key, kept)]
