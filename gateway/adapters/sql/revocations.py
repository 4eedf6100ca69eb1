"""Ended sessions in SQL, over the truth's own connections.

Every function runs inside a transaction of its caller; a driver's error leaves it as it is.
`SqlRevocations` is the port over them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from core.revocation import REVOCATION_KEPT_S
from core.scope import Scope
from gateway.adapters.sql import tables
from gateway.adapters.sql.knowledge import Run

_sessions = tables.ended_sessions.c
_subjects = tables.ended_subjects.c

SESSION = select(_sessions.at).where(_sessions.sid == bindparam("of_sid"))
SUBJECT = select(_subjects.at).where(
    _subjects.site == bindparam("of_site"), _subjects.subject == bindparam("of_subject")
)
FORGET_SUBJECT = delete(tables.ended_subjects).where(
    _subjects.site == bindparam("of_site"), _subjects.subject == bindparam("of_subject")
)
DROP = tuple(
    delete(table).where(table.c.at < bindparam("before"))
    for table in (tables.ended_sessions, tables.ended_subjects)
)


class SqlRevocations:
    """A `RevocationStore` over the truth's reads and writes; `glance` reads rows by their keys."""

    def __init__(self, glance: Run, write: Run) -> None:
        self._glance = glance
        self._write = write

    async def end_session(self, sid: str, at: float) -> None:
        """End the session of this id; ending it again changes nothing."""
        await self._write(lambda connection: _end_session(connection, sid, at))

    async def end_subject(self, scope: Scope, at: float) -> None:
        """End every session of this visitor that began until `at`."""
        await self._write(lambda connection: end_subject(connection, scope, at))

    async def ended(self, scope: Scope, sid: str, began: float) -> bool:
        """Whether this session was ended."""
        return await self._glance(lambda connection: _ended(connection, scope, sid, began))


def drop_old(connection: Connection, now: float) -> bool:
    """Drop what could end nothing any more; nothing of it is left."""
    for statement in DROP:
        connection.execute(statement, {"before": now - REVOCATION_KEPT_S})
    return False


def _end_session(connection: Connection, sid: str, at: float) -> None:
    if connection.execute(SESSION, {"of_sid": sid}).first() is None:
        connection.execute(insert(tables.ended_sessions), [{"sid": sid, "at": at}])


def end_subject(connection: Connection, scope: Scope, at: float) -> None:
    """End every session of this visitor that began until `at`."""
    known = connection.execute(SUBJECT, _names(scope)).scalar()
    connection.execute(FORGET_SUBJECT, _names(scope))
    row = {"site": scope.site, "subject": scope.subject, "at": max(at, known or at)}
    connection.execute(insert(tables.ended_subjects), [row])


def _ended(connection: Connection, scope: Scope, sid: str, began: float) -> bool:
    if connection.execute(SESSION, {"of_sid": sid}).first() is not None:
        return True
    at = connection.execute(SUBJECT, _names(scope)).scalar()
    return at is not None and began <= at


def _names(scope: Scope) -> dict[str, Any]:
    return {"of_site": scope.site, "of_subject": scope.subject}
