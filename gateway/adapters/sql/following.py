"""What targets are told after an escalation, and the threads in which they keep it.

It decides that a follow-up is queued in the transaction of what it tells, once each, and when it is
first due: never while the escalation's own delivery to that target is to be tried yet or is under
way. Every function runs inside a transaction of its caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, bindparam, exists, insert, literal_column, or_, select, update

from core.escalation import FollowUp, follow_ups, happened, overtaken
from core.ports import Thread
from core.truth import Threaded
from gateway.adapters import semantics
from gateway.adapters.sql import rows, tables

_deliveries = tables.deliveries.c
_threads = tables.threads.c

OPENING = _deliveries.action == literal_column("'open'")

_OPENINGS = (
    select(_deliveries.target, _deliveries.kind, _deliveries.state, _deliveries.leased_until)
    .add_columns(exists().where(tables.attempts.c.delivery_id == _deliveries.id).label("tried"))
    .where(_deliveries.escalation_id == bindparam("of_id"), OPENING)
)
_ADDED = select(tables.escalations.c.at, tables.escalations.c.id).where(
    tables.escalations.c.part_of == bindparam("of_id")
)
_LEFT = (
    select(tables.escalations.c.id)
    .where(
        or_(
            tables.escalations.c.id == bindparam("of_id"),
            tables.escalations.c.part_of == bindparam("of_id"),
        ),
        tables.escalations.c.consented_at >= bindparam("since"),
    )
    .order_by(tables.escalations.c.part_of.is_not(None), tables.escalations.c.at)
    .order_by(tables.escalations.c.id)
)
_REPLIED = select(tables.replies.c.at, tables.replies.c.id).where(
    tables.replies.c.escalation_id == bindparam("of_id")
)
_KNOWN = (
    select(_deliveries.id, _deliveries.action, _deliveries.about)
    .add_columns(_deliveries.state, _deliveries.leased_until)
    .where(_deliveries.escalation_id == bindparam("of_id"), _deliveries.target == bindparam("to"))
)
_OVERTAKE = (
    update(tables.deliveries)
    .where(_deliveries.id.in_(bindparam("ids", expanding=True)))
    .values(state="skipped", next_at=None)
)
_AGAIN = (
    update(tables.deliveries)
    .where(_deliveries.id.in_(bindparam("ids", expanding=True)))
    .values(state="pending", next_at=bindparam("at"), tries=0)
)
_THREADED = select(_threads.escalation_id, _threads.target).where(
    _threads.team == bindparam("of_team"),
    _threads.channel == bindparam("of_channel"),
    _threads.ts == bindparam("of_ts"),
)
_THREADS = (
    select(tables.threads)
    .where(_threads.escalation_id.in_(bindparam("ids", expanding=True)))
    .order_by(_threads.at, _threads.ts)
)


def queue(
    connection: Connection,
    escalation_id: str,
    at: float,
    what: Sequence[FollowUp],
    *,
    via: str = "",
    only: str = "",
    again: bool = False,
) -> None:
    """Queue what each target that took the escalation, or one `only`, is told now.

    None is told of a reply that was written there (`via`).
    """
    for opening in connection.execute(_OPENINGS, {"of_id": escalation_id}).all():
        begun = opening.tried or opening.leased_until > 0
        meant = opening.target == (only or opening.target)
        if not meant or not semantics.took(opening.state, begun=begun):
            continue
        wanted = follow_ups(opening.kind, what)
        if opening.target == via:
            wanted = [one for one in wanted if one[0] != "reply"]
        due = max(at, opening.leased_until)
        _insert(connection, escalation_id, opening, wanted, due, again=again)


def catch_up(connection: Connection, case: rows.AnyRow, target: str, at: float, since: str) -> None:
    """A target has just taken the escalation: tell it what happened before, once more if need be.

    Contacts that were left before `since`, when the try began, it has read already.
    What it was told earlier came too early: an incident, for one, was closed before it was opened.
    """
    added, replied = (
        [(row.at, row.id) for row in connection.execute(dated, {"of_id": case.id})]
        for dated in (_ADDED, _REPLIED)
    )
    contacts = connection.execute(_LEFT, {"of_id": case.id, "since": since}).scalars()
    what = happened(added, replied, contacts, resolved=case.status == "resolved")
    for opening in connection.execute(_OPENINGS, {"of_id": case.id}).all():
        if opening.target == target:
            wanted = follow_ups(opening.kind, what)
            _insert(connection, case.id, opening, wanted, at, again=True)


def keep_thread(
    connection: Connection, escalation_id: str, target: str, thread: Thread, at: float
) -> None:
    """Store where a target keeps an escalation; a thread stays its first escalation's."""
    if threaded(connection, thread) is None:
        values = {"team": thread.team, "channel": thread.channel, "ts": thread.ts}
        values |= {"target": target, "escalation_id": escalation_id}
        connection.execute(insert(tables.threads), [{**values, "at": at}])


def threaded(connection: Connection, thread: Thread) -> Threaded | None:
    """Whose thread this is; None where it is nobody's."""
    row = connection.execute(
        _THREADED, {"of_team": thread.team, "of_channel": thread.channel, "of_ts": thread.ts}
    ).first()
    return None if row is None else Threaded(row.escalation_id, row.target)


def threads(connection: Connection, due: Iterable[rows.AnyRow]) -> Mapping[tuple[str, str], Thread]:
    """The newest thread of each escalation at each target, as far as a follow-up is among `due`."""
    ids = {row.escalation_id for row in due if row.action != "open"}
    if not ids:
        return {}
    return {
        (row.escalation_id, row.target): Thread(row.team, row.channel, row.ts)
        for row in connection.execute(_THREADS, {"ids": list(ids)})
    }


def _insert(
    connection: Connection,
    escalation_id: str,
    opening: rows.AnyRow,
    wanted: Sequence[FollowUp],
    due: float,
    *,
    again: bool = False,
) -> None:
    if not wanted:
        return
    own = connection.execute(_KNOWN, {"of_id": escalation_id, "to": opening.target}).all()
    known = {(row.action, row.about) for row in own}
    gone = overtaken(opening.kind, wanted)
    over = [row for row in own if row.action in gone and (row.action, row.about) not in wanted]
    # One that is under way has its effect first.
    due = max([due, *(row.leased_until for row in over)])
    undone = [row.id for row in over if row.state in {"pending", *semantics.DEAD_STATES}]
    if undone:
        connection.execute(_OVERTAKE, {"ids": undone})
    new = [
        {
            "escalation_id": escalation_id,
            "target": opening.target,
            "kind": opening.kind,
            "state": "pending",
            "tries": 0,
            "next_at": due,
            "leased_until": 0.0,
            "action": action,
            "about": about,
        }
        for action, about in wanted
        if (action, about) not in known
    ]
    if new:
        connection.execute(insert(tables.deliveries), new)
    repeated = [
        row.id
        for row in own
        if (row.action, row.about) in wanted and (again or row.state == "skipped")
    ]
    if repeated:
        connection.execute(_AGAIN, {"ids": repeated, "at": due})
