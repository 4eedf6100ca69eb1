"""What people said of classifications, in this process's memory."""

from __future__ import annotations

from core.commands.feedback import Judgement
from core.errors import Conflict


class MemoryCommands:
    """A `CommandStore`."""

    def __init__(self) -> None:
        self._judgements: dict[str, Judgement] = {}

    async def judge(self, judgement: Judgement) -> None:
        """Store a judgement."""
        if judgement.id in self._judgements:
            raise Conflict("this judgement is already stored")
        self._judgements[judgement.id] = judgement

    async def judgements(self, since: float, limit: int) -> list[Judgement]:
        """The newest ones since then, newest first."""
        own = [each for each in self._judgements.values() if each.at >= since]
        own.sort(key=lambda each: (each.at, each.id), reverse=True)
        return own[:limit]

    async def forget(self, before: float, limit: int) -> int:
        """Delete the oldest ones from before then, at most so many; how many there were."""
        old = [each for each in self._judgements.values() if each.at < before]
        old.sort(key=lambda each: (each.at, each.id))
        for each in old[:limit]:
            del self._judgements[each.id]
        return len(old[:limit])
