"""Deadlines over a stream: for its first piece, between two pieces, and for the whole.

A stream that is late or fails ends in `Unavailable`; its source is closed either way.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

from core.errors import Unavailable
from core.ports import Piece


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds until the first piece, between pieces, and for the whole stream."""

    first_s: float
    between_s: float
    total_s: float


class Hurry:
    """The deadlines of one turn, which can be cut short while it runs."""

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._loop = asyncio.get_running_loop()
        self._ends = self._loop.time() + deadlines.total_s
        self._waiting: asyncio.Timeout | None = None

    def cut(self, in_s: float) -> None:
        """End in `in_s` seconds at the latest: the process is stopping."""
        self._ends = min(self._ends, self._loop.time() + in_s)
        if self._waiting is not None:
            due = self._waiting.when()
            self._waiting.reschedule(self._ends if due is None else min(due, self._ends))

    async def over(self, pieces: AsyncIterator[Piece]) -> AsyncGenerator[Piece, None]:
        """The pieces, as long as they come in time; raises `Unavailable` when they do not."""
        wait_s = self._deadlines.first_s
        try:
            while True:
                try:
                    piece = await self._next(pieces, wait_s)
                except StopAsyncIteration:
                    return
                yield piece
                wait_s = self._deadlines.between_s
        finally:
            close = getattr(pieces, "aclose", None)
            if close is not None:
                await close()

    async def _next(self, pieces: AsyncIterator[Piece], wait_s: float) -> Piece:
        due = min(self._loop.time() + wait_s, self._ends)
        try:
            async with asyncio.timeout_at(due) as self._waiting:
                return await anext(pieces)
        except TimeoutError as exc:
            raise Unavailable("the model did not answer in time") from exc
        finally:
            self._waiting = None
