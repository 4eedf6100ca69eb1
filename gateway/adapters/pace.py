"""How fast one channel of a target is written to: one message in so many seconds.

It decides when the next message may go, and refuses nothing: whoever asks too early is told when.
A gateway of several processes keeps one pace in its cache; while that is down, one in each process.
"""

from __future__ import annotations

from contextlib import suppress

from core.errors import Unavailable
from core.ports import Cache


class Pace:
    """The pace of one channel, which `key` names in the cache; not for several threads."""

    def __init__(self, seconds: float, key: str = "", cache: Cache | None = None) -> None:
        self._seconds = seconds
        self._key = key
        self._cache = cache
        self._free_at = 0.0

    def ready_at(self, now: float) -> float:
        """When the next message may go: `now` where it may at once."""
        return max(now, self._free_at)

    async def take(self, now: float) -> float:
        """Let a message go now: 0; or the seconds to wait, where another process's went."""
        self.rest(now + self._seconds)
        if self._cache is None:
            return 0.0
        number, left = 1, self._seconds
        with suppress(Unavailable):
            number, left = await self._cache.count(self._key, self._seconds)
        if number == 1:
            return 0.0
        self.rest(now + left)
        return left

    def rest(self, until: float) -> None:
        """Let nothing through before then."""
        self._free_at = max(self._free_at, until)
