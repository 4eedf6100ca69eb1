"""How many calls run, how many wait, and when one is turned away.

Decides from counts alone. Who waits is served in order; who is turned away is told after how long a
place may be free, by what calls have taken lately.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from models.server.problems import busy

_FIRST_GUESS_S: Final = 2.0
_WEIGHT: Final = 0.2
"""Of the newest call in the moving average."""

LONGEST_RETRY_S: Final = 60.0


class Admission:
    """Places for calls: `at_once` run, `queue` wait."""

    def __init__(self, at_once: int, queue: int, clock: Callable[[], float]) -> None:
        self._at_once = at_once
        self._queue = queue
        self._clock = clock
        self._free = asyncio.Semaphore(at_once)
        self._took_s = _FIRST_GUESS_S
        self.waiting = 0
        self.running = 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place, waited for. Raises `Refusal` (429) where too many wait."""
        if self._free.locked() and self.waiting >= self._queue:
            raise busy(self.waiting, self._retry_s())
        self.waiting += 1
        try:
            await self._free.acquire()
        finally:
            self.waiting -= 1
        self.running += 1
        began = self._clock()
        try:
            yield
        finally:
            self.running -= 1
            self._took_s += _WEIGHT * (self._clock() - began - self._took_s)
            self._free.release()

    def _retry_s(self) -> float:
        return min(LONGEST_RETRY_S, self._took_s * (self.waiting + 1) / self._at_once)
