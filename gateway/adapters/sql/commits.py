"""What calls leave behind, many at once, over a connection that is inside a transaction.

It decides who may write what: a conversation is its first scope's, a receipt's head moves only
from where the caller saw it, a turn has one escalation. Those that lose get their refusal and the
others go on. What only a constraint can tell (a key or a turn that is there already) leaves it
as the driver's error; the group commit then runs each call alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, Table, bindparam, delete, insert, select, update

from core.errors import Conflict, FanlightError, NotFound
from core.messages import EscalationRequest
from core.ports import OpenEscalation, ReceiptLink, Work
from core.receipts import chain_hash
from core.scope import Scope
from gateway.adapters import semantics
from gateway.adapters.sql import rows, tables

Outcome = str | None | FanlightError

_finished = tables.finished_calls.c
_heads = tables.receipt_heads.c
_escalations = tables.escalations.c

_OWNERS = select(tables.conversations).where(
    tables.conversations.c.id.in_(bindparam("ids", expanding=True))
)
_HEADS = (
    select(_heads.sid, _heads.head, _heads.gaps, _heads.gap_at)
    .where(_heads.sid.in_(bindparam("sids", expanding=True)))
    .with_for_update()
)
_KNOWN = (
    select(tables.escalations)
    .where(_escalations.turn_id.in_(bindparam("turn_ids", expanding=True)))
    .with_for_update()
)
_MOVE_HEAD = (
    update(tables.receipt_heads)
    .where(_heads.sid == bindparam("of_sid"))
    .values({name: bindparam(name) for name in ("head", "gaps", "gap_at", "at")})
)
_COMPLETE = (
    update(tables.escalations)
    .where(_escalations.id == bindparam("of_id"))
    .values({name: bindparam(name) for name in ("fallback_text", "tail", "contact", "receipt")})
)
_DROP_FINISHED = delete(tables.finished_calls).where(_finished.at < bindparam("before"))
_DROP_SAME_KEY = _DROP_FINISHED.where(
    _finished.site == bindparam("of_site"),
    _finished.subject == bindparam("of_subject"),
    _finished.key == bindparam("of_key"),
)
_INSERTS = {
    table: insert(table)
    for table in (
        tables.conversations,
        tables.finished_calls,
        tables.receipt_heads,
        tables.turns,
        tables.escalations,
        tables.deliveries,
        tables.visitor_events,
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
    request: EscalationRequest
    changed: bool = False


@dataclass(slots=True)
class _Batch:
    """What the store holds of what the calls touch, and what they change in it."""

    owners: dict[str, Scope] = field(default_factory=dict)
    heads: dict[str, _Head] = field(default_factory=lambda: defaultdict(_Head))
    known: dict[tuple[Scope, str], _Known] = field(default_factory=dict)
    inserts: dict[Table, list[rows.Values]] = field(
        default_factory=lambda: {table: [] for table in _INSERTS}
    )


def commit_all(connection: Connection, works: Sequence[Work]) -> list[Outcome]:
    """Store each call's work; the id of its turn's escalation, None, or its refusal."""
    batch = _read(connection, works)
    outcomes = [_add(batch, work) for work in works]
    _write(connection, batch)
    return outcomes


def commit_alone(connection: Connection, work: Work) -> Outcome:
    """The same for one call, minding a key that was used before and whose time is over."""
    connection.execute(
        _DROP_SAME_KEY,
        {
            "before": work.at - semantics.FINISHED_KEPT_S,
            "of_site": work.scope.site,
            "of_subject": work.scope.subject,
            "of_key": work.key,
        },
    )
    return commit_all(connection, [work])[0]


def drop_finished(connection: Connection, now: float) -> None:
    """Drop the outcomes of idempotent calls that are not given again."""
    connection.execute(_DROP_FINISHED, {"before": now - semantics.FINISHED_KEPT_S})


def _read(connection: Connection, works: Sequence[Work]) -> _Batch:
    batch = _Batch()
    ids = {name for work in works for name in semantics.conversations(work)}
    sids = {work.link.sid for work in works if work.link is not None}
    turn_ids = {work.escalation.request.turn_id for work in works if work.escalation is not None}
    if ids:
        for row in connection.execute(_OWNERS, {"ids": list(ids)}):
            batch.owners[row.id] = Scope(row.site, row.subject)
    if sids:
        for row in connection.execute(_HEADS, {"sids": list(sids)}):
            batch.heads[row.sid] = _Head(row.head, row.gaps, row.gap_at, stored=True)
    if turn_ids:
        for row in connection.execute(_KNOWN, {"turn_ids": list(turn_ids)}):
            scope = Scope(row.site, row.subject)
            batch.known[scope, row.turn_id] = _Known(row.id, rows.request_of(row))
    return batch


def _add(batch: _Batch, work: Work) -> Outcome:
    touched = semantics.conversations(work)
    if any(batch.owners.get(name, work.scope) != work.scope for name in touched):
        return NotFound("no such conversation")
    if work.link is not None and batch.heads[work.link.sid].head != work.link.expected_head:
        return Conflict("the head of the session's receipts has moved")
    for name in touched - batch.owners.keys():
        batch.owners[name] = work.scope
        batch.inserts[tables.conversations].append(rows.conversation_values(work, name))
    batch.inserts[tables.finished_calls].append(rows.finished_values(work))
    if work.link is not None:
        _link(batch.heads[work.link.sid], work, work.link)
    if work.turn is not None:
        batch.inserts[tables.turns].append(rows.turn_values(work, work.turn))
    return None if work.escalation is None else _escalate(batch, work, work.escalation)


def _link(head: _Head, work: Work, link: ReceiptLink) -> None:
    if link.presented != head.head:
        head.gaps += 1
        head.gap_at = work.at
    head.head = chain_hash(link.receipt)
    head.moved_by = work


def _escalate(batch: _Batch, work: Work, opened: OpenEscalation) -> str:
    request = opened.request
    known = batch.known.get((work.scope, request.turn_id))
    if known is not None:
        if not opened.by_gateway:
            known.request = semantics.completed(known.request, request)
            known.changed = True
        return known.id
    batch.known[work.scope, request.turn_id] = _Known(opened.id, request)
    batch.inserts[tables.escalations].append(rows.escalation_values(work, opened))
    batch.inserts[tables.deliveries].extend(rows.delivery_values(work, opened))
    batch.inserts[tables.visitor_events].append(
        rows.event_values(
            work.scope,
            request.conversation_id,
            work.at,
            "escalation_status",
            semantics.status_event(opened.id, request.turn_id, "queued"),
        )
    )
    return opened.id


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
    for table, values in batch.inserts.items():
        if values:
            connection.execute(_INSERTS[table], values)
    if moved:
        connection.execute(_MOVE_HEAD, moved)
    completed = [
        {"of_id": known.id, **rows.addition_values(known.request)}
        for known in batch.known.values()
        if known.changed
    ]
    if completed:
        connection.execute(_COMPLETE, completed)
