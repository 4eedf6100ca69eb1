"""Sessions that were ended before their time: what a store keeps of them, as a port.

A session is ended by its id, or with all others of its visitor that began before. Nothing here bans
anyone: a session that is opened afterwards is another one.
"""

from __future__ import annotations

from typing import Final, Protocol

from core.scope import Scope

LONGEST_SESSION_S: Final = 12 * 3600
"""However often it is renewed, a session ends after this long."""

REVOCATION_KEPT_S: Final = LONGEST_SESSION_S + 60
"""After this long nothing is left that could have been ended."""


class RevocationStore(Protocol):
    """A part of the truth, as durable. Every call may raise `Unavailable`."""

    async def end_session(self, sid: str, at: float) -> None:
        """End the session of this id; ending it again changes nothing."""

    async def end_subject(self, scope: Scope, at: float) -> None:
        """End every session of this visitor that began until `at`."""

    async def ended(self, scope: Scope, sid: str, began: float) -> bool:
        """Whether this session was ended."""
