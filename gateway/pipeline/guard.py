"""The guard: what of a visitor's words a language model does not get.

Decides that a question which is judged an injection, a jailbreak or a request for harmful help goes
to a person instead; that such lines of the memory, which browsers send and nobody attests, are left
out of the prompt, and such items of what a tool gives as well. Who merely swears is answered like
anyone else. Refuses nothing: the knowledge base was asked before, and a wrong judgement costs a
wait, not an answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from core.messages import MemoryTurn
from core.safety.head import Head, Judgement
from core.telemetry import SILENT, UNSAFE, Telemetry


@dataclass(frozen=True, slots=True)
class Guard:
    """Judges what would be sent to a model."""

    head: Head
    telemetry: Telemetry = SILENT

    def admits(self, question: str) -> bool:
        """Whether a model may be asked this."""
        return not self._judged(question, "question").unsafe

    async def kept(self, memory: Sequence[MemoryTurn]) -> tuple[MemoryTurn, ...]:
        """The lines of the memory that a model may be told."""
        found = []
        for turn in memory:
            if not self._judged(turn.content, "memory").unsafe:
                found.append(turn)
            # A long line takes milliseconds: all else that is ready goes before the next.
            await asyncio.sleep(0)
        return tuple(found)

    async def admits_result(self, text: str) -> bool:
        """Whether a model may be told this item of what a tool gave."""
        await asyncio.sleep(0)
        return not self._judged(text, "tool").unsafe

    def _judged(self, text: str, part: Literal["question", "memory", "tool"]) -> Judgement:
        found = self.head.judge(text)
        for kind in found.flagged:
            self.telemetry.count(UNSAFE, kind=kind, part=part)
        return found
