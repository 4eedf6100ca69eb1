"""What is held of a visitor in SQL, a page at a time.

It decides what is a visitor's (by the conversations, which an index finds) and that what one
visitor has is put in order for each page: no index over everybody's rows is walked for it. Every
function runs inside a transaction of its caller; a driver's error leaves it as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, select, tuple_

from core.scope import Scope
from core.subjects import (
    Feedback,
    Held,
    HeldEvent,
    HeldFeedback,
    HeldSession,
    HeldTurn,
    Key,
    Part,
    Place,
    Some,
    page,
    sliced,
    weighed,
)
from core.trajectory import Trajectory
from gateway.adapters.sql import reads, rows, tables, trajectories

_conversations = tables.conversations.c
_escalations = tables.escalations.c
_finished = tables.finished_calls.c
_replies = tables.replies.c


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which page of whose: receipts from `since` on, rows after that place, at most so many."""

    scope: Scope
    since: float
    after: Place | None
    limit: int


def exported(connection: Connection, wanted: Wanted) -> Held:
    """A page of what is held of a subject."""

    def look(part: Part, key: Key, room: int) -> Some[Any]:
        return _PARTS[part](connection, wanted, key, room)

    return page(wanted.scope, look, wanted.after, wanted.limit)


def _conversations_of(connection: Connection, wanted: Wanted, key: Key, room: int) -> Some[str]:
    return _later(own(connection, wanted.scope), key, room)


def _turns(connection: Connection, wanted: Wanted, key: Key, room: int) -> Some[HeldTurn]:
    table = tables.turns
    query = _after(select(table).where(belongs(table, wanted.scope)), table, ("at", "id"), key)
    found = connection.execute(query.limit(room + 1)).all()
    return sliced(
        [
            ((row.at, row.id), HeldTurn(row.question, row.locale, rows.turn_of(row)))
            for row in found
        ],
        room,
    )


def _trajectories(connection: Connection, wanted: Wanted, key: Key, room: int) -> Some[Trajectory]:
    table = tables.trajectories
    mine = select(table).where(belongs(table, wanted.scope))
    query = _after(mine, table, ("at", "turn_id"), key)
    found = connection.execute(query.limit(room + 1)).all()
    return sliced([((row.at, row.turn_id), trajectories.of(row)) for row in found], room)


def _cases(connection: Connection, wanted: Wanted, key: Key, room: int) -> Some[Any]:
    table = tables.escalations
    mine = select(_escalations.at, _escalations.id).where(
        belongs(table, wanted.scope), _escalations.part_of.is_(None)
    )
    found = connection.execute(_after(mine, table, ("at", "id"), key).limit(room + 1)).all()
    names = [row.id for row in found]
    added = _counted(connection, _escalations.part_of, names)
    replies = _counted(connection, _replies.escalation_id, names)
    weights = [1 + added.get(name, 0) + replies.get(name, 0) for name in names]
    places = [((row.at, row.id), row.id) for row in found]
    some = weighed(places, weights, room, alone=room == wanted.limit)
    asked = select(table).where(_escalations.id.in_([name for _, name in some.rows]))
    whole = {one.id: one for one in reads.whole(connection, asked)}
    return Some([(place, whole[name]) for place, name in some.rows], some.count, some.more)


def _counted(
    connection: Connection, column: ColumnElement[str], names: Sequence[str]
) -> Mapping[str, int]:
    query = select(column, func.count()).where(column.in_(names)).group_by(column)
    return {row[0]: row[1] for row in connection.execute(query)}


def _marks(connection: Connection, wanted: Wanted, key: Key, room: int) -> Some[HeldFeedback]:
    table = tables.feedback
    mine = select(table).where(belongs(table, wanted.scope))
    query = _after(mine, table, ("at", "turn_id"), key)
    found = connection.execute(query.limit(room + 1)).all()
    return sliced(
        [
            (
                (row.at, row.turn_id),
                HeldFeedback(Feedback(row.turn_id, row.signal, row.text), row.at),
            )
            for row in found
        ],
        room,
    )


def _events(connection: Connection, wanted: Wanted, key: Key, room: int) -> Some[HeldEvent]:
    table = tables.visitor_events
    query = _after(select(table).where(belongs(table, wanted.scope)), table, ("id",), key)
    found = connection.execute(query.limit(room + 1)).all()
    return sliced(
        [((row.id,), HeldEvent(row.id, row.conversation_id, row.name, row.data)) for row in found],
        room,
    )


def _sessions(connection: Connection, wanted: Wanted, key: Key, room: int) -> Some[HeldSession]:
    query = select(tables.receipt_heads).where(whose(tables.receipt_heads, wanted.scope))
    found = {row.sid: row for row in connection.execute(query)}
    some = _later(sorted(found), key, room)
    return Some(
        [(at, HeldSession(sid, found[sid].head, found[sid].gaps)) for at, sid in some.rows],
        some.count,
        some.more,
    )


def _receipts(connection: Connection, wanted: Wanted, key: Key, room: int) -> Some[str]:
    mine = select(_finished.at, _finished.key, _finished.receipt).where(
        whose(tables.finished_calls, wanted.scope),
        _finished.at >= wanted.since,
        _finished.receipt.is_not(None),
    )
    query = _after(mine, tables.finished_calls, ("at", "key"), key)
    found = connection.execute(query.limit(room + 1)).all()
    return sliced([((row.at, row.key), row.receipt) for row in found], room)


_PARTS: Mapping[Part, Callable[[Connection, Wanted, Key, int], Some[Any]]] = {
    "conversations": _conversations_of,
    "turns": _turns,
    "trajectories": _trajectories,
    "escalations": _cases,
    "feedback": _marks,
    "events": _events,
    "sessions": _sessions,
    "receipts": _receipts,
}


def _after(query: Select[Any], table: Table, names: tuple[str, ...], key: Key) -> Select[Any]:
    """The rows after this key, in order.

    The first column is a number to which nothing is added, so that no index is in that order: one
    over everybody's rows would be walked from end to end for a few of one visitor's.
    """
    first, *more = (table.c[name] for name in names)
    columns = (first + 0, *more)
    if key:
        query = query.where(tuple_(*columns) > tuple_(*key))
    return query.order_by(*columns)


def _later(names: Sequence[str], key: Key, room: int) -> Some[str]:
    """Those of a visitor's names that come after a key, sorted here: databases differ in that."""
    return sliced([((name,), name) for name in names if (name,) > key], room)


def own(connection: Connection, scope: Scope) -> list[str]:
    """The ids of a subject's conversations, sorted."""
    found = select(_conversations.id).where(whose(tables.conversations, scope))
    return sorted(connection.execute(found).scalars())


def whose(table: Any, scope: Scope) -> ColumnElement[bool]:
    """Rows that name this scope."""
    return and_(table.c.site == scope.site, table.c.subject == scope.subject)


def belongs(table: Table, scope: Scope) -> ColumnElement[bool]:
    """Rows of this scope, found by the scope's conversations."""
    mine = select(_conversations.id).where(whose(tables.conversations, scope))
    return and_(table.c.conversation_id.in_(mine), whose(table, scope))
