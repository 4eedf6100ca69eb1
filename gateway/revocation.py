"""Revocation: whether a session was ended before its time, asked at every signed call.

The truth has the answer and keeps it over a restart; what it said of a session is remembered for
`FRESH_S` seconds, so that a session's calls pay for one look in so long. An end that this process
wrote holds at once, one that another wrote within that time. When the truth does not answer nobody
is let through on what was known before: `Unavailable`.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from core.ports import Clock
from core.revocation import RevocationStore
from core.scope import Scope
from gateway import problems

FRESH_S: Final = 5.0
_REMEMBERED: Final = 16_384


class Revocations:
    """The sessions that were ended, over one truth."""

    def __init__(self, store: RevocationStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._ran_at: OrderedDict[str, float] = OrderedDict()

    async def check(self, scope: Scope, sid: str, began: float) -> None:
        """Raise `Problem` when the session was ended."""
        if await self.ended(scope, sid, began):
            raise problems.session_ended()

    async def ended(self, scope: Scope, sid: str, began: float) -> bool:
        """Whether the session was ended."""
        now = self._clock()
        if 0 <= now - self._ran_at.get(sid, -FRESH_S) < FRESH_S:
            return False
        if await self._store.ended(scope, sid, began):
            self._ran_at.pop(sid, None)
            return True
        self._ran_at[sid] = now
        self._ran_at.move_to_end(sid)
        if len(self._ran_at) > _REMEMBERED:
            self._ran_at.popitem(last=False)
        return False

    def look_again(self) -> None:
        """Forget what was known: sessions were ended whose ids nobody here knows."""
        self._ran_at.clear()

    async def end(self, sid: str) -> None:
        """End one session, for good."""
        await self._store.end_session(sid, self._clock())
        self._ran_at.pop(sid, None)
