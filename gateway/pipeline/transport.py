"""Stage 4: the model's reply, streamed to the visitor as it comes.

A model that fails, is late or writes without end leaves the turn without a reply: a person is
asked, and the visitor reads no error.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from core.errors import Unavailable
from core.messages import Usage
from core.ports import Piece, Transport
from gateway.pipeline.characters import WholeCharacters
from gateway.pipeline.state import Emit, TurnState, Written
from gateway.pipeline.turns import unanswered

CHARACTERS_A_TOKEN = 16
"""No tokenizer's tokens are longer on average; past this a server ignores its limit."""


class Streaming:
    """`transport.streaming`: one model, asked once; without one the turn says so."""

    def __init__(self, model: Transport | None) -> None:
        self._model = model

    async def run(self, state: TurnState) -> TurnState:
        """Add what the model wrote, or the turn that has no reply."""
        if self._model is None or state.prompt is None:
            return replace(state, turn=unanswered(state, "no_model"))
        pieces = state.over(self._model.stream(state.prompt))
        try:
            reply, usage = await _read(pieces, state.emit, state.prompt.max_tokens)
        except Unavailable:
            return replace(state, turn=unanswered(state, "model_unavailable"))
        return replace(state, written=Written(reply, self._model.model, usage))


async def _read(
    pieces: AsyncIterator[Piece], emit: Emit, max_tokens: int
) -> tuple[str, Usage | None]:
    parts: list[str] = []
    characters = WholeCharacters()
    written = 0
    usage: Usage | None = None
    async for piece in pieces:
        usage = piece.usage or usage
        text = characters.feed(piece.text)
        if text:
            parts.append(text)
            written += len(text)
            _check_length(written, max_tokens)
            emit(text)
    parts.append(characters.end())
    return "".join(parts).strip(), usage


def _check_length(written: int, max_tokens: int) -> None:
    if written > CHARACTERS_A_TOKEN * max_tokens:
        raise Unavailable("the model wrote more than it was asked to")
