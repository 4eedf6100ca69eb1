"""What was said before in a conversation, out of the truth.

Decides how much of it is read, and that each line is judged once: what the guard said of it is
remembered by its hash, so that a long conversation costs little more with each turn. It remembers
no word. What of all this a prompt holds, and in how few lines, `core.prompting`
decides by the question: a summary that was made before it was asked keeps next to nothing of what
it needs (docs/log.md).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from core.conversations import Message
from core.earlier import Exchanged, joined
from core.messages import MemoryTurn
from core.scope import Scope
from core.truth import Truth
from gateway.pipeline.guard import Guard

MOST_MESSAGES: Final = 120
"""Of a conversation, the newest: they are summed up in some ten milliseconds."""
MOST_JUDGED: Final = 20_000
"""Lines whose judgement is remembered."""

Earlier = Callable[[Sequence[MemoryTurn]], Awaitable[tuple[MemoryTurn, ...]]]
"""Gives the lines before a question, given those that its browser claims."""


class History:
    """The earlier turns of every conversation that is kept."""

    def __init__(self, truth: Truth, guard: Guard | None) -> None:
        self._truth = truth
        self._guard = guard
        self._judged: OrderedDict[int, bool] = OrderedDict()

    async def before(
        self, scope: Scope, conversation_id: str, claimed: Sequence[MemoryTurn]
    ) -> tuple[MemoryTurn, ...]:
        """What was said, oldest first; the claims alone where nothing is kept of it.

        Raises `Unavailable`.
        """
        kept = await self._truth.conversations.messages(scope, conversation_id, MOST_MESSAGES)
        if not kept:
            return tuple(claimed)
        replies = await self._replies(scope, conversation_id, kept)
        known = []
        for question, reply in zip(kept[::2], kept[1::2], strict=True):
            # What was not trusted nobody saw: a person answered, or nobody yet.
            own = await self._told(reply.content) if reply.shown else ""
            said = [own, *replies.get(reply.turn_id, ())]
            asked = MemoryTurn("user", await self._told(question.content))
            answers = tuple(MemoryTurn("assistant", text) for text in said if text)
            known.append(Exchanged(asked, answers))
        return joined(known, claimed)

    async def _told(self, text: str) -> str:
        """The text, or nothing where the guard keeps it from models."""
        if self._guard is None or not text:
            return text
        name = hash(text)
        admitted = self._judged.pop(name, None)
        if admitted is None:
            admitted = bool(await self._guard.kept([MemoryTurn("user", text)]))
        self._judged[name] = admitted
        if len(self._judged) > MOST_JUDGED:
            self._judged.popitem(last=False)
        return text if admitted else ""

    async def _replies(
        self, scope: Scope, conversation_id: str, kept: Sequence[Message]
    ) -> dict[str, list[str]]:
        """What people answered, by the turn, where some turn was answered by nobody else."""
        if all(one.content and one.shown for one in kept):
            return {}
        found: dict[str, list[str]] = {}
        for event in await self._truth.events(scope, conversation_id, 0):
            if event.name == "human_reply":
                turn, content = event.data["turn_id"], event.data["content"]
                found.setdefault(str(turn), []).append(str(content))
        return found
