"""What people said of classifications, in SQL, over the truth's own connections."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, insert, select

from core.commands.feedback import Judgement
from gateway.adapters.sql import tables
from gateway.adapters.sql.knowledge import Run

_told = tables.command_feedback.c

_NEWEST: Final = (
    select(tables.command_feedback)
    .where(_told.at >= bindparam("since"))
    .order_by(_told.at.desc(), _told.id.desc())
    .limit(bindparam("limit"))
)


class SqlCommands:
    """A `CommandStore` over the truth's reads and writes.

    `scrubbed` sees to it that nothing of what was deleted is left in the files.
    """

    def __init__(self, read: Run, write: Run, scrubbed: Callable[[], Awaitable[None]]) -> None:
        self._read = read
        self._write = write
        self._scrubbed = scrubbed

    async def judge(self, judgement: Judgement) -> None:
        """Store a judgement."""
        row = {
            "id": judgement.id,
            "command": judgement.command,
            "given": judgement.given,
            "expected": judgement.expected,
            "author": judgement.author,
            "at": judgement.at,
        }
        await self._write(lambda connection: _add(connection, row))

    async def judgements(self, since: float, limit: int) -> list[Judgement]:
        """The newest ones since then, newest first."""
        asked = {"since": since, "limit": limit}
        return await self._read(
            lambda connection: [
                Judgement(row.id, row.command, row.given, row.expected, row.author, row.at)
                for row in connection.execute(_NEWEST, asked)
            ]
        )

    async def forget(self, before: float, limit: int) -> int:
        """Delete the oldest ones from before then, at most so many; how many there were."""
        dropped = await self._write(lambda connection: _forget(connection, before, limit))
        if dropped:
            await self._scrubbed()
        return dropped


def _forget(connection: Connection, before: float, limit: int) -> int:
    old = select(_told.id).where(_told.at < before).order_by(_told.at, _told.id).limit(limit)
    names = list(connection.execute(old).scalars())
    named = delete(tables.command_feedback).where(_told.id.in_(names))
    return connection.execute(named).rowcount if names else 0


def _add(connection: Connection, row: Mapping[str, Any]) -> None:
    connection.execute(insert(tables.command_feedback), row)
