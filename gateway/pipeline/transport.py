"""Stage 4: a model's reply, streamed to the visitor as it comes.

Of the candidates somebody answers (`reach`), within the turn's deadlines. Models that fail, are
late or write without end leave the turn without a reply: a person is asked, and the visitor reads
no error. What a model thinks before it answers is kept apart, and is not streamed.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from core.errors import Unavailable
from core.messages import Usage
from core.ports import Piece
from core.telemetry import SILENT, Telemetry
from gateway.pipeline.characters import WholeCharacters, whole
from gateway.pipeline.reach import Patience, Reach
from gateway.pipeline.state import Emit, TurnState, Written
from gateway.pipeline.thinking import Thinking
from gateway.pipeline.turns import unanswered

CHARACTERS_A_TOKEN = 16
"""No tokenizer's tokens are longer on average; past this a server ignores its limit."""


class Streaming:
    """`transport.streaming`: asks the candidates, and streams whoever answers."""

    def __init__(
        self,
        patience: Patience,
        telemetry: Telemetry = SILENT,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._patience = patience
        self._telemetry = telemetry
        self._jitter = jitter

    async def run(self, state: TurnState) -> TurnState:
        """Add what a model wrote, or the turn that has no reply."""
        prompt = state.prompt
        if prompt is None:
            raise RuntimeError("nothing has assembled a prompt")
        reach = Reach(state.candidates, prompt, self._patience, self._jitter, self._telemetry)
        reply = _Reply(state.emit, prompt.max_tokens)
        try:
            async for piece in state.over(reach.pieces()):
                reply.add(piece)
        except Unavailable:
            reach.broke_off()
            return replace(state, turn=unanswered(state, "model_unavailable"))
        model = reach.model
        if model is not None and reply.usage is not None:
            model.measure.learn(prompt, reply.usage.prompt_tokens)
        written = reply.written(model.transport.model if model else "")
        return replace(state, written=replace(written, asked=model.name if model else None))


@dataclass(slots=True)
class _Reply:
    """A reply as far as it has come."""

    emit: Emit
    max_tokens: int
    said: list[str] = field(default_factory=list)
    thought: list[str] = field(default_factory=list)
    length: int = 0
    usage: Usage | None = None
    characters: WholeCharacters = field(default_factory=WholeCharacters)
    thinking: Thinking = field(default_factory=Thinking)

    def add(self, piece: Piece) -> None:
        """Add a piece; raises `Unavailable` where there is no end to them."""
        self.usage = piece.usage or self.usage
        self.length += len(piece.text) + len(piece.reasoning)
        if self.length > CHARACTERS_A_TOKEN * self.max_tokens:
            raise Unavailable("the model wrote more than it was asked to")
        said, thought = self.thinking.feed(self.characters.feed(piece.text))
        self.thought += (piece.reasoning, thought)
        if said:
            self.said.append(said)
            self.emit(said)

    def written(self, model: str) -> Written:
        """The whole of it."""
        said, thought = self.thinking.feed(self.characters.end())
        held, meant = self.thinking.end()
        reply = "".join((*self.said, said, held)).strip()
        reasoning = whole("".join((*self.thought, thought, meant))).strip()
        return Written(reply, model, self.usage, reasoning or None)
