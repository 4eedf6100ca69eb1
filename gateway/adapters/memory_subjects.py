"""A subject's rights over the truth in memory, under the congruence suite of the store in SQL.

No method awaits between a look and what follows from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice

from core.errors import Conflict
from core.scope import Scope
from core.subjects import (
    NOBODY,
    PAGE,
    Erased,
    Held,
    Kind,
    Merged,
    Place,
)
from core.truth import FINISHED_KEPT_S, Work
from gateway.adapters.memory_budgets import MemoryBudgets
from gateway.adapters.memory_exports import exported
from gateway.adapters.memory_revocations import MemoryRevocations
from gateway.adapters.memory_rows import EscalationRow, Rows


class MemorySubjects:
    """A `SubjectStore` over the rows of a truth in memory."""

    def __init__(self, rows: Rows, revocations: MemoryRevocations, budgets: MemoryBudgets) -> None:
        self._rows = rows
        self._revocations = revocations
        self._budgets = budgets

    async def export(
        self, scope: Scope, since: float, after: Place | None = None, limit: int = PAGE
    ) -> Held:
        """A page of what is held of this subject; receipts from `since` on."""
        return exported(self._rows, scope, since, after, limit)

    async def erase(self, work: Work) -> Erased:
        """Erase the scope of `work`, end its sessions, and store the call's outcome."""
        rows, scope = self._rows, work.scope
        at, _ = rows.finished.get((scope, work.key), (-1.0, None))
        if at >= work.at - FINISHED_KEPT_S:
            raise Conflict("this idempotency key is already finished")
        places = self._conversations(scope)
        asked = [row for row in rows.escalations.values() if row.scope == scope]
        for row in asked:
            if row.case is None:
                self._drop_case(row)
        erased = Erased(
            tuple(places),
            _drop_scope(rows.turns, scope),
            len(asked),
            _drop_scope(rows.feedback, scope),
            rows.events.drop(scope),
            _drop_scope(rows.trajectories, scope),
        )
        _drop_scope(rows.left_out, scope)
        for place in places:
            del rows.owners[place]
            rows.counts.pop(place, None)
        _drop_scope(rows.finished, scope)
        self._budgets.forget_subject(scope.site, scope.subject)
        for head in rows.heads.values():
            if head.scope == scope:
                head.scope = Scope(scope.site, NOBODY)
        await self._revocations.end_subject(scope, work.at)
        rows.finished[scope, work.key] = (work.at, work.finished)
        return erased

    async def merge(self, anonymous: Scope, into: Scope) -> Merged:
        """Move what an anonymous subject has to a signed-in one of the same site."""
        rows = self._rows
        theirs = {name for _, name in self._turn_places(into)}
        stayed = {place for place, name in self._turn_places(anonymous) if name in theirs}
        moved = [place for place in self._conversations(anonymous) if place not in stayed]
        for place in moved:
            self._move(place, anonymous, into)
        for whose, key in [] if stayed else list(rows.finished):
            if whose == anonymous and (into, key) not in rows.finished:
                rows.finished[into, key] = rows.finished.pop((whose, key))
        return Merged(tuple(moved), tuple(sorted(stayed)))

    async def expire(self, before: Mapping[Kind, float], limit: int) -> Mapping[Kind, int]:
        """Delete at most `limit` of each kind from before its time; how many were there."""
        return {kind: self._expire(kind, until, limit) for kind, until in before.items()}

    def _expire(self, kind: Kind, until: float, limit: int) -> int:
        rows = self._rows
        if kind == "turns":
            turns = _oldest(
                ((row.at, _order(name), name) for name, row in rows.turns.items()), until
            )
            places = [
                rows.turns.pop(name).turn.conversation_id for *_, name in islice(turns, limit)
            ]
        elif kind == "feedback":
            marks = _oldest(
                ((row.at, _order(name), name) for name, row in rows.feedback.items()), until
            )
            places = [rows.feedback.pop(name).conversation_id for *_, name in islice(marks, limit)]
        elif kind == "escalations":
            asked = _oldest(((row.at, row.id, row) for row in rows.cases()), until)
            places = []
            for *_, row in islice(asked, limit):
                self._drop_case(row)
                places.append(row.conversation_id)
        elif kind == "trajectories":
            ways = _oldest(
                ((row.at, _order(name), name) for name, row in rows.trajectories.items()), until
            )
            names = [name for *_, name in islice(ways, limit)]
            places = [rows.trajectories.pop(name).conversation_id for name in names]
            for name in names:
                rows.left_out.pop(name, None)
        elif kind == "events":
            places = rows.events.expire(until, limit)
        else:
            heads = _oldest(((row.at, sid, sid) for sid, row in rows.heads.items()), until)
            dropped = [rows.heads.pop(sid) for *_, sid in islice(heads, limit)]
            return len(dropped)
        self._drop_empty(places)
        return len(places)

    def _conversations(self, scope: Scope) -> list[str]:
        return sorted(place for place, whose in self._rows.owners.items() if whose == scope)

    def _turn_places(self, scope: Scope) -> Iterable[tuple[str, str]]:
        """The conversation and id of every turn that was stored or escalated."""
        for (whose, name), row in self._rows.turns.items():
            if whose == scope:
                yield row.turn.conversation_id, name
        for (whose, name), asked in self._rows.by_turn.items():
            if whose == scope:
                yield asked.conversation_id, name

    def _move(self, place: str, anonymous: Scope, into: Scope) -> None:
        rows = self._rows
        rows.owners[place] = into
        for whose, name in list(rows.turns):
            if whose == anonymous and rows.turns[whose, name].turn.conversation_id == place:
                rows.turns[into, name] = rows.turns.pop((whose, name))
        for whose, name in list(rows.by_turn):
            if whose == anonymous and rows.by_turn[whose, name].conversation_id == place:
                rows.by_turn[into, name] = row = rows.by_turn.pop((whose, name))
                row.scope = into
        for whose, name in list(rows.feedback):
            if whose == anonymous and rows.feedback[whose, name].conversation_id == place:
                rows.feedback[into, name] = rows.feedback.pop((whose, name))
        for whose, name in list(rows.trajectories):
            held = rows.trajectories[whose, name]
            if whose == anonymous and held.conversation_id == place:
                rows.trajectories[into, name] = rows.trajectories.pop((whose, name))
                if (whose, name) in rows.left_out:
                    rows.left_out[into, name] = rows.left_out.pop((whose, name))
        rows.events.move(place, anonymous, into)

    def _drop_case(self, row: EscalationRow) -> None:
        rows = self._rows
        for delivery in row.deliveries:
            rows.deliveries.drop(delivery)
        rows.reply_ids.difference_update(reply.id for reply in row.replies)
        for thread in [one for one, of in rows.threads.items() if of.escalation_id == row.id]:
            del rows.threads[thread]
        for turn in row.turns():
            del rows.by_turn[turn.scope, turn.turn_id]
            del rows.escalations[turn.id]
        if rows.open_cases.get(row.conversation_id) is row:
            del rows.open_cases[row.conversation_id]

    def _drop_empty(self, places: Iterable[str]) -> None:
        rows = self._rows
        held = {row.turn.conversation_id for row in rows.turns.values()}
        held |= {row.conversation_id for row in rows.escalations.values()}
        held |= {row.conversation_id for row in rows.feedback.values()}
        held |= {row.conversation_id for row in rows.trajectories.values()}
        for place in set(places) - held:
            if not rows.events.has(place):
                rows.owners.pop(place, None)
                rows.counts.pop(place, None)


def _drop_scope[Row](rows: dict[tuple[Scope, str], Row], scope: Scope) -> int:
    names = [name for name in rows if name[0] == scope]
    for name in names:
        del rows[name]
    return len(names)


def _order(name: tuple[Scope, str]) -> str:
    """What rows of one moment are ordered by."""
    scope, own = name
    return f"{own} {scope.site} {scope.subject}"


def _oldest[Row](
    dated: Iterable[tuple[float, str, Row]], until: float
) -> Iterable[tuple[float, str, Row]]:
    return sorted((one for one in dated if one[0] < until), key=lambda one: one[:2])
