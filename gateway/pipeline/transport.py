"""Stage 4: a model's reply, streamed to the visitor as it comes.

Of the candidates somebody answers (`reach`), within the turn's deadlines. Models that fail, are
late or write without end leave the turn without a reply: a person is asked, and the visitor reads
no error. One that goes round in circles is let go, since nothing more will come; what it said is
scored as it is. What a model thinks before it answers is kept apart, and is not streamed. Where it
calls tools (`tools.rounds`) they are run, and it is asked again, first of all models; what it said
beside its calls is a part of the reply, since the visitor has read it. Each time what the call may
cost is held first (`affording`): where that is refused the reply ends with what was said so far.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from core.confidence.repetition import goes_round
from core.errors import Unavailable
from core.messages import Usage
from core.model_routing.spend import TopUps
from core.ports import Piece, Prompt, ToolCall
from core.telemetry import SILENT, Telemetry
from gateway.pipeline.affording import affordable
from gateway.pipeline.characters import WholeCharacters, whole
from gateway.pipeline.models import Model
from gateway.pipeline.reach import Patience, Reach
from gateway.pipeline.state import Emit, TurnState, Written
from gateway.pipeline.thinking import Thinking
from gateway.pipeline.tools.rounds import Rounds, rounds_of
from gateway.pipeline.tools.tool import NeedsPerson
from gateway.pipeline.tools.toolbox import Toolbox
from gateway.pipeline.turns import unanswered

CHARACTERS_A_TOKEN = 16
"""No tokenizer's tokens are longer on average; past this a server ignores its limit."""

LOOK_EVERY = 120
"""Characters after which it is looked at again whether a reply goes round in circles."""

UNFINISHED = "tools_unfinished"
"""Why a person is asked where a model came to no answer: it calls tools, or one took too long."""
ASKS = "tool_needs_person"
"""Why a person is asked where a tool would do more than read."""


class Streaming:
    """`transport.streaming`: asks the candidates, and streams whoever answers."""

    def __init__(
        self,
        patience: Patience,
        telemetry: Telemetry = SILENT,
        jitter: Callable[[], float] = random.random,
        tools: Toolbox | None = None,
        purse: TopUps | None = None,
    ) -> None:
        self._patience = patience
        self._telemetry = telemetry
        self._jitter = jitter
        self._tools = tools or Toolbox()
        self._purse = purse

    async def run(self, state: TurnState) -> TurnState:
        """Add what a model wrote, or the turn that has no reply."""
        if state.prompt is None:
            raise RuntimeError("nothing has assembled a prompt")
        rounds = rounds_of(state, state.prompt, self._tools)
        replies: list[_Reply] = []
        candidates, model = state.candidates, None
        while True:
            paid = await affordable(self._purse, state, rounds.prompt, candidates)
            if paid.reason and not replies and rounds.tools:
                # What tools there are makes a prompt longer: it may be short enough without them.
                rounds = rounds_of(state, state.prompt, Toolbox())
                paid = await affordable(self._purse, state, rounds.prompt, candidates)
            if paid.reason:
                return _as_far(state, rounds, replies, model, paid.reason)
            reply = _Reply(_after(replies, state.emit), rounds.prompt.max_tokens)
            model = await self._read(state, paid.models, rounds.prompt, reply)
            if model is None:
                return _without(state, rounds, "model_unavailable")
            replies.append(reply.ended())
            if not reply.calls or (reply.text and not rounds.may_call):
                written = _written(replies, model)
                return replace(rounds.told(state), written=written)
            if not rounds.may_call:
                return _without(state, rounds, UNFINISHED)
            why = await _called(state, rounds, reply)
            if why:
                return _without(state, rounds, why)
            candidates = (model, *(each for each in state.candidates if each is not model))

    async def _read(
        self, state: TurnState, candidates: Sequence[Model], prompt: Prompt, reply: _Reply
    ) -> Model | None:
        """Who answered, once the reply is whole; None where nobody did."""
        reach = Reach(candidates, prompt, self._patience, self._jitter, self._telemetry)
        call = state.bill.call(prompt)
        try:
            async with aclosing(state.over(reach.pieces())) as pieces:
                async for piece in pieces:
                    call.hear(reach.model, piece)
                    reply.add(piece)
                    if reply.goes_round():
                        reach.enough()
                        break
        except Unavailable:
            reach.broke_off()
            return None
        if reach.model is not None and reply.usage is not None:
            reach.model.measure.learn(prompt, reply.usage.prompt_tokens)
        return reach.model


async def _called(state: TurnState, rounds: Rounds, reply: _Reply) -> str | None:
    """Run what a reply calls, within the turn's time; why that ends the turn, where it does."""
    try:
        async for _ in state.over(rounds.answering(reply.text, reply.calls)):
            pass
    except Unavailable:
        return UNFINISHED
    except NeedsPerson:
        return ASKS
    return None


def _without(state: TurnState, rounds: Rounds, reason: str) -> TurnState:
    told = rounds.told(state)
    return replace(told, turn=unanswered(told, reason))


def _as_far(
    state: TurnState,
    rounds: Rounds,
    replies: Sequence[_Reply],
    model: Model | None,
    reason: str,
) -> TurnState:
    """The state with the answer as far as it came; without any it has no reply."""
    if model is None or not any(reply.text for reply in replies):
        return _without(state, rounds, reason)
    return replace(rounds.told(state), written=_written(replies, model))


def _after(replies: Sequence[_Reply], emit: Emit) -> Emit:
    """What a model says after its calls begins a paragraph of its own."""
    if not any(reply.text for reply in replies):
        return emit
    begun = False

    def later(text: str) -> None:
        nonlocal begun
        emit(text if begun else f"\n\n{text}")
        begun = True

    return later


@dataclass(slots=True)
class _Reply:
    """A reply as far as it has come; `text` and `thoughts` once it has ended."""

    emit: Emit
    max_tokens: int
    said: list[str] = field(default_factory=list)
    thought: list[str] = field(default_factory=list)
    length: int = 0
    usage: Usage | None = None
    logprobs: list[float] = field(default_factory=list)
    calls: tuple[ToolCall, ...] = ()
    text: str = ""
    thoughts: str = ""
    looked: int = 0
    characters: WholeCharacters = field(default_factory=WholeCharacters)
    thinking: Thinking = field(default_factory=Thinking)

    def add(self, piece: Piece) -> None:
        """Add a piece; raises `Unavailable` where there is no end to them."""
        self.usage = piece.usage or self.usage
        self.calls = piece.calls or self.calls
        self.length += len(piece.text) + len(piece.reasoning)
        if self.length > CHARACTERS_A_TOKEN * self.max_tokens:
            raise Unavailable("the model wrote more than it was asked to")
        said, thought = self.thinking.feed(self.characters.feed(piece.text))
        self.thought += (piece.reasoning, thought)
        if said:
            self.said.append(said)
            # Those of thoughts say nothing of the answer.
            self.logprobs += piece.logprobs
            self.emit(said)

    def goes_round(self) -> bool:
        """Whether nothing more is to be hoped for; looked at now and then, as it grows."""
        if self.length - self.looked < LOOK_EVERY:
            return False
        self.looked = self.length
        return goes_round("".join(self.said))

    def ended(self) -> _Reply:
        """The whole of it."""
        said, thought = self.thinking.feed(self.characters.end())
        held, meant = self.thinking.end()
        self.text = "".join((*self.said, said, held)).strip()
        self.thoughts = whole("".join((*self.thought, thought, meant))).strip()
        return self


def _written(replies: Sequence[_Reply], model: Model) -> Written:
    """What was written in all: the rounds' texts, and what they took together."""
    logprobs = [each for reply in replies for each in reply.logprobs]
    usages = [reply.usage for reply in replies if reply.usage]
    usage = Usage(
        sum(each.prompt_tokens for each in usages), sum(each.completion_tokens for each in usages)
    )
    return Written(
        "\n\n".join(reply.text for reply in replies if reply.text),
        model.transport.model,
        usage if usages else None,
        "\n\n".join(reply.thoughts for reply in replies if reply.thoughts) or None,
        sum(logprobs) / len(logprobs) if logprobs else None,
        asked=model.name,
    )
