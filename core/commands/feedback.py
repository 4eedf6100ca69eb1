"""What people said of classifications: stored, counted by day, and learnt from by the next fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from core.commands.labels import Label
from core.encoding import timestamp

DAYS: Final = 30
DAY_S: Final = 86_400.0
MOST_READ: Final = 10_000
"""Newest judgements that are looked at: more would say the same."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """One command, what it was called, and what it does by a person's word.

    The command is kept without what looks like a secret.
    """

    id: str
    command: str
    given: Label
    expected: Label
    author: str
    at: float

    @property
    def right(self) -> bool:
        """Whether it had been called what it does."""
        return self.given == self.expected


@dataclass(frozen=True, slots=True)
class Tally:
    """How many judgements there were on a day (UTC, `YYYY-MM-DD`), and how many said right."""

    day: str
    count: int
    right: int


class CommandStore(Protocol):
    """Where judgements are kept; a part of the truth. Every call may raise `Unavailable`."""

    async def judge(self, judgement: Judgement) -> None:
        """Store a judgement."""

    async def judgements(self, since: float, limit: int) -> list[Judgement]:
        """The newest ones since then, newest first."""

    async def forget(self, before: float, limit: int) -> int:
        """Delete the oldest ones from before then, at most so many; how many there were."""


def by_day(judgements: Iterable[Judgement]) -> list[Tally]:
    """How the classifier did, day by day, oldest first; days without a judgement are left out."""
    counts: Counter[str] = Counter()
    rights: Counter[str] = Counter()
    for each in judgements:
        day = timestamp(each.at)[:10]
        counts[day] += 1
        rights[day] += each.right
    return [Tally(day, counts[day], rights[day]) for day in sorted(counts)]


def accuracy(tallies: Sequence[Tally]) -> float | None:
    """The share that was right; None where nobody said anything."""
    count = sum(each.count for each in tallies)
    return sum(each.right for each in tallies) / count if count else None
