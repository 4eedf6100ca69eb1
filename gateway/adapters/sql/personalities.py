"""What operators changed of how sites' chats speak, in SQL, over the truth's own connections."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sqlalchemy import Connection, bindparam, func, insert, select

from core.errors import Conflict
from core.personalities import PersonalityEdit
from gateway.adapters.sql import locks
from gateway.adapters.sql.knowledge import Run
from gateway.adapters.sql.personality_tables import personality_edits

_edits = personality_edits.c

_AFTER: Final = (
    select(personality_edits)
    .where(_edits.site == bindparam("site"), _edits.id > bindparam("after"))
    .order_by(_edits.id)
)
_NEWEST: Final = select(func.max(_edits.id)).where(_edits.site == bindparam("site"))


class SqlPersonalities:
    """A `PersonalityStore` over the truth's reads and writes."""

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    async def edits(self, site: str, after: int) -> list[PersonalityEdit]:
        """The site's edits with a greater number, in order."""
        asked = {"site": site, "after": after}
        return await self._read(
            lambda connection: [
                PersonalityEdit(
                    site=row.site,
                    kind=row.kind,
                    author=row.author,
                    at=row.at,
                    name=row.name,
                    document=row.document,
                    takes_back=row.takes_back,
                    number=row.id,
                )
                for row in connection.execute(_AFTER, asked)
            ]
        )

    async def append(self, edit: PersonalityEdit, *, seen: int) -> PersonalityEdit:
        """Store an edit; the same with its number. Raises `Conflict`."""
        return await self._write(lambda connection: _append(connection, edit, seen))


def _append(connection: Connection, edit: PersonalityEdit, seen: int) -> PersonalityEdit:
    locks.hold(connection, locks.personalities(edit.site))
    if (connection.execute(_NEWEST, {"site": edit.site}).scalar() or 0) > seen:
        raise Conflict("how the site speaks was changed meanwhile")
    row = {
        "site": edit.site,
        "name": edit.name,
        "kind": edit.kind,
        "document": None if edit.document is None else dict(edit.document),
        "takes_back": edit.takes_back,
        "author": edit.author,
        "at": edit.at,
    }
    made = connection.execute(insert(personality_edits), row).inserted_primary_key
    return replace(edit, number=int(made[0]) if made else 0)
