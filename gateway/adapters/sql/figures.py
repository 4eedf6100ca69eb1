"""Counts of trajectories, in SQL.

It decides that three passes over an index range count everything: one by how turns were answered,
one each by how long they took. A pass gives some hundreds of rows however many turns there are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Float,
    Integer,
    Select,
    Text,
    bindparam,
    case,
    cast,
    func,
    select,
)

from core.figures import (
    BINS,
    EXACT_MS,
    LONGEST_MS,
    Certainty,
    Group,
    Sums,
    Tally,
    bin_width,
    together,
)
from core.trajectory import Trajectory
from gateway.adapters.sql import locks, tables, trajectories
from gateway.adapters.sql.knowledge import Run

_rows = tables.trajectories.c
_RANGE: Final = (
    _rows.site.in_(bindparam("sites", expanding=True)),
    _rows.at >= bindparam("since"),
    _rows.at < bindparam("until"),
)
_ANSWERED: Final = (
    select(tables.trajectories)
    .where(_rows.conversation_id == bindparam("conversation"))
    .order_by(_rows.at, _rows.turn_id)
)
"""Without the site, which a conversation has one of: SQLite would rather read all of the site's
turns in their order than sort a conversation's few."""


@dataclass(frozen=True, slots=True)
class _Passes:
    """The statements of one kind of database."""

    groups: Select[Any]
    total_ms: Select[Any]
    first_token_ms: Select[Any]


class SqlFigures:
    """A `FigureStore` over the truth's reads."""

    def __init__(self, read: Run) -> None:
        self._read = read

    async def tally(self, sites: tuple[str, ...], since: float, until: float) -> Tally:
        """What is counted of these sites' turns in [since, until), in Unix seconds."""
        asked = {"sites": list(sites), "since": since, "until": until}
        return await self._read(lambda connection: _tally(connection, asked))

    async def answered(self, site: str, conversation_id: str) -> list[Trajectory]:
        """How each turn of a site's conversation was answered, oldest first."""
        asked = {"conversation": conversation_id}
        return await self._read(
            lambda connection: [
                trajectories.of(row)
                for row in connection.execute(_ANSWERED, asked)
                if row.site == site
            ]
        )


def _tally(connection: Connection, asked: Mapping[str, Any]) -> Tally:
    passes = _passes(locks.wanted(connection))
    tally = together(_group(row) for row in connection.execute(passes.groups, asked))
    return Tally(
        tally.groups,
        tally.certainty,
        tally.reasons,
        tally.choices,
        _counts(connection.execute(passes.total_ms, asked)),
        _counts(connection.execute(passes.first_token_ms, asked)),
    )


def _group(row: Any) -> Tally:
    """What is counted of turns that are alike in all that they are grouped by."""
    turns = row.turns
    judged = turns if row.judged else 0
    return Tally(
        {
            Group(row.source, row.tier, row.model, bool(row.escalated)): Sums(
                turns, row.prompt_tokens, row.completion_tokens, row.cost_micros
            )
        },
        {row.place: Certainty(turns, row.confidence, judged, turns if row.good else 0)},
        dict.fromkeys(json.loads(row.reasons), turns) if row.escalated else {},
        {row.reason: turns} if row.reason is not None else {},
    )


def _counts(rows: Iterable[Any]) -> dict[int, int]:
    return {int(row.lower): row.turns for row in rows}


@cache
def _passes(whole_by_floor: bool) -> _Passes:
    """The statements; `whole_by_floor` where a cast to a whole number rounds, as in PostgreSQL."""

    def whole(value: ColumnElement[Any]) -> ColumnElement[int]:
        return cast(func.floor(value) if whole_by_floor else value, BigInteger)

    # By position: a label that a column has too would mean the column to PostgreSQL.
    return _Passes(
        _groups(whole(_rows.confidence * BINS)),
        _times(_lower(_rows.total_ms, whole), _rows.total_ms),
        _times(_lower(_rows.first_token_ms, whole), _rows.first_token_ms),
    )


def _groups(place: ColumnElement[int]) -> Select[Any]:
    keys: dict[str, ColumnElement[Any]] = {
        "source": _rows.source,
        "tier": _rows.tier,
        "model": _rows.model,
        "escalated": _rows.escalated,
        "reason": _rows.reason,
        "reasons": cast(_rows.reasons, Text),
        "place": case((place >= BINS, BINS - 1), else_=place),
        "judged": case((_rows.outcome.is_not(None), 1), else_=0),
        "good": case((_rows.outcome > 0, 1), else_=0),
    }
    alike = (
        select(
            *(key.label(name) for name, key in keys.items()),
            _rows.confidence.label("certain"),
            _rows.prompt_tokens,
            _rows.completion_tokens,
            _rows.cost_micros,
        )
        .where(*_RANGE)
        .subquery()
    )
    columns = alike.c
    return select(
        *(columns[name] for name in keys),
        func.count().label("turns"),
        cast(func.sum(columns.certain), Float).label("confidence"),
        *(
            cast(func.sum(columns[name]), BigInteger).label(name)
            for name in ("prompt_tokens", "completion_tokens", "cost_micros")
        ),
    ).group_by(*(columns[name] for name in keys))


def _times(lower: ColumnElement[int], taken: ColumnElement[Any]) -> Select[Any]:
    bins = select(lower.label("lower")).where(*_RANGE, taken.is_not(None)).subquery()
    return select(bins.c.lower, func.count().label("turns")).group_by(bins.c.lower)


def _lower(taken: ColumnElement[Any], whole: Any) -> ColumnElement[int]:
    """The lower bound of the bin of a time, as `core.figures.latency_bin` has it."""
    bounds = [EXACT_MS]
    while bounds[-1] < LONGEST_MS:
        bounds.append(bounds[-1] * 2)
    widths = [(bound, bin_width(bound // 2)) for bound in bounds]
    return case(
        (taken < 0, 0),
        *((taken < bound, cast(whole(taken / width) * width, Integer)) for bound, width in widths),
        else_=LONGEST_MS,
    )
