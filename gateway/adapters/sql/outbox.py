"""Changes of escalations after they were opened: replies, resolution, deliveries.

It decides what a visitor is told of a change, and that a delivery is leased to one worker at a
time. Every function runs inside a transaction of its caller; a driver's error leaves it as it is.
"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, insert, select, update

from core.errors import NotFound
from core.messages import Attempt, DeliveryState, EscalationStatus, Reply
from core.ports import LeasedDelivery
from core.scope import Scope
from gateway.adapters import semantics
from gateway.adapters.sql import reads, rows, tables

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
    )
    .order_by(_deliveries.next_at, _deliveries.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
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
        _set_status(connection, row, "resolved", at)


def resolved(connection: Connection, escalation_id: str, at: float) -> None:
    """Mark an escalation resolved; again is the same; raises `NotFound`."""
    _set_status(connection, _row(connection, escalation_id), "resolved", at)


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


def lease(connection: Connection, now: float, until: float, limit: int) -> list[LeasedDelivery]:
    """Take due deliveries; nobody else gets them before `until`."""
    due = connection.execute(_DUE, {"now": now, "limit": limit}).all()
    if not due:
        return []
    connection.execute(_LEASE, {"ids": [row.id for row in due], "until": until})
    wanted = {row.escalation_id for row in due}
    query = select(tables.escalations).where(_escalations.id.in_(wanted))
    found = {one.id: one for one in reads.whole(connection, query)}
    return [
        LeasedDelivery(row.id, row.target, row.kind, found[row.escalation_id], row.tries)
        for row in due
    ]


def finish(
    connection: Connection,
    delivery_id: int,
    attempt: Attempt,
    state: DeliveryState,
    next_at: float | None,
    *,
    at: float,
) -> EscalationStatus:
    """Record an attempt and what follows; a delivered one stays so. Raises `NotFound`."""
    known = connection.execute(
        select(_deliveries.escalation_id, _deliveries.state, _deliveries.tries)
        .where(_deliveries.id == delivery_id)
        .with_for_update()
    ).first()
    if known is None:
        raise NotFound("no such delivery")
    change: rows.Values = {"tries": known.tries + 1, "leased_until": 0.0}
    if known.state != "delivered":
        change["state"] = state
        change["next_at"] = next_at if state == "pending" else None
    connection.execute(
        update(tables.deliveries).where(_deliveries.id == delivery_id).values(change)
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
