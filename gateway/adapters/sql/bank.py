"""The reasoning bank in SQL: a view of replies, turns and how turns were answered.

`SqlBank` is the port over the truth's own reads and writes; a driver's error leaves as it is.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, or_, select, update

from core.bank import REFUTED, RIGHT, Banked, Wanted, newest
from core.errors import NotFound
from core.messages import MemoryTurn
from gateway.adapters.semantics import visitors_words
from gateway.adapters.sql import tables
from gateway.adapters.sql.knowledge import Run

_ways = tables.trajectories.c
_turns = tables.turns.c
_replies = tables.replies.c
_asked = tables.escalations.c
_cases = tables.escalations.alias("cases")
_marks = tables.feedback.c

_IN_IT: Final = (
    _ways.site == bindparam("site"),
    _ways.conversation_id.is_not(None),
    _ways.left_out_by.is_(None),
)
_PEOPLE: Final = (
    select(
        *(_asked.turn_id, _asked.question, _replies.content, _replies.at),
        *(_asked.locale, _asked.tail, _asked.contact),
    )
    .select_from(tables.replies)
    .join(_cases, _cases.c.id == _replies.escalation_id)
    .join(
        tables.escalations,
        and_(
            _asked.turn_id == _replies.turn_id,
            _asked.site == _cases.c.site,
            _asked.subject == _cases.c.subject,
        ),
    )
    .join(
        tables.trajectories,
        and_(
            _ways.turn_id == _asked.turn_id,
            _ways.site == _asked.site,
            _ways.subject == _asked.subject,
        ),
    )
    .outerjoin(
        tables.feedback,
        and_(
            _marks.turn_id == _asked.turn_id,
            _marks.site == _asked.site,
            _marks.subject == _asked.subject,
        ),
    )
    .where(
        *_IN_IT,
        _cases.c.status == "resolved",
        _replies.at >= bindparam("since"),
        or_(_marks.signal.is_(None), _marks.signal.not_in(REFUTED)),
    )
    .order_by(_replies.at.desc(), _replies.turn_id.desc(), _replies.content.desc())
    .limit(bindparam("limit"))
)
_MODELS: Final = (
    select(
        *(_ways.turn_id, _turns.question, _turns.reply, _ways.outcome_at, _ways.locale),
    )
    .join(
        tables.turns,
        and_(
            _turns.id == _ways.turn_id, _turns.site == _ways.site, _turns.subject == _ways.subject
        ),
    )
    .where(
        *_IN_IT,
        _ways.outcome_at.is_not(None),
        _ways.outcome_at >= bindparam("since"),
        _ways.outcome >= RIGHT,
        _ways.source == "cloud",
        _ways.escalated.is_(False),
    )
    .order_by(_ways.outcome_at.desc(), _ways.turn_id.desc())
    .limit(bindparam("limit"))
)
_LEAVE_OUT: Final = (
    update(tables.trajectories)
    .where(
        _ways.site == bindparam("of_site"),
        _ways.turn_id == bindparam("of_turn"),
        _ways.conversation_id.is_not(None),
    )
    .values(left_out_by=bindparam("by"))
)


class SqlBank:
    """A `BankStore` over the truth's reads and writes."""

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    async def answers(self, site: str, wanted: Wanted) -> list[Banked]:
        """The answers, newest first."""
        return await self._read(lambda connection: _answers(connection, site, wanted))

    async def leave_out(self, site: str, turn_id: str, by: str) -> None:
        """Take a turn out of the bank for good; raises `NotFound`."""
        named = {"of_site": site, "of_turn": turn_id, "by": by}
        await self._write(lambda connection: _leave_out(connection, named))


def _answers(connection: Connection, site: str, wanted: Wanted) -> list[Banked]:
    asked: dict[str, Any] = {"site": site, "since": wanted.since, "limit": wanted.limit}
    people, models = _PEOPLE, _MODELS
    if wanted.turn_ids is not None:
        names = sorted(wanted.turn_ids)
        people = people.where(_replies.turn_id.in_(names))
        models = models.where(_ways.turn_id.in_(names))
    found = [_of_person(row) for row in connection.execute(people, asked)]
    if wanted.models:
        found += [_of_model(row) for row in connection.execute(models, asked)]
    return newest(found, 2 * wanted.limit)


def _of_person(row: Any) -> Banked:
    tail = [MemoryTurn(**line) for line in row.tail]
    words = visitors_words(row.question, tail, row.contact)
    return Banked(row.turn_id, row.question, row.content, "person", row.at, row.locale, words)


def _of_model(row: Any) -> Banked:
    words = visitors_words(row.question, ())
    return Banked(row.turn_id, row.question, row.reply, "model", row.outcome_at, row.locale, words)


def _leave_out(connection: Connection, named: dict[str, Any]) -> None:
    if not connection.execute(_LEAVE_OUT, named).rowcount:
        raise NotFound("no such answer")
