"""The way to a model's reply: one after another is asked, until one begins to answer.

Before the first token a failure costs the visitor only time, so the next model is asked, and once
all have failed those that may do better are asked again after a pause with jitter, or the pause
that they asked for. After the first token nothing is repeated: the visitor has read it. All of it
together stays within the deadline for the first token. A rival may be started beside a model that
takes long; whoever begins first answers, and the other is left.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from core.errors import Declined, Unavailable
from core.ports import Piece, Prompt
from core.telemetry import MODEL_CALLS, MODEL_RESTS, SILENT, Telemetry
from gateway.pipeline.models import Model

Outcome = Literal["answered", "failed", "late", "declined", "left", "broke_off"]

PAUSE_S = 0.2
"""Before models are asked again; doubled each time, and stretched or shrunk by half at random."""

MARGIN_S = 0.05
"""The last model's time ends so much before the turn's own, so that it is known who was late."""

_NEVER: Final = float("inf")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the first token may take in all, and what is done for it meanwhile.

    `rounds` is how often each model is asked at most; after `hedge_after_s` seconds without a word
    the next one is asked beside it, where that is not 0.
    """

    first_s: float
    rounds: int = 2
    hedge_after_s: float = 0.0


@dataclass(slots=True)
class _Asked:
    """A model that has been asked: its stream, and how long it may take to begin."""

    model: Model
    pieces: AsyncIterator[Piece]
    until: float
    since: float

    async def first(self, telemetry: Telemetry) -> Piece:
        """Its first piece; an empty one where it says nothing at all."""
        # The request is sent here, so that its server is told of this span.
        with telemetry.span("ask", model=self.model.name):
            return await anext(self.pieces, None) or Piece()

    async def close(self) -> None:
        """Close its stream."""
        close = getattr(self.pieces, "aclose", None)
        if close is not None:
            await close()


type _Running = dict[asyncio.Task[Piece], _Asked]


class Reach:
    """One turn's way to a reply. `model` is who answers, once somebody does."""

    def __init__(
        self,
        models: Sequence[Model],
        prompt: Prompt,
        patience: Patience,
        jitter: Callable[[], float],
        telemetry: Telemetry = SILENT,
    ) -> None:
        self._models = tuple(models)
        self._prompt = prompt
        self._patience = patience
        self._jitter = jitter
        self._telemetry = telemetry
        self._now = asyncio.get_running_loop().time
        self._ends = self._now() + patience.first_s - MARGIN_S
        self._queue = deque(self._models)
        self._round = 1
        self._not_before: dict[str, float] = {}
        self._error = Unavailable("no model may be asked now")
        self.model: Model | None = None

    async def pieces(self) -> AsyncIterator[Piece]:
        """The reply's pieces; raises `Unavailable` when there is none, or it breaks off."""
        asked, first = await self._first()
        self.model = asked.model
        try:
            yield first
            async for piece in asked.pieces:
                yield piece
        finally:
            await asked.close()
        self._tell(asked.model, "answered")

    def broke_off(self) -> None:
        """The reply came to no end in its time, or was none; nobody else is asked any more."""
        if self.model is not None:
            self._tell(self.model, "broke_off")

    def enough(self) -> None:
        """The reply is read no further, which is no fault of whoever serves the model."""
        if self.model is not None:
            self._tell(self.model, "answered")

    async def _first(self) -> tuple[_Asked, Piece]:
        """Ask until somebody begins."""
        running: _Running = {}
        try:
            while True:
                if not running:
                    self._ask(await self._next(), running)
                timeout = max(0.0, self._due(running) - self._now())
                done, _ = await asyncio.wait(
                    running, timeout=timeout, return_when=asyncio.FIRST_COMPLETED
                )
                for each in done:
                    asked = running.pop(each)
                    piece = self._result(each, asked)
                    if piece is not None:
                        return asked, piece
                if not done:
                    await self._lose_patience(running)
        finally:
            for task, asked in running.items():
                await _left(task, asked)
                self._tell(asked.model, "left")

    async def _next(self) -> Model:
        """Who is asked next; raises the last failure where nobody is left."""
        while True:
            model = self._following()
            if model is not None:
                return model
            waiting = [model for model in self._models if self._worth(model)]
            if self._round >= self._patience.rounds or not await self._pause(waiting):
                raise self._error
            self._round += 1
            self._queue.extend(waiting)

    def _following(self) -> Model | None:
        """The next of this round that may be asked now."""
        while self._queue:
            model = self._queue.popleft()
            if model.breaker.allows():
                return model
        return None

    def _worth(self, model: Model) -> bool:
        """Whether it may do better than before, in this turn's time."""
        return self._not_before.get(model.name, 0.0) < self._ends

    async def _pause(self, waiting: Sequence[Model]) -> bool:
        """Wait until one of them may be asked again; False where that is too late."""
        pause_s = PAUSE_S * 2 ** (self._round - 1) * (0.5 + self._jitter())
        earliest = min((self._not_before.get(model.name, 0.0) for model in waiting), default=_NEVER)
        until = max(self._now() + pause_s, earliest)
        if until >= self._ends:
            return False
        await asyncio.sleep(until - self._now())
        return True

    def _ask(self, model: Model, running: _Running) -> None:
        now = self._now()
        # Whoever is not the last of the round leaves time for the next.
        until = (now + self._ends) / 2 if self._queue else self._ends
        asked = _Asked(model, model.transport.stream(self._prompt), until, now)
        running[asyncio.ensure_future(asked.first(self._telemetry))] = asked

    def _due(self, running: _Running) -> float:
        """When something has to be done where nobody begins."""
        due = min(asked.until for asked in running.values())
        return min(due, self._hedged_at(running))

    def _hedged_at(self, running: _Running) -> float:
        """When a rival is started beside the one who is asked."""
        if not self._patience.hedge_after_s or not self._queue or len(running) != 1:
            return _NEVER
        [asked] = running.values()
        return asked.since + self._patience.hedge_after_s

    async def _lose_patience(self, running: _Running) -> None:
        """Start a rival where it is time for that, and leave whoever has taken too long."""
        now = self._now()
        if self._hedged_at(running) <= now:
            rival = self._following()
            if rival is not None:
                self._ask(rival, running)
        for task, asked in list(running.items()):
            if asked.until <= now:
                del running[task]
                await _left(task, asked)
                self._error = Unavailable("the model did not answer in time")
                self._not_before[asked.model.name] = _NEVER
                self._tell(asked.model, "late")

    def _result(self, task: asyncio.Task[Piece], asked: _Asked) -> Piece | None:
        """Its first piece; None where it failed, which is noted for this turn and the next."""
        try:
            return task.result()
        except Unavailable as error:
            self._error = error
        name = asked.model.name
        if not self._error.again:
            self._not_before[name] = _NEVER
        elif self._error.after_s is not None:
            self._not_before[name] = self._now() + self._error.after_s
        declined = isinstance(self._error, Declined)
        self._tell(asked.model, "declined" if declined else "failed")
        return None

    def _tell(self, model: Model, outcome: Outcome) -> None:
        """Tell the breaker and whoever watches; to be left, or to decline, is no failure."""
        if outcome == "answered":
            model.breaker.succeeded()
        elif outcome in ("failed", "late", "broke_off"):
            model.breaker.failed()
        self._telemetry.count(MODEL_CALLS, model=model.name, outcome=outcome)
        self._telemetry.hold(MODEL_RESTS, float(model.breaker.state != "closed"), model=model.name)


async def _left(task: asyncio.Task[Piece], asked: _Asked) -> None:
    """Stop waiting for a first piece; a stream that is being read cannot be closed before."""
    task.cancel()
    # What it ended with, be it an error of ours, no longer matters: it was not this one's turn.
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()
    await asked.close()
