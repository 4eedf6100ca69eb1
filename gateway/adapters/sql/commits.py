"""What calls leave behind, many at once, over a connection that is inside a transaction.

It decides who may write what: a conversation is its first scope's, a turn has one conversation and
one escalation, which is added to the conversation's open one where there is one, and a receipt's
head moves only from where the caller saw it. Those that lose get their
refusal and the others go on. What only a constraint tells of many (a key or a turn that is there
already) leaves it as the driver's error; the group commit then runs each call alone, which looks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import (
    Connection,
    Table,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from core import outcome
from core.errors import Conflict, Ended, Exists, FanlightError, NotFound
from core.messages import EscalationStatus
from core.receipts import chain_hash
from core.scope import Scope
from core.subjects import Feedback
from core.truth import FINISHED_KEPT_S, Committed, OpenEscalation, ReceiptLink, Work
from gateway.adapters import semantics
from gateway.adapters.semantics import Asked
from gateway.adapters.sql import cases, locks, reads, rows, tables, trajectories

Outcome = Committed | FanlightError | None

_finished = tables.finished_calls.c
_heads = tables.receipt_heads.c
_turns = tables.turns.c
_escalations = tables.escalations.c
_deliveries = tables.deliveries.c
_ends = tables.ended_subjects.c
_marks = tables.feedback.c

_OWNERS = select(tables.conversations).where(
    tables.conversations.c.id.in_(bindparam("ids", expanding=True))
)
_HEADS = (
    select(_heads.sid, _heads.head, _heads.gaps, _heads.gap_at)
    .where(_heads.sid.in_(bindparam("sids", expanding=True)))
    .with_for_update()
)
_PLACES = select(_turns.site, _turns.subject, _turns.id, _turns.conversation_id).where(
    _turns.id.in_(bindparam("turn_ids", expanding=True))
)
_KNOWN = (
    select(tables.escalations)
    .add_columns(
        exists()
        .where(
            tables.replies.c.escalation_id == func.coalesce(_escalations.part_of, _escalations.id),
            # What was said before a later turn answers that one no less than the case.
            or_(_escalations.part_of.is_(None), tables.replies.c.at >= _escalations.at),
        )
        .label("replied")
    )
    .where(_escalations.turn_id.in_(bindparam("turn_ids", expanding=True)))
    .with_for_update()
)
_ENDED = select(_ends.site, _ends.subject, _ends.at).where(
    _ends.subject.in_(bindparam("subjects", expanding=True))
)
_UNMARK = delete(tables.feedback).where(
    _marks.site == bindparam("of_site"),
    _marks.subject == bindparam("of_subject"),
    _marks.turn_id == bindparam("of_turn"),
)
_MOVE_HEAD = (
    update(tables.receipt_heads)
    .where(_heads.sid == bindparam("of_sid"))
    .values({name: bindparam(name) for name in ("head", "gaps", "gap_at", "at")})
)
_CHANGE = (
    update(tables.escalations)
    .where(_escalations.id == bindparam("of_id"))
    .values({name: bindparam(name) for name in rows.ASKED})
)
# One that was tried keeps to its schedule, and so does what tells of something else.
_HASTEN = (
    update(tables.deliveries)
    .where(
        _deliveries.escalation_id == bindparam("of_case"),
        _deliveries.action == bindparam("of_action"),
        _deliveries.about == bindparam("of_about"),
        reads.PENDING,
        _deliveries.tries == 0,
        _deliveries.next_at > bindparam("now"),
    )
    .values(next_at=bindparam("now"))
)
_DROP_FINISHED = delete(tables.finished_calls).where(_finished.at < bindparam("before"))
_THIS_KEY = (
    _finished.site == bindparam("of_site"),
    _finished.subject == bindparam("of_subject"),
    _finished.key == bindparam("of_key"),
)
_SAME_KEY = select(_finished.at).where(*_THIS_KEY)
_DROP_SAME_KEY = _DROP_FINISHED.where(*_THIS_KEY)
_INSERTS = {
    table: insert(table)
    for table in (
        tables.conversations,
        tables.finished_calls,
        tables.receipt_heads,
        tables.turns,
        tables.trajectories,
        tables.escalations,
        tables.deliveries,
        tables.visitor_events,
        tables.feedback,
    )
}
"""In the order in which the rows refer to each other."""


@dataclass(slots=True)
class _Head:
    head: str | None = None
    gaps: int = 0
    gap_at: float | None = None
    stored: bool = False
    moved_by: Work | None = None


@dataclass(slots=True)
class _Known:
    id: str
    asked: Asked
    conversation_id: str
    status: EscalationStatus = "queued"
    replied: bool = False
    part_of: str | None = None
    changed: bool = False
    hastened_at: float | None = None


@dataclass(slots=True)
class _Batch:
    """What the store holds of what the calls touch, and what they change in it."""

    owners: dict[str, Scope] = field(default_factory=dict)
    heads: dict[str, _Head] = field(default_factory=lambda: defaultdict(_Head))
    known: dict[tuple[Scope, str], _Known] = field(default_factory=dict)
    # Turn and conversation of those turns that were looked for.
    turns: dict[tuple[Scope, str], str] = field(default_factory=dict)
    finished: set[tuple[Scope, str]] = field(default_factory=set)
    # When the sessions of those visitors were ended whose sessions ever were.
    ended: dict[Scope, float] = field(default_factory=dict)
    # By conversation.
    open_cases: dict[str, cases.Case] = field(default_factory=dict)
    told: list[cases.Told] = field(default_factory=list)
    marks: dict[tuple[Scope, str], rows.Values] = field(default_factory=dict)
    outcomes: dict[tuple[Scope, str], rows.Values] = field(default_factory=dict)
    inserts: dict[Table, list[rows.Values]] = field(
        default_factory=lambda: {table: [] for table in _INSERTS}
    )


def commit_all(connection: Connection, works: Sequence[Work]) -> list[Outcome]:
    """Store each call's work; the escalation it asks for, None, or its refusal."""
    batch = _read(connection, works)
    # A turn to be stored is new nearly always: its constraint tells when it is not.
    _read_turns(connection, batch, [work for work in works if work.turn is None])
    return _store(connection, batch, works)


def commit_alone(connection: Connection, work: Work) -> Outcome:
    """The same for one call, looking for what only a constraint tells of many.

    A key that was used before is free again once its time is over.
    """
    places = semantics.places(work)
    locks.hold(
        connection,
        locks.subject(work.scope),
        *(locks.turn(name) for name in _turn_ids([work])),
        *(locks.conversation(name) for _, name in places),
    )
    key = {"of_site": work.scope.site, "of_subject": work.scope.subject, "of_key": work.key}
    connection.execute(_DROP_SAME_KEY, {**key, "before": work.at - FINISHED_KEPT_S})
    batch = _read(connection, [work])
    _read_turns(connection, batch, [work])
    if connection.execute(_SAME_KEY, key).first() is not None:
        batch.finished.add((work.scope, work.key))
    return _store(connection, batch, [work])[0]


def _read(connection: Connection, works: Sequence[Work]) -> _Batch:
    batch = _Batch()
    ids = {name for work in works for name in semantics.conversations(work)}
    sids = {work.link.sid for work in works if work.link is not None}
    subjects = {work.scope.subject for work in works if work.began is not None}
    turn_ids = _turn_ids(works)
    if subjects:
        for site, subject, at in connection.execute(_ENDED, {"subjects": list(subjects)}):
            batch.ended[Scope(site, subject)] = at
    if ids:
        for row in connection.execute(_OWNERS, {"ids": list(ids)}):
            batch.owners[row.id] = Scope(row.site, row.subject)
    if sids:
        for row in connection.execute(_HEADS, {"sids": list(sids)}):
            batch.heads[row.sid] = _Head(row.head, row.gaps, row.gap_at, stored=True)
    if turn_ids:
        for row in connection.execute(_KNOWN, {"turn_ids": list(turn_ids)}):
            batch.known[Scope(row.site, row.subject), row.turn_id] = _Known(
                row.id, rows.asked_of(row), row.conversation_id, row.status, row.replied,
                row.part_of,
            )  # fmt: skip
    asking = {one.escalation.request.conversation_id for one in works if one.escalation is not None}
    batch.open_cases = cases.read(connection, asking)
    return batch


def _read_turns(connection: Connection, batch: _Batch, works: Sequence[Work]) -> None:
    turn_ids = _turn_ids(works)
    if turn_ids:
        for row in connection.execute(_PLACES, {"turn_ids": list(turn_ids)}):
            batch.turns[Scope(row.site, row.subject), row.id] = row.conversation_id


def _turn_ids(works: Sequence[Work]) -> set[str]:
    """Every turn that the calls name."""
    marked = {work.feedback.turn_id for work in works if work.feedback is not None}
    return marked | {turn_id for work in works for turn_id, _ in semantics.places(work)}


def _store(connection: Connection, batch: _Batch, works: Sequence[Work]) -> list[Outcome]:
    outcomes = [_refusal(batch, work) or _add(batch, work) for work in works]
    _write(connection, batch)
    return outcomes


def _refusal(batch: _Batch, work: Work) -> FanlightError | None:
    """Why the work may not be stored; the reasons in the order that every store keeps."""
    if work.began is not None and work.began <= batch.ended.get(work.scope, -1.0):
        return Ended("the visitor's sessions were ended")
    if work.link is not None and batch.heads[work.link.sid].head != work.link.expected_head:
        return Conflict("the head of the session's receipts has moved")
    for turn_id, conversation in semantics.places(work):
        if batch.owners.get(conversation, work.scope) != work.scope:
            return NotFound("no such conversation")
        known = batch.known.get((work.scope, turn_id))
        escalated = conversation if known is None else known.conversation_id
        if batch.turns.get((work.scope, turn_id), escalated) != conversation:
            return NotFound("no such turn in this conversation")
    if work.feedback is not None and _place(batch, work.scope, work.feedback.turn_id) is None:
        return NotFound("no such turn")
    if (work.scope, work.key) in batch.finished:
        return Conflict("this idempotency key is already finished")
    if work.turn is not None and (work.scope, work.turn.id) in batch.turns:
        return Exists("this turn is already stored")
    return None


def _place(batch: _Batch, scope: Scope, turn_id: str) -> str | None:
    """The conversation of a turn that was stored or escalated."""
    known = batch.known.get((scope, turn_id))
    return batch.turns.get((scope, turn_id), known.conversation_id if known else None)


def _add(batch: _Batch, work: Work) -> Committed | None:
    for name in semantics.conversations(work) - batch.owners.keys():
        batch.owners[name] = work.scope
        batch.inserts[tables.conversations].append(rows.conversation_values(work, name))
    batch.finished.add((work.scope, work.key))
    batch.inserts[tables.finished_calls].append(rows.finished_values(work))
    if work.link is not None:
        _link(batch.heads[work.link.sid], work, work.link)
    if work.turn is not None:
        batch.turns[work.scope, work.turn.id] = work.turn.conversation_id
        batch.inserts[tables.turns].append(rows.turn_values(work, work.turn))
    if work.trajectory is not None:
        row = trajectories.values(work.scope, work.trajectory)
        batch.inserts[tables.trajectories].append(row)
    if work.feedback is not None:
        _judge(batch, work, work.feedback)
        place = _place(batch, work.scope, work.feedback.turn_id) or ""
        values = rows.feedback_values(work, work.feedback, place)
        batch.marks[work.scope, work.feedback.turn_id] = values
    return None if work.escalation is None else _escalate(batch, work, work.escalation)


def _judge(batch: _Batch, work: Work, mark: Feedback) -> None:
    turn = (work.scope, mark.turn_id)
    said = outcome.of_mark(mark.signal, person_asked=turn in batch.known)
    if said is not None:
        batch.outcomes[turn] = trajectories.said(*turn, said, work.at)


def _link(head: _Head, work: Work, link: ReceiptLink) -> None:
    if link.presented != head.head:
        head.gaps += 1
        head.gap_at = work.at
    head.head = chain_hash(link.receipt)
    head.moved_by = work


def _escalate(batch: _Batch, work: Work, opened: OpenEscalation) -> Committed:
    request, asked = opened.request, semantics.asked(opened)
    known = batch.known.get((work.scope, request.turn_id))
    if known is not None:
        _join(batch, known, asked, work.at)
        return Committed(known.id, known.status)
    case = batch.open_cases.get(request.conversation_id)
    part_of = case.id if case else None
    if case is None:
        batch.open_cases[request.conversation_id] = cases.Case(opened.id, "queued", is_new=True)
        batch.inserts[tables.deliveries].extend(rows.delivery_values(work, opened))
    elif not case.is_new:
        due = semantics.first_due(opened, work.at)
        batch.told.append(cases.Told(case.id, ("added", opened.id), work.at, due))
    status = semantics.status_of_added(case.status) if case else "queued"
    batch.known[work.scope, request.turn_id] = _Known(
        opened.id, asked, request.conversation_id, status, part_of=part_of
    )
    batch.inserts[tables.escalations].append(rows.escalation_values(work, opened, status, part_of))
    batch.inserts[tables.visitor_events].append(
        rows.event_values(
            work.scope,
            request.conversation_id,
            work.at,
            "escalation_status",
            semantics.status_event(opened.id, request.turn_id, status),
        )
    )
    return Committed(opened.id, status)


def _join(batch: _Batch, known: _Known, later: Asked, at: float) -> None:
    before = known.asked
    known.asked = semantics.joined(before, later, known.status, replied=known.replied)
    known.changed = known.changed or known.asked != before
    if semantics.is_left(before.request, known.asked.request):
        case = known.part_of or known.id
        batch.told.append(cases.Told(case, ("contact", known.id), at, at))
    if semantics.untouched(known.status, replied=known.replied):
        return
    if later.provenance == "client" and known.hastened_at is None:
        known.hastened_at = at


def _write(connection: Connection, batch: _Batch) -> None:
    moved: list[rows.Values] = []
    for sid, head in batch.heads.items():
        if head.moved_by is not None:
            new = {"head": head.head, "gaps": head.gaps, "gap_at": head.gap_at}
            new["at"] = head.moved_by.at
            if head.stored:
                moved.append({"of_sid": sid, **new})
            else:
                batch.inserts[tables.receipt_heads].append(
                    {"sid": sid, **rows.scope_values(head.moved_by.scope), **new}
                )
    if batch.marks:
        connection.execute(_UNMARK, [rows.mark_named(one) for one in batch.marks.values()])
        batch.inserts[tables.feedback].extend(batch.marks.values())
    for table, values in batch.inserts.items():
        if values:
            connection.execute(_INSERTS[table], values)
    trajectories.mark(connection, batch.outcomes.values())
    if moved:
        connection.execute(_MOVE_HEAD, moved)
    changed = [known for known in batch.known.values() if known.changed]
    if changed:
        connection.execute(
            _CHANGE, [{"of_id": known.id, **rows.asked_values(known.asked)} for known in changed]
        )
    cases.tell(connection, batch.told)
    hastened = [_hastened(known) for known in batch.known.values() if known.hastened_at is not None]
    if hastened:
        connection.execute(_HASTEN, hastened)


def _hastened(known: _Known) -> rows.Values:
    """What of a case's deliveries tells of this escalation: its own, or that it was added."""
    what = ("open", "") if known.part_of is None else ("added", known.id)
    values = dict(zip(("of_action", "of_about"), what, strict=True))
    return {"of_case": known.part_of or known.id, **values, "now": known.hastened_at}
