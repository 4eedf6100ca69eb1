"""Changes of escalations after they were opened: replies, resolution, deliveries.

It decides what a visitor is told of a change, that a delivery is leased to one worker at a time,
and that one whose escalation cannot be read has failed, so that it holds up no other. Every
function runs inside a transaction of its caller; a driver's error leaves it as it is.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, bindparam, insert, or_, select, update

from core.encoding import timestamp
from core.errors import NotFound
from core.escalation import FollowUp, answered
from core.messages import Attempt, DeliveryState, Escalation, EscalationStatus, Reply
from core.ports import Thread
from core.scope import Scope
from core.truth import LeasedDelivery, Threaded
from gateway.adapters import semantics
from gateway.adapters.sql import following, locks, reads, rows, tables, trajectories

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
        _escalations.at,
    )
    .where(_escalations.id == reads.CASE)
    .with_for_update()
)
_ADDED = (
    select(_escalations.id, _escalations.turn_id, _escalations.at)
    .where(_escalations.part_of == bindparam("of_id"))
    .order_by(_escalations.at, _escalations.id)
)
_CONVERSATION = select(_escalations.conversation_id).where(_escalations.id == bindparam("id"))
_LEASE = (
    update(tables.deliveries)
    .where(_deliveries.id.in_(bindparam("ids", expanding=True)))
    .values(leased_until=bindparam("until"))
)
_DUE = (
    select(_deliveries.id, _deliveries.escalation_id, _deliveries.tries)
    .add_columns(_deliveries.target, _deliveries.kind, _deliveries.action, _deliveries.about)
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
    .where(_deliveries.escalation_id == bindparam("of_id"), reads.PENDING, following.OPENING)
    .values(state="skipped", next_at=None)
)


@dataclass(frozen=True, slots=True)
class Word:
    """What goes with a reply or an end: when, in which target it was said (empty: in none), and how
    many of the case's turns whoever said it had before them (None: all)."""

    at: float
    via: str = ""
    seen: int | None = None


def reply(connection: Connection, reply: Reply, word: Word, *, resolve: bool) -> bool:
    """Store a person's reply to what was seen, and the visitor's event; whether that resolved it.

    Raises `NotFound`.
    """
    row, at = _row(connection, reply.escalation_id), word.at
    turns = _turns(connection, row)
    unseen = semantics.unseen(turns, word.seen, row.status)
    newest = turns[len(turns) - len(unseen) - 1]
    reply = replace(reply, escalation_id=row.id, turn_id=newest.turn_id)
    connection.execute(
        insert(tables.replies),
        [
            {
                "id": reply.id,
                "escalation_id": row.id,
                "turn_id": reply.turn_id,
                "author": reply.author,
                "content": reply.content,
                "created_at": reply.created_at,
                "at": semantics.replied_at(at, (turn.at for turn in unseen)),
            }
        ],
    )
    whose = Scope(row.site, row.subject)
    trajectories.replied(connection, whose, reply.turn_id, reply.content, at)
    _tell(connection, row, at, "human_reply", semantics.reply_event(reply))
    told = answered(reply.id, [turn.id for turn in unseen])
    following.queue(connection, row.id, at, told, via=word.via)
    if resolve and not unseen:
        _resolve(connection, row, at)
    return resolve and not unseen


def resolved(connection: Connection, escalation_id: str, word: Word) -> bool:
    """Mark an escalation resolved unless there is what was not seen; whether it is.

    Raises `NotFound`.
    """
    row = _row(connection, escalation_id)
    unseen = semantics.unseen(_turns(connection, row), word.seen, row.status)
    if not unseen:
        _resolve(connection, row, word.at)
        return True
    if word.via:
        what: list[FollowUp] = [("unseen", unseen[-1].id)]
        following.queue(connection, row.id, word.at, what, only=word.via, again=True)
    return False


def resend(
    connection: Connection, escalation_id: str, at: float, *, dead_only: bool = False
) -> int:
    """Make deliveries that are not delivered due again; how many; raises `NotFound`."""
    row = _row(connection, escalation_id)
    again = update(tables.deliveries).where(_deliveries.escalation_id == row.id)
    if dead_only:
        again = again.where(_deliveries.state.in_(semantics.DEAD_STATES))
        if row.status == "resolved":
            again = again.where(_deliveries.action != "open")
    else:
        again = again.where(
            _deliveries.state != "delivered",
            or_(following.OPENING, _deliveries.state != "skipped"),
        )
    changed = connection.execute(again.values(state="pending", next_at=at, tries=0))
    _follow(connection, row, at)
    return changed.rowcount


@dataclass(frozen=True, slots=True)
class Leasing:
    """Which due deliveries to take, and until when."""

    now: float
    until: float
    limit: int
    except_targets: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Leased:
    """What was taken: deliveries to be tried, and ids of those whose escalation is unreadable."""

    deliveries: list[LeasedDelivery] = field(default_factory=list)
    damaged: list[int] = field(default_factory=list)


def lease(connection: Connection, wanted: Leasing) -> Leased:
    """Take due deliveries; nobody else gets them before `until`.

    It holds rows of deliveries, and so must take no other lock: the damaged are failed afterwards
    (`fail_damaged`), each in a transaction of its own.
    """
    due = connection.execute(
        _DUE,
        {"now": wanted.now, "limit": wanted.limit, **reads.left_out(wanted.except_targets)},
    ).all()
    if not due:
        return Leased()
    connection.execute(_LEASE, {"ids": [row.id for row in due], "until": wanted.until})
    found = _readable(connection, {row.escalation_id for row in due})
    threads = following.threads(connection, due)
    taken = [
        LeasedDelivery(
            row.id,
            row.target,
            row.kind,
            found[row.escalation_id],
            row.tries,
            row.action,
            row.about,
            threads.get((row.escalation_id, row.target)),
        )
        for row in due
        if row.escalation_id in found
    ]
    return Leased(taken, [row.id for row in due if row.escalation_id not in found])


def fail_damaged(connection: Connection, delivery_id: int, at: float) -> None:
    """Record that a delivery's escalation cannot be read; raises `NotFound`."""
    damaged = Attempt(timestamp(at), "damaged", detail=DAMAGED)
    finish(connection, delivery_id, damaged, "failed", None, at=at)


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
    thread: Thread | None = None,
) -> EscalationStatus:
    """Record an attempt and what follows; raises `NotFound`."""
    # The escalation's row is locked first, as by every other change: two orders would deadlock.
    row = _row(connection, _delivery(connection, delivery_id).escalation_id)
    known = _delivery(connection, delivery_id, for_update=True)
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
    if thread is not None:
        following.keep_thread(connection, known.escalation_id, known.target, thread, at)
    if known.action == "open" and state == "delivered" != known.state:
        following.catch_up(connection, row, known.target, at, attempt.at)
    return _follow(connection, row, at)


def keep_thread(connection: Connection, thread: Thread, threaded: Threaded, at: float) -> None:
    """Store whose thread this is; raises `NotFound`."""
    row = _row(connection, threaded.escalation_id)
    following.keep_thread(connection, row.id, threaded.target, thread, at)


def put_off(connection: Connection, delivery_id: int, until: float) -> None:
    """Give a leased delivery back untried, due at `until`; raises `NotFound`."""
    known = _delivery(connection, delivery_id, for_update=True)
    connection.execute(
        update(tables.deliveries)
        .where(_deliveries.id == delivery_id)
        .values(leased_until=0.0, next_at=until if known.state == "pending" else None)
    )


def _delivery(connection: Connection, delivery_id: int, *, for_update: bool = False) -> rows.AnyRow:
    query = select(tables.deliveries).where(_deliveries.id == delivery_id)
    known = connection.execute(query.with_for_update() if for_update else query).first()
    if known is None:
        raise NotFound("no such delivery")
    return known


def _row(connection: Connection, escalation_id: str) -> rows.AnyRow:
    """The case, which nobody else changes from here on; raises `NotFound`."""
    if locks.wanted(connection):
        held = connection.execute(_CONVERSATION, {"id": escalation_id}).scalar()
        locks.hold(connection, *([locks.conversation(held)] if held else ()))
    row: rows.AnyRow | None = connection.execute(_ESCALATION, {"id": escalation_id}).first()
    if row is None:
        raise NotFound("no such escalation")
    return row


def _follow(connection: Connection, row: rows.AnyRow, at: float) -> EscalationStatus:
    states = connection.execute(
        select(_deliveries.state).where(_deliveries.escalation_id == row.id, following.OPENING)
    ).scalars()
    return _set_status(connection, row, semantics.overall(row.status, states), at)


def _resolve(connection: Connection, row: rows.AnyRow, at: float) -> None:
    connection.execute(_SKIP, {"of_id": row.id})
    following.queue(connection, row.id, at, [("resolve", "")])
    _set_status(connection, row, "resolved", at)


def _set_status(
    connection: Connection, row: rows.AnyRow, status: EscalationStatus, at: float
) -> EscalationStatus:
    if status != row.status:
        whole = or_(_escalations.id == row.id, _escalations.part_of == row.id)
        connection.execute(update(tables.escalations).where(whole).values(status=status))
    if status == "resolved":
        case = update(tables.escalations).where(_escalations.id == row.id)
        connection.execute(case.values(open_in=None))
    if semantics.visitor_sees(row.status, status):
        for turn in _turns(connection, row):
            data = semantics.status_event(turn.id, turn.turn_id, status)
            _tell(connection, row, at, "escalation_status", data)
    return status


def _turns(connection: Connection, row: rows.AnyRow) -> list[rows.AnyRow]:
    """The case and what was added to it, oldest first."""
    return [row, *connection.execute(_ADDED, {"of_id": row.id})]


def _tell(
    connection: Connection, row: rows.AnyRow, at: float, name: str, data: Mapping[str, object]
) -> None:
    scope = Scope(row.site, row.subject)
    values = rows.event_values(scope, row.conversation_id, at, name, data)
    connection.execute(insert(tables.visitor_events), [values])
