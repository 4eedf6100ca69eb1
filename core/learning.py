"""What is learnt from: the port of the trajectories, a part of the truth.

A visitor's trajectory comes with the turn that it belongs to (`core.truth.Work`); here are those
that belong to nobody, and what is read again. Decides nothing of what is made of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from core.trajectory import Trajectory


@dataclass(frozen=True, slots=True)
class Lesson:
    """A question that a tier of models answered, and what came of it: an outcome in [-1, 1]."""

    turn_id: str
    question: str
    tier: str
    complexity: float | None
    outcome: float
    at: float


class LearningStore(Protocol):
    """A part of the truth, as durable. Every call may raise `Unavailable`."""

    async def add(self, site: str, trajectory: Trajectory) -> None:
        """Store one that belongs to nobody; raises `ValueError` for another."""

    async def trajectories(
        self, site: str, since: float, until: float, limit: int
    ) -> list[Trajectory]:
        """The site's from `since` on and before `until`, newest first, everybody's."""

    async def lessons(self, site: str, since: float, limit: int) -> list[Lesson]:
        """The newest lessons of the site judged since then, oldest first.

        Only of turns that are kept, of visitors who agreed to memory.
        """
