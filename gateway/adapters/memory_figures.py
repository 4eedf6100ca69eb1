"""Counts of trajectories, in this process's memory."""

from __future__ import annotations

from core.figures import Tally, tally_of
from core.trajectory import Trajectory
from gateway.adapters.memory_rows import Rows


class MemoryFigures:
    """A `FigureStore` over the rows of a truth in memory."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def tally(self, sites: tuple[str, ...], since: float, until: float) -> Tally:
        """What is counted of these sites' turns in [since, until), in Unix seconds."""
        return tally_of(
            one
            for (scope, _), one in self._rows.trajectories.items()
            if scope.site in sites and since <= one.at < until
        )

    async def answered(self, site: str, conversation_id: str) -> list[Trajectory]:
        """How each turn of a site's conversation was answered, oldest first."""
        found = [
            one
            for (scope, _), one in self._rows.trajectories.items()
            if scope.site == site and one.conversation_id == conversation_id
        ]
        return sorted(found, key=lambda one: (one.at, one.turn_id))
