"""A subject's rights in SQL, over the truth's own connections.

It decides the order in which rows go, children first, and what is locked before it is looked for: a
subject, so that no call adds to it, and its conversations, so that no reply or delivery does. Every
function runs inside a transaction of its caller; a driver's error leaves it as it is. `SqlSubjects`
is the port over them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    Table,
    and_,
    delete,
    exists,
    insert,
    select,
    tuple_,
    update,
)

from core.errors import Conflict
from core.scope import Scope
from core.subjects import (
    NOBODY,
    PAGE,
    Erased,
    Held,
    Kind,
    Merged,
    Place,
)
from core.truth import FINISHED_KEPT_S, Work
from gateway.adapters.sql import budgets, exports, locks, revocations, rows, tables
from gateway.adapters.sql.exports import belongs, whose
from gateway.adapters.sql.knowledge import Run

_conversations = tables.conversations.c
_turns = tables.turns.c
_escalations = tables.escalations.c
_finished = tables.finished_calls.c

CHUNK = 500
"""So many names stand in one statement: fewer than any driver takes."""

_OF_CONVERSATIONS = (
    *(tables.feedback, tables.visitor_events, tables.turns, tables.trajectories),
    tables.escalations,
)
"""What a conversation holds, each row with its scope."""

_OLD: Mapping[Kind, tuple[Table, tuple[str, ...]]] = {
    "turns": (tables.turns, ("id", "site", "subject")),
    "escalations": (tables.escalations, ("id",)),
    "feedback": (tables.feedback, ("turn_id", "site", "subject")),
    "events": (tables.visitor_events, ("id",)),
    "sessions": (tables.receipt_heads, ("sid",)),
    "trajectories": (tables.trajectories, ("turn_id", "site", "subject")),
}
"""What is kept for a time, and the names of its key."""


class SqlSubjects:
    """A `SubjectStore` over the truth's reads and writes.

    `scrubbed` sees to it that nothing of what was deleted is left in the files.
    """

    def __init__(self, read: Run, write: Run, scrubbed: Callable[[], Awaitable[None]]) -> None:
        self._read = read
        self._write = write
        self._scrubbed = scrubbed

    async def export(
        self, scope: Scope, since: float, after: Place | None = None, limit: int = PAGE
    ) -> Held:
        """A page of what is held of this subject, from one moment; receipts from `since` on."""
        wanted = exports.Wanted(scope, since, after, limit)
        return await self._read(lambda connection: exports.exported(connection, wanted))

    async def erase(self, work: Work) -> Erased:
        """Erase the scope of `work`, end its sessions, and store the call's outcome."""
        erased = await self._write(lambda connection: _erase(connection, work))
        await self._scrubbed()
        return erased

    async def merge(self, anonymous: Scope, into: Scope) -> Merged:
        """Move what an anonymous subject has to a signed-in one of the same site."""
        return await self._write(lambda connection: _merge(connection, anonymous, into))

    async def expire(self, before: Mapping[Kind, float], limit: int) -> Mapping[Kind, int]:
        """Delete at most `limit` of each kind from before its time; how many were there."""
        dropped = {
            kind: await self._expire_kind(kind, until, limit) for kind, until in before.items()
        }
        if any(dropped.values()):
            await self._scrubbed()
        return dropped

    async def _expire_kind(self, kind: Kind, until: float, limit: int) -> int:
        return await self._write(lambda connection: _expire(connection, kind, until, limit))


def _erase(connection: Connection, work: Work) -> Erased:
    scope = work.scope
    places = _take(connection, scope)
    _refuse_finished(connection, work)
    asked = select(_escalations.id).where(belongs(tables.escalations, scope))
    _drop_children(connection, asked)
    gone = {
        table: connection.execute(delete(table).where(belongs(table, scope))).rowcount
        for table in _OF_CONVERSATIONS
    }
    for table in (tables.conversations, tables.finished_calls):
        connection.execute(delete(table).where(whose(table, scope)))
    budgets.forget_subject(connection, scope)
    heads = tables.receipt_heads
    connection.execute(update(heads).where(whose(heads, scope)).values(subject=NOBODY))
    revocations.end_subject(connection, scope, work.at)
    connection.execute(insert(tables.finished_calls), [rows.finished_values(work)])
    return Erased(
        tuple(places),
        gone[tables.turns],
        gone[tables.escalations],
        gone[tables.feedback],
        gone[tables.visitor_events],
        gone[tables.trajectories],
    )


def _refuse_finished(connection: Connection, work: Work) -> None:
    same = select(_finished.at).where(
        whose(tables.finished_calls, work.scope), _finished.key == work.key
    )
    at = connection.execute(same).scalar()
    if at is not None and at >= work.at - FINISHED_KEPT_S:
        raise Conflict("this idempotency key is already finished")


def _merge(connection: Connection, anonymous: Scope, into: Scope) -> Merged:
    places = _take(connection, anonymous, into)
    own = {name: place for place, name in _turn_places(connection, anonymous)}
    stayed: set[str] = set()
    for names in _chunks(list(own)):
        for _, name in _turn_places(connection, into, names):
            stayed.add(own[name])
    moved = [place for place in places if place not in stayed]
    for some in _chunks(moved):
        for table in (*_OF_CONVERSATIONS, tables.conversations):
            place = table.c.id if table is tables.conversations else table.c.conversation_id
            connection.execute(
                update(table)
                .where(whose(table, anonymous), place.in_(some))
                .values(subject=into.subject)
            )
    if not stayed:
        _move_outcomes(connection, anonymous, into)
    return Merged(tuple(moved), tuple(sorted(stayed)))


def _move_outcomes(connection: Connection, anonymous: Scope, into: Scope) -> None:
    """All but those whose key stands for another call of the signed-in subject."""
    taken = tables.finished_calls.alias()
    same = exists().where(whose(taken, into), taken.c.key == _finished.key)
    connection.execute(
        update(tables.finished_calls)
        .where(whose(tables.finished_calls, anonymous), ~same)
        .values(subject=into.subject)
    )


def _turn_places(
    connection: Connection, scope: Scope, names: Sequence[str] | None = None
) -> Iterator[tuple[str, str]]:
    """The conversation and id of every turn that was stored or escalated, or of those named."""
    for table, name in ((tables.turns, _turns.id), (tables.escalations, _escalations.turn_id)):
        query = select(table.c.conversation_id, name)
        if names is None:
            query = query.where(belongs(table, scope))
        else:
            query = query.where(whose(table, scope), name.in_(names))
        yield from ((place, found) for place, found in connection.execute(query))


def _expire(connection: Connection, kind: Kind, until: float, limit: int) -> int:
    table, names = _OLD[kind]
    key = [table.c[name] for name in names]
    old = select(*key).where(table.c.at < until).order_by(table.c.at, *key).limit(limit)
    if kind == "escalations":
        old = old.where(_escalations.part_of.is_(None))
    if kind == "sessions":
        heads = [tuple(row) for row in connection.execute(old)]
        return _drop_named(connection, kind, heads, until)
    found = connection.execute(old.add_columns(table.c.conversation_id)).all()
    # What belongs to nobody has no conversation.
    places = {row.conversation_id for row in found if row.conversation_id}
    locks.hold(connection, *map(locks.conversation, places))
    if kind == "escalations":
        for some in _chunks([row.id for row in found]):
            _drop_children(connection, some)
            # However new they are: what was added goes with its case.
            connection.execute(delete(tables.escalations).where(_escalations.part_of.in_(some)))
    dropped = _drop_named(connection, kind, [tuple(row)[:-1] for row in found], until)
    _drop_empty(connection, places)
    return dropped


def _drop_named(
    connection: Connection, kind: Kind, keys: Sequence[tuple[Any, ...]], until: float
) -> int:
    table, names = _OLD[kind]
    columns = [table.c[name] for name in names]
    dropped = 0
    for some in _chunks(keys):
        if len(columns) > 1:
            named = tuple_(*columns).in_(some)
        else:
            named = columns[0].in_([key[0] for key in some])
        # Whatever was made anew since it was looked at stays.
        dropped += connection.execute(delete(table).where(named, table.c.at < until)).rowcount
    return dropped


def _drop_children(connection: Connection, asked: Select[Any] | Collection[str]) -> None:
    """Delete what belongs to these escalations: deliveries with their tries, replies, threads."""
    deliveries = tables.deliveries
    told = select(deliveries.c.id).where(deliveries.c.escalation_id.in_(asked))
    connection.execute(delete(tables.attempts).where(tables.attempts.c.delivery_id.in_(told)))
    for table in (deliveries, tables.replies, tables.threads):
        connection.execute(delete(table).where(table.c.escalation_id.in_(asked)))


def _drop_empty(connection: Connection, places: Collection[str]) -> None:
    held = [
        exists().where(table.c.conversation_id == _conversations.id) for table in _OF_CONVERSATIONS
    ]
    for some in _chunks(sorted(places)):
        empty = and_(_conversations.id.in_(some), *(~one for one in held))
        connection.execute(delete(tables.conversations).where(empty))


def _take(connection: Connection, *scopes: Scope) -> list[str]:
    """Keep everybody else from what these subjects have; the first one's conversations."""
    locks.hold(connection, *map(locks.subject, scopes))
    places = exports.own(connection, scopes[0])
    locks.hold(connection, *map(locks.conversation, places))
    return places


def _chunks[Item](items: Sequence[Item]) -> Iterator[list[Item]]:
    waiting = iter(items)
    while some := list(islice(waiting, CHUNK)):
        yield some
