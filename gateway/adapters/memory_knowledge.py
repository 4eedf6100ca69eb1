"""What operators changed of knowledge bases, in this process's memory.

It keeps what the same store in SQL keeps, under the same congruence suite, and opens nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from core.errors import Conflict, NotFound
from core.knowledge import Edit, Mark, Missed, Publication
from gateway.adapters import semantics
from gateway.adapters.memory_rows import EscalationRow


class MemoryKnowledge:
    """A `KnowledgeStore`; `escalations` gives the rows of the truth that it is a part of."""

    def __init__(self, escalations: Callable[[], Iterable[EscalationRow]]) -> None:
        self._escalations = escalations
        self._edits: list[Edit] = []
        self._marks: dict[str, Mark] = {}
        self._priors: dict[str, float] = {}
        self._publications: defaultdict[str, list[Publication]] = defaultdict(list)

    async def edits(self, site: str, after: int) -> list[Edit]:
        """The site's edits with a greater number, in order."""
        return [edit for edit in self._edits[after:] if edit.site == site]

    async def append(self, edits: Sequence[Edit], *, seen: int | None = None) -> list[Edit]:
        """Store edits, all or none; raises `Conflict`."""
        if seen is not None:
            newer = {(edit.site, edit.key) for edit in self._edits if edit.number > seen}
            if any((edit.site, edit.key) in newer for edit in edits):
                raise Conflict("the entry was changed meanwhile")
        first = len(self._edits) + 1
        stored = [replace(edit, number=at) for at, edit in enumerate(edits, start=first)]
        self._edits += stored
        return stored

    async def marks(self, site: str) -> list[Mark]:
        """The site's marks, oldest first."""
        own = (mark for mark in self._marks.values() if mark.site == site)
        return sorted(own, key=lambda mark: (mark.at, mark.id))

    async def mark(self, mark: Mark, *, instead_of: Sequence[str] = ()) -> None:
        """Store a mark in place of those with these ids."""
        own = (self._marks.get(name) for name in instead_of)
        replaced = {old.id for old in own if old is not None and old.site == mark.site}
        if mark.id in self._marks.keys() - replaced:
            raise Conflict("this mark is already stored")
        for name in replaced:
            del self._marks[name]
        self._marks[mark.id] = mark

    async def unmark(self, site: str, mark_id: str) -> None:
        """Remove a mark; raises `NotFound`."""
        found = self._marks.get(mark_id)
        if found is None or found.site != site:
            raise NotFound("no such mark")
        del self._marks[mark_id]

    async def prior(self, site: str) -> float | None:
        """The declared share of questions without an answer; None where none was declared."""
        return self._priors.get(site)

    async def declare_prior(self, site: str, out_of_scope: float) -> None:
        """Declare that share, in [0, 1)."""
        self._priors[site] = out_of_scope

    async def published(self, site: str) -> Publication | None:
        """What was published last."""
        own = self._publications.get(site)
        return own[-1] if own else None

    async def publish(self, publication: Publication) -> None:
        """Record that this went live."""
        self._publications[publication.site].append(publication)

    async def missed(self, site: str, since: float, limit: int) -> list[Missed]:
        """Questions that went to a person for want of an answer, newest first."""
        own = [
            row
            for row in self._escalations()
            if row.scope.site == site
            and row.at >= since
            and row.asked.request.reason in semantics.MISSED_REASONS
        ]
        own.sort(key=lambda row: (row.at, row.id), reverse=True)
        return [
            Missed(row.asked.request.question, row.asked.request.locale, row.at, row.id)
            for row in own[:limit]
        ]
