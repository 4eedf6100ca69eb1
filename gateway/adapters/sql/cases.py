"""The open case of each conversation, and the later turns that are added to it.

It decides that a turn is added where a case is open, and what that makes due: what the case's
targets are told, and what they were given up with. Every function runs inside a transaction of its
caller, who holds the conversations.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from core.escalation import FollowUp
from core.messages import EscalationStatus
from gateway.adapters.sql import following, outbox, tables

_escalations = tables.escalations.c

_OPEN = (
    select(_escalations.id, _escalations.open_in, _escalations.status)
    .where(_escalations.open_in.in_(bindparam("conversations", expanding=True)))
    .with_for_update()
)


@dataclass(frozen=True, slots=True)
class Case:
    """The open case of a conversation; `is_new` when this transaction opened it."""

    id: str
    status: EscalationStatus
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What the targets of a case are told: when it happened, and when they hear of it."""

    case: str
    what: FollowUp
    at: float
    due: float


def read(connection: Connection, conversations: Collection[str]) -> dict[str, Case]:
    """The open cases of these conversations."""
    if not conversations:
        return {}
    found = connection.execute(_OPEN, {"conversations": list(conversations)})
    return {row.open_in: Case(row.id, row.status) for row in found}


def tell(connection: Connection, told: Sequence[Told]) -> None:
    """Make due what the targets of each case are told.

    A later turn has what was given up tried again; a contact that takes another's place is told
    anew.
    """
    for one in told:
        action, _ = one.what
        if action == "added":
            outbox.resend(connection, one.case, one.at, dead_only=True)
        following.queue(connection, one.case, one.due, [one.what], again=action == "contact")
