"""What a group of calls touches in the store, and what it changes there, before it is written."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Table

from core.messages import EscalationStatus
from core.scope import Scope
from core.truth import Work
from gateway.adapters.semantics import Asked
from gateway.adapters.sql import cases, rows, tables

WRITTEN: Final = (
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
"""The tables that calls add rows to, in the order in which the rows refer to each other."""


@dataclass(slots=True)
class Head:
    """The newest receipt of a session."""

    head: str | None = None
    gaps: int = 0
    gap_at: float | None = None
    stored: bool = False
    moved_by: Work | None = None


@dataclass(slots=True)
class Known:
    """An escalation, as it stands in the store and after these calls."""

    id: str
    asked: Asked
    conversation_id: str
    status: EscalationStatus = "queued"
    replied: bool = False
    part_of: str | None = None
    changed: bool = False
    hastened_at: float | None = None


@dataclass(slots=True)
class Batch:
    """What the store holds of what the calls touch, and what they change in it."""

    owners: dict[str, Scope] = field(default_factory=dict)
    # How many turns each conversation was given numbers for, and which of them went on.
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    counted: set[str] = field(default_factory=set)
    heads: dict[str, Head] = field(default_factory=lambda: defaultdict(Head))
    known: dict[tuple[Scope, str], Known] = field(default_factory=dict)
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
        default_factory=lambda: {table: [] for table in WRITTEN}
    )
