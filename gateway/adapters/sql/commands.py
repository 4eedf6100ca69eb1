"""What people said of classifications, in SQL, over the truth's own connections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, bindparam, insert, select

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
    """A `CommandStore` over the truth's reads and writes."""

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

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


def _add(connection: Connection, row: Mapping[str, Any]) -> None:
    connection.execute(insert(tables.command_feedback), row)
