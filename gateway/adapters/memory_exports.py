"""What the truth in memory holds of a visitor, a page at a time.

It decides what each part of an export is found by and ordered by; `core.subjects` fills the pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from core.scope import Scope
from core.subjects import (
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
from gateway.adapters.memory_rows import Rows

Dated = Iterable[tuple[Key, Any]]


def exported(rows: Rows, scope: Scope, since: float, after: Place | None, limit: int) -> Held:
    """A page of what is held of this subject; receipts from `since` on."""

    def look(part: Part, key: Key, room: int) -> Some[Any]:
        found = _PARTS[part](rows, scope)
        later = sorted((one for one in found if one[0] > key), key=lambda one: one[0])
        if part == "receipts":
            later = [one for one in later if float(one[0][0]) >= since]
        if part == "escalations":
            return weighed(later, [_weight(one) for _, one in later], room, alone=room == limit)
        return sliced(later, room)

    return page(scope, look, after, limit)


def _weight(case: Any) -> int:
    return 1 + len(case.added) + len(case.replies)


def _conversations(rows: Rows, scope: Scope) -> Dated:
    return (((place,), place) for place, whose in rows.owners.items() if whose == scope)


def _turns(rows: Rows, scope: Scope) -> Dated:
    for (whose, name), row in rows.turns.items():
        if whose == scope:
            yield (row.at, name), HeldTurn(row.question, row.locale, row.turn)


def _trajectories(rows: Rows, scope: Scope) -> Dated:
    for (whose, name), row in rows.trajectories.items():
        if whose == scope and row.owned:
            yield (row.at, name), row


def _escalations(rows: Rows, scope: Scope) -> Dated:
    return (((row.at, row.id), row.shown()) for row in rows.cases() if row.scope == scope)


def _feedback(rows: Rows, scope: Scope) -> Dated:
    for (whose, name), row in rows.feedback.items():
        if whose == scope:
            yield (row.at, name), HeldFeedback(row.feedback, row.at)


def _events(rows: Rows, scope: Scope) -> Dated:
    for place, event in rows.events.in_scope(scope):
        yield (event.id,), HeldEvent(event.id, place, event.name, event.data)


def _sessions(rows: Rows, scope: Scope) -> Dated:
    for sid, row in rows.heads.items():
        if row.scope == scope:
            yield (sid,), HeldSession(sid, row.head or "", row.gaps)


def _receipts(rows: Rows, scope: Scope) -> Dated:
    for (whose, name), (at, outcome) in rows.finished.items():
        if whose == scope and outcome.receipt is not None:
            yield (at, name), outcome.receipt


_PARTS: Mapping[Part, Callable[[Rows, Scope], Dated]] = {
    "conversations": _conversations,
    "turns": _turns,
    "trajectories": _trajectories,
    "escalations": _escalations,
    "feedback": _feedback,
    "events": _events,
    "sessions": _sessions,
    "receipts": _receipts,
}
