"""Trajectories in SQL: what their rows mean, what an outcome changes in them, how they are read.

Every function runs inside a transaction of its caller; a driver's error leaves it as it is.
`SqlLearning` is the port over them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, insert, or_, select, update

from core.learning import Lesson
from core.outcome import of_reply
from core.scope import Scope
from core.subjects import NOBODY
from core.trajectory import Trajectory
from gateway.adapters.sql import tables
from gateway.adapters.sql.knowledge import Run

_rows = tables.trajectories.c
_turns = tables.turns.c

ADD: Final = insert(tables.trajectories)
_NAMES: Final = tuple(one.name for one in fields(Trajectory))
_THIS: Final = (
    _rows.site == bindparam("of_site"),
    _rows.subject == bindparam("of_subject"),
    _rows.turn_id == bindparam("of_turn"),
)
_SET: Final[dict[str, Any]] = {"outcome": bindparam("said"), "outcome_at": bindparam("said_at")}
# What a visitor marks of an escalated turn is not a reply of ours: that was never shown.
_MARK: Final = update(tables.trajectories).where(*_THIS, _rows.escalated.is_(False)).values(_SET)
_REPLY: Final = (
    update(tables.trajectories)
    .where(*_THIS, or_(_rows.outcome.is_(None), _rows.outcome < bindparam("said")))
    .values(_SET)
)
_DRAFTED: Final = select(_turns.reply).where(
    _turns.site == bindparam("of_site"),
    _turns.subject == bindparam("of_subject"),
    _turns.id == bindparam("of_turn"),
)
_LISTED: Final = (
    select(tables.trajectories)
    .where(
        _rows.site == bindparam("site"),
        _rows.at >= bindparam("since"),
        _rows.at < bindparam("until"),
    )
    .order_by(_rows.at.desc(), _rows.turn_id.desc())
    .limit(bindparam("limit"))
)

_LESSONS: Final = (
    select(
        *(_rows.turn_id, _turns.question, _rows.tier, _rows.complexity),
        *(_rows.outcome, _rows.outcome_at),
    )
    .join(
        tables.turns,
        and_(
            _turns.id == _rows.turn_id, _turns.site == _rows.site, _turns.subject == _rows.subject
        ),
    )
    .where(
        _rows.site == bindparam("site"),
        _rows.outcome_at.is_not(None),
        _rows.outcome_at >= bindparam("since"),
        _rows.tier.is_not(None),
    )
    .order_by(_rows.outcome_at.desc(), _rows.turn_id.desc())
    .limit(bindparam("limit"))
)


class SqlLearning:
    """A `LearningStore` over the truth's reads and writes."""

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    async def add(self, site: str, trajectory: Trajectory) -> None:
        """Store one that belongs to nobody; raises `ValueError` for another."""
        if trajectory.owned:
            raise ValueError("a visitor's trajectory is committed with its turn")
        row = values(Scope(site, NOBODY), trajectory)
        await self._write(lambda connection: _add(connection, [row]))

    async def trajectories(
        self, site: str, since: float, until: float, limit: int
    ) -> list[Trajectory]:
        """The site's from `since` on and before `until`, newest first, everybody's."""
        asked = {"site": site, "since": since, "until": until, "limit": limit}
        return await self._read(
            lambda connection: [of(row) for row in connection.execute(_LISTED, asked)]
        )

    async def lessons(self, site: str, since: float, limit: int) -> list[Lesson]:
        """The newest lessons of the site judged since then, oldest first."""
        asked = {"site": site, "since": since, "limit": limit}
        found = await self._read(
            lambda connection: [Lesson(*row) for row in connection.execute(_LESSONS, asked)]
        )
        return found[::-1]


def values(scope: Scope, trajectory: Trajectory) -> dict[str, Any]:
    """A row of `trajectories`: this scope's, or nobody's."""
    return {
        **asdict(trajectory),
        "site": scope.site,
        "subject": scope.subject if trajectory.owned else NOBODY,
        "conversation_id": trajectory.conversation_id or None,
        "reasons": list(trajectory.reasons),
        "scores": dict(trajectory.scores),
    }


def of(row: Any) -> Trajectory:
    """The trajectory that a row holds."""
    found = {name: getattr(row, name) for name in _NAMES}
    return Trajectory(
        **{
            **found,
            "conversation_id": row.conversation_id or "",
            "reasons": tuple(row.reasons),
        }
    )


def said(scope: Scope, turn_id: str, outcome: float, at: float) -> dict[str, Any]:
    """What a statement that sets an outcome is given."""
    named = {"of_site": scope.site, "of_subject": scope.subject, "of_turn": turn_id}
    return {**named, "said": outcome, "said_at": at}


def mark(connection: Connection, marks: Iterable[dict[str, Any]]) -> None:
    """Set what visitors said; each is made by `said`."""
    found = list(marks)
    if found:
        connection.execute(_MARK, found)


def replied(connection: Connection, scope: Scope, turn_id: str, content: str, at: float) -> None:
    """Set what a person's reply says of a turn's own, where that is more than was said before."""
    named = {"of_site": scope.site, "of_subject": scope.subject, "of_turn": turn_id}
    drafted = connection.execute(_DRAFTED, named).scalar()
    outcome = of_reply(drafted or "", content)
    if outcome is not None:
        connection.execute(_REPLY, said(scope, turn_id, outcome, at))


def _add(connection: Connection, found: Sequence[dict[str, Any]]) -> None:
    connection.execute(ADD, found)
