"""Deadlines over a stream: for its first piece, between two pieces, and for the whole.

A stream that is late or fails ends in `Unavailable`; its source is closed either way.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from core.errors import Unavailable
from core.ports import Piece


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds until the first piece, between pieces, and for the whole stream."""

    first_s: float
    between_s: float
    total_s: float


async def hurry(pieces: AsyncIterator[Piece], deadlines: Deadlines) -> AsyncIterator[Piece]:
    """The pieces, as long as they come in time; raises `Unavailable` when they do not."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + deadlines.total_s
    wait_s = deadlines.first_s
    try:
        while True:
            due = min(loop.time() + wait_s, ends)
            try:
                async with asyncio.timeout_at(due):
                    piece = await anext(pieces)
            except StopAsyncIteration:
                return
            except TimeoutError as exc:
                raise Unavailable("the model did not answer in time") from exc
            yield piece
            wait_s = deadlines.between_s
    finally:
        close = getattr(pieces, "aclose", None)
        if close is not None:
            await close()
