"""What operators changed of knowledge bases, in SQL, over the truth's own connections.

It decides which rows belong together. Every function runs inside a transaction of its caller; a
driver's error leaves it as it is. `SqlKnowledge` is the port over them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from core.errors import Conflict, NotFound
from core.knowledge import Edit, Key, Mark, Missed, Publication, entry_row, row_entry
from gateway.adapters import semantics
from gateway.adapters.sql import locks, tables

_edits = tables.kb_edits.c
_marks = tables.kb_marks.c
_settings = tables.kb_settings.c
_publications = tables.kb_publications.c
_escalations = tables.escalations.c

EDITS = (
    select(tables.kb_edits)
    .where(_edits.site == bindparam("site"), _edits.id > bindparam("after"))
    .order_by(_edits.id)
)
NEWEST = select(func.max(_edits.id)).where(
    _edits.site == bindparam("site"),
    _edits.entry_id == bindparam("entry_id"),
    _edits.locale == bindparam("locale"),
)
ADD = insert(tables.kb_edits)
MARKS = (
    select(tables.kb_marks).where(_marks.site == bindparam("site")).order_by(_marks.at, _marks.id)
)
UNMARK = delete(tables.kb_marks).where(
    _marks.site == bindparam("of_site"), _marks.id.in_(bindparam("ids", expanding=True))
)
PRIOR = select(_settings.out_of_scope).where(_settings.site == bindparam("site"))
FORGET_PRIOR = delete(tables.kb_settings).where(_settings.site == bindparam("of_site"))
PUBLISHED = (
    select(tables.kb_publications)
    .where(_publications.site == bindparam("site"))
    .order_by(_publications.id.desc())
    .limit(1)
)
MISSED = (
    select(_escalations.id, _escalations.question, _escalations.locale, _escalations.at)
    .where(
        _escalations.site == bindparam("site"),
        _escalations.at >= bindparam("since"),
        _escalations.reason.in_(semantics.MISSED_REASONS),
    )
    .order_by(_escalations.at.desc(), _escalations.id.desc())
    .limit(bindparam("limit"))
)


class Run(Protocol):
    """Runs a function over a connection, on the thread that it belongs to."""

    def __call__[Value](self, unit: Callable[[Connection], Value], /) -> Awaitable[Value]:
        """What the function gives; raises `Unavailable` and what it raises."""


class SqlKnowledge:
    """A `KnowledgeStore` over the truth's reads and writes."""

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    async def edits(self, site: str, after: int) -> list[Edit]:
        """The site's edits with a greater number, in order."""
        return await self._read(lambda connection: _edits_of(connection, site, after))

    async def append(self, edits: Sequence[Edit], *, seen: int | None = None) -> list[Edit]:
        """Store edits, all or none; raises `Conflict`."""
        return await self._write(lambda connection: _append(connection, edits, seen))

    async def marks(self, site: str) -> list[Mark]:
        """The site's marks, oldest first."""
        return await self._read(
            lambda connection: [
                Mark(row.id, row.site, row.question, row.entry_id, row.author, row.at)
                for row in connection.execute(MARKS, {"site": site})
            ]
        )

    async def mark(self, mark: Mark, *, instead_of: Sequence[str] = ()) -> None:
        """Store a mark in place of those with these ids."""
        await self._write(lambda connection: _mark(connection, mark, instead_of))

    async def unmark(self, site: str, mark_id: str) -> None:
        """Remove a mark; raises `NotFound`."""
        await self._write(lambda connection: _unmark(connection, site, mark_id))

    async def prior(self, site: str) -> float | None:
        """The declared share of questions without an answer; None where none was declared."""
        return await self._read(
            lambda connection: connection.execute(PRIOR, {"site": site}).scalar()
        )

    async def declare_prior(self, site: str, out_of_scope: float) -> None:
        """Declare that share, in [0, 1)."""
        await self._write(lambda connection: _declare(connection, site, out_of_scope))

    async def published(self, site: str) -> Publication | None:
        """What was published last."""
        return await self._read(lambda connection: _published(connection, site))

    async def publish(self, publication: Publication) -> None:
        """Record that this went live."""
        await self._write(lambda connection: _publish(connection, publication))

    async def missed(self, site: str, since: float, limit: int) -> list[Missed]:
        """Questions that went to a person for want of an answer, newest first."""
        asked = {"site": site, "since": since, "limit": limit}
        return await self._read(
            lambda connection: [
                Missed(row.question, row.locale, row.at, row.id)
                for row in connection.execute(MISSED, asked)
            ]
        )


def _edits_of(connection: Connection, site: str, after: int) -> list[Edit]:
    found = connection.execute(EDITS, {"site": site, "after": after})
    return [_edit(row) for row in found]


def _edit(row: Any) -> Edit:
    return Edit(
        site=row.site,
        entry_id=row.entry_id,
        locale=row.locale,
        kind=row.kind,
        author=row.author,
        at=row.at,
        entry=None if row.entry is None else row_entry(row.entry),
        takes_back=row.takes_back,
        origin=row.origin,
        source_hash=row.source_hash,
        number=row.id,
    )


def _append(connection: Connection, edits: Sequence[Edit], seen: int | None) -> list[Edit]:
    locks.hold(connection, *(locks.knowledge(edit.site) for edit in edits))
    if seen is not None:
        for site, key in dict.fromkeys((edit.site, edit.key) for edit in edits):
            _expect_no_newer(connection, site, key, seen)
    stored = []
    for edit in edits:
        made = connection.execute(ADD, _values(edit)).inserted_primary_key
        stored.append(replace(edit, number=int(made[0]) if made else 0))
    return stored


def _expect_no_newer(connection: Connection, site: str, key: Key, seen: int) -> None:
    found = {"site": site, "entry_id": key[0], "locale": key[1]}
    if (connection.execute(NEWEST, found).scalar() or 0) > seen:
        raise Conflict("the entry was changed meanwhile")


def _values(edit: Edit) -> dict[str, Any]:
    return {
        "site": edit.site,
        "entry_id": edit.entry_id,
        "locale": edit.locale,
        "kind": edit.kind,
        "entry": None if edit.entry is None else entry_row(edit.entry),
        "takes_back": edit.takes_back,
        "origin": edit.origin,
        "source_hash": edit.source_hash,
        "author": edit.author,
        "at": edit.at,
    }


def _mark(connection: Connection, mark: Mark, instead_of: Sequence[str]) -> None:
    locks.hold(connection, locks.knowledge(mark.site))
    if instead_of:
        connection.execute(UNMARK, {"of_site": mark.site, "ids": list(instead_of)})
    connection.execute(
        insert(tables.kb_marks),
        {
            "id": mark.id,
            "site": mark.site,
            "question": mark.question,
            "entry_id": mark.entry_id,
            "author": mark.author,
            "at": mark.at,
        },
    )


def _unmark(connection: Connection, site: str, mark_id: str) -> None:
    if not connection.execute(UNMARK, {"of_site": site, "ids": [mark_id]}).rowcount:
        raise NotFound("no such mark")


def _declare(connection: Connection, site: str, out_of_scope: float) -> None:
    connection.execute(FORGET_PRIOR, {"of_site": site})
    row = {"site": site, "out_of_scope": out_of_scope}
    connection.execute(insert(tables.kb_settings), row)


def _published(connection: Connection, site: str) -> Publication | None:
    row = connection.execute(PUBLISHED, {"site": site}).first()
    if row is None:
        return None
    marks = tuple((question, entry_id) for question, entry_id in row.marks)
    return Publication(
        row.site, row.author, row.at, row.release, row.edits, row.out_of_scope, marks
    )


def _publish(connection: Connection, publication: Publication) -> None:
    locks.hold(connection, locks.knowledge(publication.site))
    connection.execute(
        insert(tables.kb_publications),
        {
            "site": publication.site,
            "author": publication.author,
            "at": publication.at,
            "release": publication.release,
            "edits": publication.edits,
            "out_of_scope": publication.out_of_scope,
            "marks": [list(pair) for pair in publication.marks],
        },
    )
