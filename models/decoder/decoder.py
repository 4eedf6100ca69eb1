"""One model on the device, with its cache: what a batch does in one step, compiled.

Decides the few shapes that are compiled. A prompt is read in pieces of `PIECES` lengths, padded to
the next; replies go on for all rows at once. How much of a cache is looked at is doubled as needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from models.decoder.forward import Cache, Lora, Turn, empty_cache, forward, logits_of
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
        self._state = self._empty()
        compiled = partial(jax.jit, static_argnames=("span",))
        self._read = compiled(partial(_read, shape), donate_argnums=(1,))
        self._judge = compiled(partial(_judge, shape), donate_argnums=(1,))
        self._advance = compiled(partial(_advance, shape), donate_argnums=(1,))
        self._choose = jax.jit(choose, static_argnames=("sampled", "told"))

    def read(
        self, row: int, tokens: Sequence[int], start: int, adapters: Mapping[str, float]
    ) -> int:
        """Read the next piece of a row's tokens, the first of which is at position `start`.

        Gives how many were read. The logits after them are the row's.
        """
        piece = _piece(row, tokens, start)
        lora, span = self.pool.lora([adapters]), self._span(start + piece.length)
        self._state = self._read(self._weights, self._state, lora, piece, span=span)
        return piece.length

    def judge(
        self,
        row: int,
        tokens: Sequence[int],
        following: Sequence[int],
        start: int,
        adapters: Mapping[str, float],
    ) -> NDArray[np.float32]:
        """Read as `read` does, and give the log-probability of the token that follows each."""
        piece, targets = _piece(row, tokens, start), _piece(row, following, start)
        lora, span = self.pool.lora([adapters]), self._span(start + piece.length)
        self._state, logprobs = self._judge(
            self._weights, self._state, lora, piece, following=targets.tokens, span=span
        )
        return np.asarray(logprobs)[: piece.length]

    def choose(self, by: Choosing, *, sampled: bool, told: bool) -> Chosen:
        """Choose every row's next token from its logits; see `sampling.choose`."""
        return Chosen(
            *map(np.asarray, self._choose(self._state.logits, by, sampled=sampled, told=told))
        )

    def advance(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        adapters: Sequence[Mapping[str, float]],
    ) -> None:
        """Add one token to every row, at its position; a row at `context` is left as it is."""
        longest = max(at + 1 for at in positions if at < self.context)
        turn = Turn(
            None, np.asarray(tokens, np.int32)[:, None], np.asarray(positions, np.int32)[:, None]
        )
        lora, span = self.pool.lora(adapters), self._span(longest)
        self._state = self._advance(self._weights, self._state, lora, turn, span=span)

    def clear(self) -> None:
        """Begin anew with nothing read: a pass that failed may have taken the cache along."""
        self._state = self._empty()

    def _empty(self) -> _State:
        kind = self._weights["embedding"].dtype
        logits = jnp.zeros((self.rows, self.shape.vocabulary), jnp.float32)
        return _State(empty_cache(self.shape, self.rows, self.context, kind), logits)

    def _span(self, longest: int) -> int:
        """How many positions are looked at where the last is `longest`."""
        return min(max(LEAST_SPAN, 1 << (longest - 1).bit_length()), self.context)

    def logits(self, row: int) -> NDArray[np.float32]:
        """What a row's next token is chosen from, (vocabulary,)."""
        return np.asarray(self._state.logits[row])


class _State(NamedTuple):
    """What a pass takes and gives anew; logits are (rows, vocabulary)."""

    cache: Cache
    logits: Any


class _Piece(NamedTuple):
    """Tokens of a row from position `start`, of which `length` are no padding; traced in a pass."""

    row: int
    tokens: Any
    start: int
    length: int


def _piece(row: int, tokens: Sequence[int], start: int) -> _Piece:
    """As many of these tokens as one pass takes, padded to a length that is compiled."""
    count = min(len(tokens), PIECES[-1])
    padded = np.zeros(next(each for each in PIECES if each >= count), np.int32)
    padded[:count] = tokens[:count]
    return _Piece(row, padded, start, count)


def _turn(piece: _Piece, cache: Cache) -> Turn:
    """Padding is put where nothing is written."""
    steps = jnp.arange(len(piece.tokens))
    beyond = cache[0][0].shape[1]
    positions = jnp.where(steps < piece.length, piece.start + steps, beyond)
    return Turn(jnp.asarray(piece.row)[None], piece.tokens[None], positions[None])


def _read(
    shape: Shape, weights: Weights, state: _State, lora: Lora, piece: _Piece, *, span: int
) -> _State:
    turn = _turn(piece, state.cache)
    states, cache = forward(shape, weights, state.cache, lora, turn, span=span)
    last = logits_of(weights, states[0, piece.length - 1])
    return _State(cache, state.logits.at[piece.row].set(last))


def _judge(
    shape: Shape,
    weights: Weights,
    state: _State,
    lora: Lora,
    piece: _Piece,
    *,
    following: Any,
    span: int,
) -> tuple[_State, Any]:
    turn = _turn(piece, state.cache)
    states, cache = forward(shape, weights, state.cache, lora, turn, span=span)
    logprobs = jax.nn.log_softmax(logits_of(weights, states[0]))
    own = jnp.take_along_axis(logprobs, following[:, None], -1)[:, 0]
    return _State(cache, state.logits), own


def _advance(
    shape: Shape, weights: Weights, state: _State, lora: Lora, turn: Turn, *, span: int
) -> _State:
    states, cache = forward(shape, weights, state.cache, lora, turn, span=span)
    active = turn.positions < cache[0][0].shape[1]
    return _State(cache, jnp.where(active, logits_of(weights, states[:, 0]), state.logits))
