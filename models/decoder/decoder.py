"""One model on the device, with its cache: what a batch does in one step, compiled.

Decides the few shapes that are compiled. A prompt is read in pieces of `PIECES` lengths, padded to
the next; replies go on for all rows at once. How much of a cache is looked at grows in steps too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from models.decoder.forward import Cache, Lora, empty_cache, forward, logits_of
from models.decoder.lora import Pool
from models.decoder.sampling import Choosing, Chosen, choose
from models.decoder.shape import Shape
from models.decoder.weights import Weights

PIECES: Final = (16, 64, 256)
"""Longer ones read faster, and hold up other rows for longer."""

LEAST_SPAN: Final = 512


class Decoder:
    """`rows` conversations of `context` tokens at once; one thread at a time may use it."""

    def __init__(self, shape: Shape, weights: Weights, *, rows: int, context: int) -> None:
        self.shape = shape
        self.rows = rows
        self.context = context
        kind = weights["embedding"].dtype
        self.pool = Pool(shape, kind)
        self._weights = weights
        self._cache: Cache = []
        self._logits: Any = None
        self.clear()
        compiled = partial(jax.jit, static_argnames=("span",))
        self._read = compiled(partial(_read, shape), donate_argnums=(1, 2))
        self._judge = compiled(partial(_judge, shape), donate_argnums=(1,))
        self._advance = compiled(partial(_advance, shape), donate_argnums=(1, 2))
        self._choose = jax.jit(choose, static_argnames=("sampled", "told"))

    def read(
        self, row: int, tokens: Sequence[int], start: int, adapters: Mapping[str, float]
    ) -> int:
        """Read the next piece of a row's tokens, the first of which is at position `start`.

        Gives how many were read. The logits after them are the row's.
        """
        piece = _Piece(tokens, start)
        self._cache, self._logits = self._read(
            self._weights, self._cache, self._logits, self.pool.lora([adapters]),
            row, piece.tokens, start, piece.count, span=self._span(start + piece.count),
        )  # fmt: skip
        return piece.count

    def judge(
        self,
        row: int,
        tokens: Sequence[int],
        following: Sequence[int],
        start: int,
        adapters: Mapping[str, float],
    ) -> NDArray[np.float32]:
        """Read as `read` does, and give the log-probability of the token that follows each."""
        piece, targets = _Piece(tokens, start), _Piece(following, start)
        self._cache, logprobs = self._judge(
            self._weights, self._cache, self.pool.lora([adapters]),
            row, piece.tokens, targets.tokens, start, piece.count, span=self._span(start + piece.count),
        )  # fmt: skip
        return np.asarray(logprobs)[: piece.count]

    def choose(self, by: Choosing, *, sampled: bool, told: bool) -> Chosen:
        """Choose every row's next token from its logits; see `sampling.choose`."""
        return Chosen(*map(np.asarray, self._choose(self._logits, by, sampled=sampled, told=told)))

    def advance(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        adapters: Sequence[Mapping[str, float]],
    ) -> None:
        """Add one token to every row, at its position; a row at `context` is left as it is."""
        longest = max(at + 1 for at in positions if at < self.context)
        self._cache, self._logits = self._advance(
            self._weights, self._cache, self._logits, self.pool.lora(adapters),
            np.asarray(tokens, np.int32), np.asarray(positions, np.int32), span=self._span(longest),
        )  # fmt: skip

    def clear(self) -> None:
        """Begin anew, with nothing read: also after a pass that failed, and took the cache along."""
        kind = self._weights["embedding"].dtype
        self._cache = empty_cache(self.shape, self.rows, self.context, kind)
        self._logits = jnp.zeros((self.rows, self.shape.vocabulary), jnp.float32)

    def _span(self, longest: int) -> int:
        """How many positions are looked at where the last is `longest`."""
        return min(max(LEAST_SPAN, 1 << (longest - 1).bit_length()), self.context)

    def logits(self, row: int) -> NDArray[np.float32]:
        """What a row's next token is chosen from, (vocabulary,)."""
        return np.asarray(self._logits[row])


class _Piece:
    """As many of these tokens as one pass takes, padded to a length that is compiled."""

    def __init__(self, tokens: Sequence[int], start: int) -> None:
        self.count = min(len(tokens), PIECES[-1])
        length = next(each for each in PIECES if each >= self.count)
        self.tokens = np.zeros(length, np.int32)
        self.tokens[: self.count] = tokens[: self.count]


def _places(cache: Cache, tokens: Any, start: Any, count: Any) -> Any:
    """Positions (1, length); padding is put where nothing is written."""
    steps = jnp.arange(len(tokens))
    return jnp.where(steps < count, start + steps, cache[0][0].shape[1])[None]


def _read(
    shape: Shape, weights: Weights, cache: Cache, logits: Any, lora: Lora,
    row: Any, tokens: Any, start: Any, count: Any, *, span: int,
) -> tuple[Cache, Any]:  # fmt: skip
    places = _places(cache, tokens, start, count)
    states, cache = forward(
        shape, weights, cache, lora, jnp.asarray(row)[None], tokens[None], places, span
    )
    return cache, logits.at[row].set(logits_of(weights, states[0, count - 1]))


def _judge(
    shape: Shape, weights: Weights, cache: Cache, lora: Lora,
    row: Any, tokens: Any, following: Any, start: Any, count: Any, *, span: int,
) -> tuple[Cache, Any]:  # fmt: skip
    places = _places(cache, tokens, start, count)
    states, cache = forward(
        shape, weights, cache, lora, jnp.asarray(row)[None], tokens[None], places, span
    )
    logprobs = jax.nn.log_softmax(logits_of(weights, states[0]))
    return cache, jnp.take_along_axis(logprobs, following[:, None], -1)[:, 0]


def _advance(
    shape: Shape, weights: Weights, cache: Cache, logits: Any, lora: Lora,
    tokens: Any, positions: Any, *, span: int,
) -> tuple[Cache, Any]:  # fmt: skip
    states, cache = forward(
        shape, weights, cache, lora, None, tokens[:, None], positions[:, None], span
    )
    active = positions < cache[0][0].shape[1]
    return cache, jnp.where(active[:, None], logits_of(weights, states[:, 0]), logits)
