"""One reply, from a place in the queue to its last token.

The first piece is waited for before anything is sent, so that what is wrong with a request is an
answer with its status, never half a stream. Whatever ends a reply (its end, an error, a caller who
hangs up, or reads too slowly) also ends the engine's work, and gives the place to the next.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import Any, Final, Literal

from starlette.requests import ClientDisconnect, Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from models.engines.kept import KeptModel
from models.engines.protocol import Call, Engine, Piece
from models.errors import EngineFailed, ModelError, TooLate
from models.server.admission import Admission
from models.server.metrics import Figures
from models.server.problems import Refusal, refusal_of
from models.server.replies import Heading, used

_LOG: Final = logging.getLogger("fanlight.models")
_GRACE_S: Final = 1.0
"""So long a caller may go on reading what the engine has ended."""

type Status = Literal["ok", "refused", "failed", "cut"]


@dataclass(frozen=True, slots=True)
class House:
    """What every reply needs of its server; `ticks` are seconds of a clock that never jumps.

    Each model has places of its own: who waits for one that is loaded holds nobody else up.
    """

    admissions: Mapping[str, Admission]
    figures: Figures
    ticks: Callable[[], float]


async def begin(house: House, kept: KeptModel, call: Call) -> Begun:
    """Wait for a place, the model and the first piece. Raises `Refusal` or `ModelError`."""
    asked_at = house.ticks()
    async with AsyncExitStack() as holding:
        try:
            engine = await _engine(house, kept, holding, call.timeout_s)
            pieces = await holding.enter_async_context(aclosing(engine.generate(call)))
            first = await anext(pieces, None)
        except (Refusal, ModelError, asyncio.CancelledError) as error:
            refused = not isinstance(error, asyncio.CancelledError)
            status: Status = "refused" if refused else "cut"
            house.figures.requests.labels(kept.model.id, status).inc()
            raise
        if first is None:
            raise EngineFailed("The model said nothing at all.")
        house.figures.first_token.labels(kept.model.id).observe(house.ticks() - asked_at)
        due_s = call.timeout_s + _GRACE_S
        return Begun(house, kept.model.id, first, pieces, holding.pop_all(), due_s=due_s)


async def warmed(kept: KeptModel, timeout_s: float) -> None:
    """Have a model loaded. Raises `TooLate` or what loading raises."""
    try:
        async with asyncio.timeout(timeout_s), kept.used():
            pass
    except TimeoutError as error:
        raise TooLate(f"The model was not loaded within {timeout_s:g} s.") from error


async def _engine(
    house: House, kept: KeptModel, holding: AsyncExitStack, timeout_s: float
) -> Engine:
    """The engine, with a place in it. Raises `TooLate` where that takes too long."""
    try:
        async with asyncio.timeout(timeout_s):
            await holding.enter_async_context(house.admissions[kept.model.id].place())
            return await holding.enter_async_context(kept.used())
    except TimeoutError as error:
        raise TooLate(f"There was no place, or no model, within {timeout_s:g} s.") from error


class Begun:
    """A reply whose first piece is here. It must be closed, by `whole`, its stream, or `close`."""

    def __init__(
        self,
        house: House,
        name: str,
        first: Piece,
        rest: AsyncGenerator[Piece],
        held: AsyncExitStack,
        *,
        due_s: float,
    ) -> None:
        self._house = house
        self._name = name
        self._first = first
        self._rest = rest
        self._held: AsyncExitStack | None = held
        self._first_at = house.ticks()
        self.due_s = due_s

    async def whole(self, heading: Heading) -> dict[str, object]:
        """The reply at once. Raises `ModelError`."""
        status: Status = "failed"
        try:
            pieces = [piece async for piece in self._pieces()]
            self._count(pieces)
            status = "ok"
            return heading.whole(pieces)
        except asyncio.CancelledError:
            status = "cut"
            raise
        finally:
            await self.close(status)

    def streamed(self, heading: Heading, *, usage_wanted: bool) -> StreamingResponse:
        """The reply as it comes."""
        return _Stream(self, self._events(heading, usage_wanted=usage_wanted))

    async def close(self, status: Status) -> None:
        """End the work and give the place back; only the first call counts."""
        held, self._held = self._held, None
        if held is not None:
            self._house.figures.requests.labels(self._name, status).inc()
            await held.aclose()

    async def _pieces(self) -> AsyncIterator[Piece]:
        yield self._first
        async for piece in self._rest:
            yield piece

    async def _events(self, heading: Heading, *, usage_wanted: bool) -> AsyncIterator[bytes]:
        pieces: list[Piece] = []
        said = 0
        status: Status = "cut"
        try:
            async for piece in self._pieces():
                if piece.text or piece.logprobs or piece.finish:
                    first = not pieces
                    yield _event(
                        heading.chunk(piece, usage_wanted=usage_wanted, at=said, first=first)
                    )
                    said += len(piece.text)
                pieces.append(piece)
            self._count(pieces)
            if usage_wanted:
                yield _event(heading.last(used(pieces)))
            status = "ok"
            yield b"data: [DONE]\n\n"
        except ModelError as error:
            # The status line is sent. What remains is to say it within the stream, and not to end
            # that as a whole reply ends.
            status = "failed"
            yield _event(refusal_of(error).document())
        finally:
            await self.close(status)

    def _count(self, pieces: list[Piece]) -> None:
        figures, usage = self._house.figures, used(pieces)
        figures.tokens.labels(self._name, "prompt").inc(usage.prompt)
        figures.tokens.labels(self._name, "completion").inc(usage.completion)
        took_s = self._house.ticks() - self._first_at
        if usage.completion > 1 and took_s > 0:
            figures.rate.labels(self._name).observe((usage.completion - 1) / took_s)


class _Stream(StreamingResponse):
    """Ends the reply also where its first byte is never asked for."""

    def __init__(self, reply: Begun, events: AsyncIterator[bytes]) -> None:
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        super().__init__(events, headers=headers, media_type="text/event-stream")
        self._reply = reply

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The engine's own deadline ends what it writes; this one ends who does not read it.
        try:
            async with asyncio.timeout(self._reply.due_s):
                await super().__call__(scope, receive, send)
        except TimeoutError:
            _LOG.warning("A reply was cut off: its caller did not read it.")
        finally:
            await self._reply.close("cut")


async def gone_before[T](request: Request, work: Coroutine[Any, Any, T]) -> T:
    """What `work` gives; it is cancelled when the caller hangs up before."""
    doing = asyncio.create_task(work)
    listening = asyncio.create_task(_hung_up(request))
    try:
        await asyncio.wait({doing, listening}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise ClientDisconnect
        return doing.result()
    finally:
        for task in (doing, listening):
            task.cancel()
        await asyncio.gather(doing, listening, return_exceptions=True)


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _event(value: dict[str, object]) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"
