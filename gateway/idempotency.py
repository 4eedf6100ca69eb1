"""Idempotency: a call that changes something happens once, however often it is sent.

Finished: the stored outcome again, for 24 hours. Still running: 409. Cut off by a crash: it runs
again, since the mark of a running call lives in the cache alone. Another body under the same key:
422.
"""

from __future__ import annotations

import re

from core.ports import FINISHED_KEPT_S, Cache, Clock, Finished, Truth
from core.scope import Scope
from gateway import problems

_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")


def check_key(key: str | None) -> str:
    """The key, checked; raises `Problem` when it is missing or malformed."""
    if key is None or _KEY.match(key) is None:
        raise problems.invalid(
            "idempotency-key",
            "This call needs an Idempotency-Key of 1 to 64 letters, digits, - or _.",
            "Send a new random key with each new request, and the same one when repeating it.",
        )
    return key


class Idempotency:
    """Begins and ends idempotent calls."""

    def __init__(self, truth: Truth, cache: Cache, clock: Clock, longest_s: float) -> None:
        self._truth = truth
        self._cache = cache
        self._clock = clock
        self._longest_s = longest_s

    async def begin(self, scope: Scope, key: str, body_sha256: str) -> Finished | None:
        """Begin a call: None when it is to run now, else its stored outcome. Raises `Problem`.

        After None the caller must `end` it.
        """
        if not await self._cache.claim(_mark(scope, key), self._longest_s):
            raise problems.in_progress()
        runs = False
        try:
            stored = await self._truth.finished(scope, key, self._clock() - FINISHED_KEPT_S)
            runs = stored is None
        finally:
            if not runs:
                await self.end(scope, key)
        if stored is not None and stored.body_sha256 != body_sha256:
            raise problems.key_reused()
        return stored

    async def end(self, scope: Scope, key: str) -> None:
        """The call has finished, one way or the other."""
        await self._cache.release(_mark(scope, key))


def _mark(scope: Scope, key: str) -> str:
    return f"running:{scope.site}:{scope.subject}:{key}"
