"""The reasoning bank over the rows of a truth in memory, under the suite of the store in SQL."""

from __future__ import annotations

from collections.abc import Iterator

from core.bank import REFUTED, RIGHT, Banked, Wanted, is_wanted, newest
from core.errors import NotFound
from core.scope import Scope
from gateway.adapters.memory_rows import EscalationRow, Rows
from gateway.adapters.semantics import visitors_words


class MemoryBank:
    """A `BankStore` over the rows of a truth in memory. No method awaits."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def answers(self, site: str, wanted: Wanted) -> list[Banked]:
        """The answers, newest first."""
        people = newest(self._people(site, wanted), wanted.limit)
        models = newest(self._models(site, wanted), wanted.limit) if wanted.models else []
        return newest([*people, *models], 2 * wanted.limit)

    async def leave_out(self, site: str, turn_id: str, by: str) -> None:
        """Take a turn out of the bank for good; raises `NotFound`."""
        found = [
            name
            for name, one in self._rows.trajectories.items()
            if one.owned and name[0].site == site and name[1] == turn_id
        ]
        if not found:
            raise NotFound("no such answer")
        self._rows.left_out.update(dict.fromkeys(found, by))

    def _people(self, site: str, wanted: Wanted) -> Iterator[Banked]:
        for case in self._rows.cases():
            if case.scope.site != site or case.status != "resolved":
                continue
            asked = {turn.turn_id: turn for turn in case.turns()}
            for reply, (at, _) in zip(case.replies, case.replied, strict=True):
                turn = asked.get(reply.turn_id)
                if turn and is_wanted(wanted, reply.turn_id, at) and self._stands(turn):
                    request = turn.asked.request
                    yield Banked(
                        reply.turn_id,
                        request.question,
                        reply.content,
                        "person",
                        at,
                        request.locale,
                        visitors_words(
                            request.question, request.conversation_tail, request.contact
                        ),
                    )

    def _stands(self, turn: EscalationRow) -> bool:
        name = (turn.scope, turn.turn_id)
        mark = self._rows.feedback.get(name)
        return self._is_in(*name) and (mark is None or mark.feedback.signal not in REFUTED)

    def _is_in(self, scope: Scope, turn_id: str) -> bool:
        name = (scope, turn_id)
        return name in self._rows.trajectories and name not in self._rows.left_out

    def _models(self, site: str, wanted: Wanted) -> Iterator[Banked]:
        for name, one in self._rows.trajectories.items():
            kept = self._rows.turns.get(name)
            if name[0].site != site or kept is None or not self._is_in(*name):
                continue
            right = one.outcome is not None and one.outcome >= RIGHT
            shown, at = one.source == "cloud" and not one.escalated, one.outcome_at or 0.0
            if right and shown and is_wanted(wanted, one.turn_id, at):
                yield Banked(
                    one.turn_id,
                    kept.question,
                    kept.turn.reply,
                    "model",
                    at,
                    one.locale,
                    visitors_words(kept.question, ()),
                )
