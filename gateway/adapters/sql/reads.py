"""The reads, as functions over a connection. Another scope's rows are absent.

They decide which rows belong together; a driver's error leaves them as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import (
    Connection,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)

from core.errors import NotFound
from core.messages import AddedTurn, Delivery, Escalation, Reply, Turn, VisitorEvent
from core.scope import Scope
from core.subjects import VERDICTS, Feedback
from core.truth import WAITING, Backlog, Finished
from gateway.adapters import semantics
from gateway.adapters.sql import rows, tables

_finished = tables.finished_calls.c
_turns = tables.turns.c
_escalations = tables.escalations.c
_deliveries = tables.deliveries.c
_events = tables.visitor_events.c

SENSELESS = (ValueError, TypeError, KeyError)
"""What reading a damaged row raises, such as JSON that is cut short."""

# Written out, not bound: only so does SQLite see that a partial index fits.
PENDING = _deliveries.state == literal_column("'pending'")
ELSEWHERE = _deliveries.target.not_in(bindparam("except_targets", expanding=True))
UNRESOLVED = _escalations.status != literal_column("'resolved'")

FINISHED = select(_finished.body_sha256, _finished.status, _finished.body, _finished.receipt).where(
    _finished.site == bindparam("site"),
    _finished.subject == bindparam("subject"),
    _finished.key == bindparam("key"),
    _finished.at >= bindparam("since"),
)
HEAD = select(tables.receipt_heads.c.head).where(tables.receipt_heads.c.sid == bindparam("sid"))
GAPS = select(tables.receipt_heads.c.gaps).where(tables.receipt_heads.c.sid == bindparam("sid"))
TURN = select(tables.turns).where(
    _turns.site == bindparam("site"),
    _turns.subject == bindparam("subject"),
    _turns.id == bindparam("id"),
)
OWNER = select(tables.conversations.c.site, tables.conversations.c.subject).where(
    tables.conversations.c.id == bindparam("id")
)
EVENTS = (
    select(_events.id, _events.name, _events.data)
    .where(
        _events.conversation_id == bindparam("conversation_id"),
        _events.site == bindparam("site"),
        _events.subject == bindparam("subject"),
        _events.id > bindparam("after"),
        _events.at > bindparam("oldest"),
    )
    .order_by(_events.id)
)
_given = tables.escalations.alias().c
CASE = (
    select(func.coalesce(_given.part_of, _given.id))
    .where(_given.id == bindparam("id"))
    .scalar_subquery()
)
"""The id of the case that an escalation belongs to, or is."""

OPEN = select(func.count()).where(
    _escalations.conversation_id == bindparam("conversation_id"),
    _escalations.site == bindparam("site"),
    _escalations.subject == bindparam("subject"),
    UNRESOLVED,
)
NEXT_DUE = select(
    func.min(
        case(
            (_deliveries.leased_until > _deliveries.next_at, _deliveries.leased_until),
            else_=_deliveries.next_at,
        )
    )
).where(PENDING, ELSEWHERE)
_BACKLOG = (
    select(_deliveries.state, func.count().label("count"))
    .where(_deliveries.state.in_(sorted(WAITING)))
    .group_by(_deliveries.state)
)
_OLDEST_DUE = select(func.min(_deliveries.next_at)).where(PENDING)


def finished(connection: Connection, scope: Scope, key: str, since: float) -> Finished | None:
    """The outcome stored under this idempotency key since `since`, if any."""
    row = connection.execute(
        FINISHED, {"site": scope.site, "subject": scope.subject, "key": key, "since": since}
    ).first()
    return None if row is None else Finished(row.body_sha256, row.status, row.body, row.receipt)


def receipt_head(connection: Connection, sid: str) -> str | None:
    """The hash of the session's newest receipt."""
    return connection.execute(HEAD, {"sid": sid}).scalar()


def receipt_gaps(connection: Connection, sid: str) -> int:
    """How often the session's browser showed another receipt than its chain's head."""
    return connection.execute(GAPS, {"sid": sid}).scalar() or 0


def turn(connection: Connection, scope: Scope, turn_id: str) -> Turn | None:
    """A stored turn of this scope."""
    row = connection.execute(
        TURN, {"site": scope.site, "subject": scope.subject, "id": turn_id}
    ).first()
    return None if row is None else rows.turn_of(row)


def conversation_owned(connection: Connection, scope: Scope, conversation_id: str) -> bool:
    """False when the conversation belongs to another scope; an unknown one is free."""
    row = connection.execute(OWNER, {"id": conversation_id}).first()
    return row is None or (row.site, row.subject) == (scope.site, scope.subject)


def events(
    connection: Connection, scope: Scope, conversation_id: str, after: int, oldest: float
) -> list[VisitorEvent]:
    """The visitor's events after that id and time, oldest first."""
    found = connection.execute(
        EVENTS,
        {
            "conversation_id": conversation_id,
            "site": scope.site,
            "subject": scope.subject,
            "after": after,
            "oldest": oldest,
        },
    )
    return [VisitorEvent(row.id, row.name, row.data) for row in found]


def open_escalations(connection: Connection, scope: Scope, conversation_id: str) -> int:
    """How many of the conversation's escalations are not resolved."""
    return connection.execute(
        OPEN,
        {"conversation_id": conversation_id, "site": scope.site, "subject": scope.subject},
    ).scalar_one()


def next_due(connection: Connection, except_targets: frozenset[str]) -> float | None:
    """When the next pending delivery to another target than those is due, in Unix seconds."""
    return connection.execute(NEXT_DUE, left_out(except_targets)).scalar()


def backlog(connection: Connection) -> Backlog:
    """What waits in the outbox."""
    found = connection.execute(_BACKLOG).all()
    oldest = connection.execute(_OLDEST_DUE).scalar()
    return Backlog(dict(map(tuple, found)), oldest)


def left_out(targets: frozenset[str]) -> rows.Values:
    """What `ELSEWHERE` needs. No target lacks a name, and an empty list costs a subquery."""
    return {"except_targets": sorted(targets) or [""]}


def escalation_page(
    connection: Connection,
    status: Literal["open", "resolved", "all"],
    before: str | None,
    limit: int,
) -> list[Escalation]:
    """The operators' list of cases, newest first, older than the case `before` (unknown: none)."""
    query = (
        select(tables.escalations)
        .where(_escalations.part_of.is_(None))
        .order_by(_escalations.at.desc(), _escalations.id.desc())
        .limit(limit)
    )
    if before is not None:
        last = tables.escalations.alias().c
        at = select(last.at).where(last.id == before, last.part_of.is_(None)).scalar_subquery()
        query = query.where(tuple_(_escalations.at, _escalations.id) < tuple_(at, before))
    if status == "open":
        query = query.where(UNRESOLVED)
    elif status == "resolved":
        query = query.where(_escalations.status == "resolved")
    return whole(connection, query)


def dead_letters(connection: Connection, limit: int) -> list[Escalation]:
    """The escalations of which something was given up and is still wanted, newest first."""
    dead = exists().where(
        _deliveries.escalation_id == _escalations.id,
        _deliveries.state.in_(semantics.DEAD_STATES),
        or_(_deliveries.action != "open", UNRESOLVED),
    )
    query = select(tables.escalations).where(dead)
    return whole(
        connection, query.order_by(_escalations.at.desc(), _escalations.id.desc()).limit(limit)
    )


def escalation(connection: Connection, escalation_id: str) -> Escalation:
    """One case, by its id or by that of a turn that was added to it; raises `NotFound`."""
    case = select(tables.escalations).where(_escalations.id == CASE)
    found = whole(connection, case.params(id=escalation_id))
    if not found:
        raise NotFound("no such escalation")
    return found[0]


def whole(connection: Connection, query: Select[Any]) -> list[Escalation]:
    """The cases that `query` selects, with deliveries, attempts, replies and added turns."""
    found = connection.execute(query).all()
    if not found:
        return []
    ids = [row.id for row in found]
    deliveries = _deliveries_of(connection, ids)
    answers, added = _replies_of(connection, ids), _added_to(connection, ids)
    marks = _marks_on(connection, ids)
    return [
        rows.escalation_of(row, deliveries[row.id], answers[row.id], added[row.id], marks[row.id])
        for row in found
    ]


def _deliveries_of(connection: Connection, ids: Sequence[str]) -> Mapping[str, list[Delivery]]:
    of_escalation = _deliveries.escalation_id.in_(ids)
    tries = _grouped(
        connection.execute(
            select(tables.attempts)
            .join(tables.deliveries, _deliveries.id == tables.attempts.c.delivery_id)
            .where(of_escalation)
            .order_by(tables.attempts.c.id)
        ),
        lambda row: (row.delivery_id, rows.attempt_of(row)),
    )
    return _grouped(
        connection.execute(select(tables.deliveries).where(of_escalation).order_by(_deliveries.id)),
        lambda row: (row.escalation_id, rows.delivery_of(row, tries[row.id])),
    )


def _replies_of(connection: Connection, ids: Sequence[str]) -> Mapping[str, list[Reply]]:
    table = tables.replies
    return _grouped(
        connection.execute(
            select(table).where(table.c.escalation_id.in_(ids)).order_by(table.c.at, table.c.id)
        ),
        lambda row: (row.escalation_id, rows.reply_of(row)),
    )


def _added_to(connection: Connection, ids: Sequence[str]) -> Mapping[str, list[AddedTurn]]:
    return _grouped(
        connection.execute(
            select(tables.escalations)
            .where(_escalations.part_of.in_(ids))
            .order_by(_escalations.at, _escalations.id)
        ),
        lambda row: (row.part_of, rows.added_of(row)),
    )


def _marks_on(
    connection: Connection, ids: Sequence[str]
) -> Mapping[str, list[tuple[float, Feedback]]]:
    """What visitors said of the turns of these cases."""
    marks = tables.feedback.c
    its_turn = and_(
        marks.site == _escalations.site,
        marks.subject == _escalations.subject,
        marks.turn_id == _escalations.turn_id,
    )
    case_id = func.coalesce(_escalations.part_of, _escalations.id).label("case_id")
    of_cases = or_(_escalations.id.in_(ids), _escalations.part_of.in_(ids))
    return _grouped(
        connection.execute(
            select(case_id, marks.turn_id, marks.signal, marks.text, marks.at)
            .join_from(tables.escalations, tables.feedback, its_turn)
            .where(of_cases, marks.signal.in_(VERDICTS))
        ),
        lambda row: (row.case_id, rows.mark_of(row)),
    )


def _grouped[Value](
    found: Iterable[rows.AnyRow], keyed: Callable[[rows.AnyRow], tuple[Any, Value]]
) -> Mapping[Any, list[Value]]:
    groups: dict[Any, list[Value]] = defaultdict(list)
    for row in found:
        key, value = keyed(row)
        groups[key].append(value)
    return groups
