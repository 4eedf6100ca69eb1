"""Ended sessions in this process's memory, under the congruence suite of the store in SQL."""

from __future__ import annotations

from core.revocation import REVOCATION_KEPT_S
from core.scope import Scope


class MemoryRevocations:
    """A `RevocationStore` that forgets with the process."""

    def __init__(self) -> None:
        self._ended: dict[str | Scope, float] = {}

    async def end_session(self, sid: str, at: float) -> None:
        """End the session of this id; ending it again changes nothing."""
        self._drop(at)
        self._ended.setdefault(sid, at)

    async def end_subject(self, scope: Scope, at: float) -> None:
        """End every session of this visitor that began until `at`."""
        self._drop(at)
        self._ended[scope] = max(at, self._ended.get(scope, at))

    async def ended(self, scope: Scope, sid: str, began: float) -> bool:
        """Whether this session was ended."""
        return sid in self._ended or self.ended_since(scope, began)

    def ended_since(self, scope: Scope, began: float) -> bool:
        """Whether this visitor's sessions were ended after that moment."""
        return began <= self._ended.get(scope, -1.0)

    def _drop(self, now: float) -> None:
        old = [name for name, at in self._ended.items() if at < now - REVOCATION_KEPT_S]
        for name in old:
            del self._ended[name]
