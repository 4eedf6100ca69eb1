"""The reasoning bank in SQL: a view of replies, turns and how turns were answered.

Of people it has the cases of one question alone: with a second one nobody knows which of them a
reply answers.

`SqlBank` is the port over the truth's own reads and writes; a driver's error leaves as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, func, or_, select, update

from core.bank import REFUTED, RIGHT, Banked, Wanted, newest, replied
from core.errors import NotFound
from core.messages import MemoryTurn
from gateway.adapters.semantics import visitors_words
from gateway.adapters.sql import tables
from gateway.adapters.sql.knowledge import Run

_ways = tables.trajectories.c
_turns = tables.turns.c
_replies = tables.replies.c
_asked = tables.escalations.c
_added = tables.escalations.alias("added").c
_marks = tables.feedback.c

_IN_IT: Final = (
    _ways.site == bindparam("site"),
    _ways.conversation_id.is_not(None),
    _ways.left_out_by.is_(None),
)
_last = (
    select(_replies.escalation_id, func.max(_replies.at).label("at"))
    .where(_replies.at >= bindparam("since"))
    .group_by(_replies.escalation_id)
    .subquery("last")
)
_PEOPLE: Final = (
    select(
        *(_asked.id, _asked.turn_id, _asked.question, _asked.locale, _last.c.at),
        *(_asked.subject, _asked.conversation_id),
    )
    .join(_last, _last.c.escalation_id == _asked.id)
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
        _asked.status == "resolved",
        _asked.part_of.is_(None),
        ~select(_added.id).where(_added.part_of == _asked.id).exists(),
        or_(_marks.signal.is_(None), _marks.signal.not_in(REFUTED)),
    )
    .order_by(_last.c.at.desc(), _asked.turn_id.desc())
    .limit(bindparam("limit"))
)
_CONTENTS: Final = (
    select(_replies.escalation_id, _replies.content)
    .where(_replies.escalation_id.in_(bindparam("cases", expanding=True)))
    .order_by(_replies.at, _replies.id)
)
_MODELS: Final = (
    select(
        *(_ways.turn_id, _turns.question, _turns.reply, _ways.outcome_at, _ways.locale),
        *(_ways.subject, _turns.conversation_id),
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
_SAID: Final = (
    select(_turns.subject, _turns.conversation_id, _turns.question).where(
        _turns.site == bindparam("site"),
        _turns.conversation_id.in_(bindparam("names", expanding=True)),
    ),
    select(
        *(_asked.subject, _asked.conversation_id, _asked.question, _asked.tail, _asked.contact)
    ).where(
        _asked.site == bindparam("site"),
        _asked.conversation_id.in_(bindparam("names", expanding=True)),
    ),
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
        people = people.where(_asked.turn_id.in_(names))
        models = models.where(_ways.turn_id.in_(names))
    cases = connection.execute(people, asked).all()
    marked = connection.execute(models, asked).all() if wanted.models else ()
    contents = _contents(connection, [row.id for row in cases])
    said = _said(connection, site, [row.conversation_id for row in (*cases, *marked)])
    found = [_of_person(row, contents[row.id], said[_place(row)]) for row in cases]
    found += [_of_model(row, said[_place(row)]) for row in marked]
    return newest(found, 2 * wanted.limit)


def _contents(connection: Connection, cases: Sequence[str]) -> defaultdict[str, list[str]]:
    """What was replied in each case, oldest first."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for row in connection.execute(_CONTENTS, {"cases": cases}):
        found[row.escalation_id].append(row.content)
    return found


def _said(
    connection: Connection, site: str, conversations: Iterable[str]
) -> defaultdict[tuple[str, str], set[str]]:
    """All that each visitor wrote in each of these conversations."""
    named = {"site": site, "names": sorted(set(conversations))}
    turns, escalations = _SAID
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for row in connection.execute(turns, named):
        found[_place(row)].add(row.question)
    for asked in connection.execute(escalations, named):
        tail = [MemoryTurn(**line) for line in asked.tail]
        found[_place(asked)].update(visitors_words(asked.question, tail, asked.contact))
    return found


def _place(row: Any) -> tuple[str, str]:
    return row.subject, row.conversation_id


def _of_person(row: Any, contents: Iterable[str], said: Iterable[str]) -> Banked:
    answer, words = replied(contents), frozenset(said)
    return Banked(row.turn_id, row.question, answer, "person", row.at, row.locale, words)


def _of_model(row: Any, said: Iterable[str]) -> Banked:
    words, at = frozenset(said), row.outcome_at
    return Banked(row.turn_id, row.question, row.reply, "model", at, row.locale, words)


def _leave_out(connection: Connection, named: dict[str, Any]) -> None:
    if not connection.execute(_LEAVE_OUT, named).rowcount:
        raise NotFound("no such answer")
