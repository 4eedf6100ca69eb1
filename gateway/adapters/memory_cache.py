"""The cache of a gateway of one process, under the same congruence suite as Redis.

It forgets nothing before its time, and refuses with `Unavailable` rather than forget when it is
full. It lives in one event loop, starts no thread and imports the standard library and `core` only.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from core.errors import Unavailable
from core.ports import Clock

EXPIRED_DROPPED_PER_CALL = 16
"""Dropping a few at every call keeps the cache small without a pause when many expire at once."""


@dataclass(slots=True)
class _Entry:
    value: str
    expires: float
    count: int = 0


class MemoryCache:
    """A `Cache` of at most `capacity` live keys; full, it fails closed."""

    def __init__(self, *, clock: Clock, capacity: int = 500_000) -> None:
        self._clock = clock
        self._capacity = capacity
        self._since = clock()
        self._entries: dict[tuple[str, str], _Entry] = {}
        self._expiries: list[tuple[float, tuple[str, str]]] = []

    @property
    def since(self) -> float:
        """Unix seconds from which on the cache has forgotten nothing."""
        return self._since

    def __len__(self) -> int:
        return len(self._entries)

    async def claim(self, key: str, ttl_s: float) -> bool:
        """Take `key` for `ttl_s` seconds; False when somebody holds it."""
        if self._live("claim", key) is not None:
            return False
        self._insert("claim", key, _Entry("", self._clock() + ttl_s))
        return True

    async def release(self, key: str) -> None:
        """Give `key` back."""
        self._entries.pop(("claim", key), None)

    async def count(self, key: str, window_s: float) -> tuple[int, float]:
        """Count one event of `key`; how many in this window, and seconds until it ends."""
        entry = self._live("count", key)
        if entry is None:
            entry = _Entry("", self._clock() + window_s)
            self._insert("count", key, entry)
        entry.count += 1
        return entry.count, entry.expires - self._clock()

    async def put(self, key: str, value: str, ttl_s: float) -> None:
        """Keep a value for `ttl_s` seconds."""
        self._insert("value", key, _Entry(value, self._clock() + ttl_s))

    async def get(self, key: str) -> str | None:
        """The value, or None when it is gone."""
        entry = self._live("value", key)
        return None if entry is None else entry.value

    def _live(self, kind: str, key: str) -> _Entry | None:
        entry = self._entries.get((kind, key))
        return entry if entry is not None and entry.expires > self._clock() else None

    def _insert(self, kind: str, key: str, entry: _Entry) -> None:
        name = (kind, key)
        self._drop_expired()
        if name not in self._entries and len(self._entries) >= self._capacity:
            raise Unavailable(f"the cache is full: {self._capacity} keys are live")
        self._entries[name] = entry
        heapq.heappush(self._expiries, (entry.expires, name))
        if len(self._expiries) > 2 * len(self._entries) + 1024:
            # Keys that were released or put again leave their old expiry behind.
            self._expiries = [(entry.expires, name) for name, entry in self._entries.items()]
            heapq.heapify(self._expiries)

    def _drop_expired(self) -> None:
        now = self._clock()
        for _ in range(EXPIRED_DROPPED_PER_CALL):
            if not self._expiries or self._expiries[0][0] > now:
                return
            _, name = heapq.heappop(self._expiries)
            entry = self._entries.get(name)
            if entry is not None and entry.expires <= now:
                del self._entries[name]
