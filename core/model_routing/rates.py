"""How often turns may ask models: the port, and what counts for one process.

Decides nothing that `windows` does not: who has to wait is counted there. Adapters decide where it
is counted, and by whose clock.
"""

from __future__ import annotations

from typing import Protocol

from core.model_routing.windows import Limited, Windows
from core.ports import Clock


class Rates(Protocol):
    """Counts the turns of the last minute. Every call may raise `Unavailable`."""

    async def take(self, subject: str, limit: int) -> Limited | None:
        """Count a turn of this subject, who may have `limit` a minute, 0 for no limit; one that
        has to wait is not counted."""

    async def look(self, subject: str, limit: int) -> Limited | None:
        """Whether this subject would have to wait now; counts nothing."""


class ProcessRates:
    """A `Rates` for this process alone; `limit` is everybody's turns a minute together."""

    def __init__(self, limit: int, clock: Clock) -> None:
        self._windows = Windows(limit)
        self._clock = clock

    async def take(self, subject: str, limit: int) -> Limited | None:
        """Count a turn of this subject; one that has to wait is not counted."""
        return self._windows.take(subject, limit, self._clock())

    async def look(self, subject: str, limit: int) -> Limited | None:
        """Whether this subject would have to wait now; counts nothing."""
        return self._windows.look(subject, limit, self._clock())
