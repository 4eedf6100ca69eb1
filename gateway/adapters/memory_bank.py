"""The reasoning bank over the rows of a truth in memory, under the suite of the store in SQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from core.bank import REFUTED, RIGHT, Banked, Wanted, is_wanted, newest, replied
from core.errors import NotFound
from core.scope import Scope
from gateway.adapters.memory_rows import EscalationRow, Rows
from gateway.adapters.semantics import visitors_words

Said = defaultdict[tuple[Scope, str], set[str]]


class MemoryBank:
    """A `BankStore` over the rows of a truth in memory. No method awaits."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def answers(self, site: str, wanted: Wanted) -> list[Banked]:
        """The answers, newest first."""
        said = self._said(site)
        people = newest(self._people(site, wanted, said), wanted.limit)
        models = newest(self._models(site, wanted, said), wanted.limit) if wanted.models else []
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

    def _people(self, site: str, wanted: Wanted, said: Said) -> Iterator[Banked]:
        for case in self._rows.cases():
            if case.scope.site != site or case.status != "resolved":
                continue
            # With a second question nobody knows which of them a reply answers.
            if case.added or not case.replies:
                continue
            at, request = max(at for at, _ in case.replied), case.asked.request
            if is_wanted(wanted, case.turn_id, at) and self._stands(case):
                content = replied(one.content for one in case.replies_in_order)
                yield Banked(
                    case.turn_id,
                    request.question,
                    content,
                    "person",
                    at,
                    request.locale,
                    frozenset(said[case.scope, case.conversation_id]),
                )

    def _said(self, site: str) -> Said:
        """All that each visitor of the site wrote in each conversation."""
        found: Said = defaultdict(set)
        for (scope, _), kept in self._rows.turns.items():
            if scope.site == site:
                found[scope, kept.turn.conversation_id].add(kept.question)
        for row in self._rows.escalations.values():
            if row.scope.site == site:
                asked = row.asked.request
                words = visitors_words(asked.question, asked.conversation_tail, asked.contact)
                found[row.scope, row.conversation_id].update(words)
        return found

    def _stands(self, turn: EscalationRow) -> bool:
        name = (turn.scope, turn.turn_id)
        mark = self._rows.feedback.get(name)
        return self._is_in(*name) and (mark is None or mark.feedback.signal not in REFUTED)

    def _is_in(self, scope: Scope, turn_id: str) -> bool:
        name = (scope, turn_id)
        return name in self._rows.trajectories and name not in self._rows.left_out

    def _models(self, site: str, wanted: Wanted, said: Said) -> Iterator[Banked]:
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
                    frozenset(said[name[0], kept.turn.conversation_id]),
                )
