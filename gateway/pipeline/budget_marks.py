"""Marks: what operators tell callers apart by, near their limits, and cannot name them by.

A mark is an HMAC of the account's name. Its key is random, made for one period when it is first
wanted, and lives in the cache, so that all processes mark alike; whoever knows a visitor's subject
cannot work out the mark without it. A cache that is away, or none, leaves each process to a key of
its own; a cache that forgot gives new marks.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from core.errors import Unavailable
from core.model_routing.spend import KEPT_S, Period
from core.ports import Cache, Random

MARK_LETTERS: Final = 8
KEY_BYTES: Final = 32


class Marks:
    """Makes the keys from `random`, and keeps them in `cache`."""

    def __init__(self, cache: Cache | None, random: Random) -> None:
        self._cache = cache
        self._random = random
        self._own: dict[tuple[Period, float], bytes] = {}

    async def key(self, period: Period, began: float) -> bytes:
        """The key of all marks of the period that began then (Unix seconds)."""
        if self._cache is not None:
            try:
                return await _shared(self._cache, period, began, self._random)
            except Unavailable:
                pass  # who reads the figures now is not kept waiting for the names in them
        which = period, began
        if which not in self._own:
            self._own = {one: key for one, key in self._own.items() if one[0] != period}
            self._own[which] = self._random(KEY_BYTES)
        return self._own[which]


def mark_of(key: bytes, account: str) -> str:
    """8 hex digits of HMAC-SHA-256 (RFC 2104) for an account, by its `Account.name`."""
    return hmac.digest(key, account.encode(), hashlib.sha256).hex()[:MARK_LETTERS]


async def _shared(cache: Cache, period: Period, began: float, random: Random) -> bytes:
    name = f"budget-marks:{period}:{began:.0f}"
    found = await cache.get(name)
    if found is None:
        made = random(KEY_BYTES).hex()
        await cache.put(name, made, KEPT_S[period])
        found = await cache.get(name) or made  # of two who made one, the later one's holds
    return bytes.fromhex(found)
