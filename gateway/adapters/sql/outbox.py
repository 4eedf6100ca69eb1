"""Changes of escalations after they were opened: replies, resolution, deliveries.

It decides what a visitor is told of a change, that a delivery is leased to one worker at a time,
and that one whose escalation cannot be read has failed, so that it holds up no other. Every
function runs inside a transaction of its caller; a driver's error leaves it as it is.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, select, update

from core.encoding import timestamp
from core.errors import NotFound
from core.messages import Attempt, DeliveryState, Escalation, EscalationStatus, Reply
from core.ports import LeasedDelivery
from core.scope import Scope
from gateway.adapters import semantics
from gateway.adapters.sql import reads, rows, tables

_log = logging.getLogger(__name__)

DAMAGED = "The stored escalation cannot be read; the gateway's log says why."
"""What an operator is shown of a delivery that could not even begin."""

_escalations = tables.escalations.c
_deliveries = tables.deliveries.c

_ESCALATION = (
    select(
        _escalations.id,
        _escalations.site,
        _escalations.subject,
        _escalations.conversation_id,
        _escalations.turn_id,
        _escalations.status,
    )
    .where(_escalations.id == bindparam("id"))
    .with_for_update()
)
_LEASE = (
    update(tables.deliveries)
    .where(_deliveries.id.in_(bindparam("ids", expanding=True)))
    .values(leased_until=bindparam("until"))
)
_DUE = (
    select(_deliveries.id, _deliveries.escalation_id, _deliveries.tries)
    .add_columns(_deliveries.target, _deliveries.kind)
    .where(
        reads.PENDING,
        _deliveries.next_at <= bindparam("now"),
        _deliveries.leased_until <= bindparam("now"),
        reads.ELSEWHERE,
    )
    .order_by(_deliveries.next_at, _deliveries.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)

_SKIP = (
    update(tables.deliveries)
    .where(_deliveries.escalation_id == bindparam("of_id"), reads.PENDING)
    .values(state="skipped", next_at=None)
)


def reply(connection: Connection, reply: Reply, *, resolve: bool, at: float) -> None:
    """Store a person's reply, and the visitor's event with it; raises `NotFound`."""
    row = _row(connection, reply.escalation_id)
    connection.execute(
        insert(tables.replies),
        [
            {
                "id": reply.id,
                "escalation_id": row.id,
                "author": reply.author,
                "content": reply.content,
                "created_at": reply.created_at,
                "at": at,
            }
        ],
    )
    data = {**semantics.reply_event(reply), "turn_id": row.turn_id}
    _tell(connection, row, at, "human_reply", data)
    if resolve:
        _resolve(connection, row, at)


def resolved(connection: Connection, escalation_id: str, at: float) -> None:
    """Mark an escalation resolved; pending deliveries are skipped; raises `NotFound`."""
    _resolve(connection, _row(connection, escalation_id), at)


def resend(connection: Connection, escalation_id: str, at: float) -> int:
    """Make deliveries that are not delivered due again; how many; raises `NotFound`."""
    row = _row(connection, escalation_id)
    changed = connection.execute(
        update(tables.deliveries)
        .where(_deliveries.escalation_id == row.id, _deliveries.state != "delivered")
        .values(state="pending", next_at=at, tries=0)
    )
    _follow(connection, row, at)
    return changed.rowcount


@dataclass(frozen=True, slots=True)
class Leasing:
    """Which due deliveries to take, and until when."""

    now: float
    until: float
    limit: int
    except_targets: frozenset[str] = frozenset()


def lease(connection: Connection, wanted: Leasing) -> list[LeasedDelivery]:
    """Take due deliveries; nobody else gets them before `until`."""
    due = connection.execute(
        _DUE,
        {"now": wanted.now, "limit": wanted.limit, **reads.left_out(wanted.except_targets)},
    ).all()
    if not due:
        return []
    connection.execute(_LEASE, {"ids": [row.id for row in due], "until": wanted.until})
    found = _readable(connection, {row.escalation_id for row in due})
    for row in due:
        if row.escalation_id not in found:
            damaged = Attempt(timestamp(wanted.now), "damaged", detail=DAMAGED)
            finish(connection, row.id, damaged, "failed", None, at=wanted.now)
    return [
        LeasedDelivery(row.id, row.target, row.kind, found[row.escalation_id], row.tries)
        for row in due
        if row.escalation_id in found
    ]


def _readable(connection: Connection, ids: Iterable[str]) -> dict[str, Escalation]:
    """The escalations of these ids, without those whose rows make no sense."""
    query = select(tables.escalations)
    try:
        return {
            one.id: one for one in reads.whole(connection, query.where(_escalations.id.in_(ids)))
        }
    except reads.SENSELESS:
        pass  # one of them: each by itself, then
    found = {}
    for name in ids:
        try:
            found.update({name: reads.escalation(connection, name)})
        except reads.SENSELESS:
            _log.exception("outbox: escalation %s cannot be read", name)
    return found


def finish(
    connection: Connection,
    delivery_id: int,
    attempt: Attempt,
    state: DeliveryState,
    next_at: float | None,
    *,
    at: float,
) -> EscalationStatus:
    """Record an attempt and what follows; raises `NotFound`."""
    known = connection.execute(
        select(_deliveries.escalation_id, _deliveries.state, _deliveries.tries)
        .where(_deliveries.id == delivery_id)
        .with_for_update()
    ).first()
    if known is None:
        raise NotFound("no such delivery")
    state = semantics.settled(known.state, state)
    connection.execute(
        update(tables.deliveries)
        .where(_deliveries.id == delivery_id)
        .values(
            tries=known.tries + 1,
            leased_until=0.0,
            state=state,
            next_at=next_at if state == "pending" else None,
        )
    )
    connection.execute(
        insert(tables.attempts), [{"delivery_id": delivery_id, **rows.attempt_values(attempt)}]
    )
    return _follow(connection, _row(connection, known.escalation_id), at)


def _row(connection: Connection, escalation_id: str) -> rows.AnyRow:
    row: rows.AnyRow | None = connection.execute(_ESCALATION, {"id": escalation_id}).first()
    if row is None:
        raise NotFound("no such escalation")
    return row


def _follow(connection: Connection, row: rows.AnyRow, at: float) -> EscalationStatus:
    states = connection.execute(
        select(_deliveries.state).where(_deliveries.escalation_id == row.id)
    ).scalars()
    return _set_status(connection, row, semantics.overall(row.status, states), at)


def _resolve(connection: Connection, row: rows.AnyRow, at: float) -> None:
    connection.execute(_SKIP, {"of_id": row.id})
    _set_status(connection, row, "resolved", at)


def _set_status(
    connection: Connection, row: rows.AnyRow, status: EscalationStatus, at: float
) -> EscalationStatus:
    if status != row.status:
        connection.execute(
            update(tables.escalations).where(_escalations.id == row.id).values(status=status)
        )
    if semantics.visitor_sees(row.status, status):
        data = semantics.status_event(row.id, row.turn_id, status)
        _tell(connection, row, at, "escalation_status", data)
    return status


def _tell(
    connection: Connection, row: rows.AnyRow, at: float, name: str, data: dict[str, object]
) -> None:
    scope = Scope(row.site, row.subject)
    values = rows.event_values(scope, row.conversation_id, at, name, data)
    connection.execute(insert(tables.visitor_events), [values])
