"""Trajectories in this process's memory, under the congruence suite of the store in SQL."""

from __future__ import annotations

from dataclasses import replace

from core.learning import Lesson
from core.outcome import of_mark, of_reply
from core.scope import Scope
from core.subjects import NOBODY, Feedback
from core.trajectory import Trajectory
from gateway.adapters.memory_rows import Rows


class MemoryLearning:
    """A `LearningStore` over the rows of a truth in memory. No method awaits."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def add(self, site: str, trajectory: Trajectory) -> None:
        """Store one that belongs to nobody; raises `ValueError` for another."""
        if trajectory.owned:
            raise ValueError("a visitor's trajectory is committed with its turn")
        self.store(Scope(site, NOBODY), trajectory)

    async def trajectories(
        self, site: str, since: float, until: float, limit: int
    ) -> list[Trajectory]:
        """The site's from `since` on and before `until`, newest first, everybody's."""
        found = [
            one
            for (scope, _), one in self._rows.trajectories.items()
            if scope.site == site and since <= one.at < until
        ]
        found.sort(key=lambda one: (one.at, one.turn_id), reverse=True)
        return found[:limit]

    async def lessons(self, site: str, since: float, limit: int) -> list[Lesson]:
        """The newest lessons of the site judged since then, oldest first."""
        found = []
        for (scope, name), one in self._rows.trajectories.items():
            kept = self._rows.turns.get((scope, name))
            if scope.site != site or kept is None or one.tier is None or one.outcome is None:
                continue
            at = one.outcome_at or 0.0
            if at >= since:
                lesson = Lesson(name, kept.question, one.tier, one.complexity, one.outcome, at)
                found.append(lesson)
        found.sort(key=lambda one: (one.at, one.turn_id))
        return found[-limit:]

    def store(self, scope: Scope, trajectory: Trajectory) -> None:
        """Keep one: this scope's, or nobody's."""
        whose = scope if trajectory.owned else Scope(scope.site, NOBODY)
        self._rows.trajectories[whose, trajectory.turn_id] = trajectory

    def mark(self, scope: Scope, mark: Feedback, at: float) -> None:
        """Set what a visitor said."""
        turn = (scope, mark.turn_id)
        found = self._rows.trajectories.get(turn)
        said = of_mark(mark.signal, person_asked=turn in self._rows.by_turn)
        # What is marked of an escalated turn is not a reply of ours: that was never shown.
        if said is not None and found is not None and not found.escalated:
            self._rows.trajectories[turn] = replace(found, outcome=said, outcome_at=at)

    def replied(self, scope: Scope, turn_id: str, content: str, at: float) -> None:
        """Set what a person's reply says, where that is more than was said before."""
        found = self._rows.trajectories.get((scope, turn_id))
        stored = self._rows.turns.get((scope, turn_id))
        said = of_reply(stored.turn.reply, content) if stored else None
        if found is None or said is None:
            return
        if found.outcome is None or found.outcome < said:
            changed = replace(found, outcome=said, outcome_at=at)
            self._rows.trajectories[scope, turn_id] = changed
