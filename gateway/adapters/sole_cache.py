"""The cache of a gateway that must be the only one, for as long as it is.

It refuses claims with `Unavailable` while another gateway may take the same, and forgets what it
knew of the time before when it is alone again: the other may have taken calls of that time.
"""

from __future__ import annotations

from collections.abc import Callable

from core.errors import Unavailable
from core.ports import Clock
from gateway.adapters.memory_cache import MemoryCache


class SoleCache(MemoryCache):
    """A `MemoryCache`; `sole` says since when it is the only one, None where it may not be."""

    def __init__(self, *, clock: Clock, sole: Callable[[], float | None]) -> None:
        super().__init__(clock=clock)
        self._sole = sole

    @property
    def since(self) -> float:
        """Unix seconds from which on the cache has forgotten nothing."""
        return max(super().since, self._sole() or 0.0)

    async def claim(self, key: str, ttl_s: float) -> bool:
        """Take `key` for `ttl_s` seconds; False when somebody holds it."""
        if self._sole() is None:
            raise Unavailable("another gateway may be using the same database")
        return await super().claim(key, ttl_s)
