"""The messages of a conversation, over the rows of a truth in memory."""

from __future__ import annotations

from core.conversations import Message, messages_of
from core.scope import Scope
from gateway.adapters.memory_rows import Rows


class MemoryConversations:
    """A `ConversationStore` over the rows of a truth in memory."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def messages(self, scope: Scope, conversation_id: str, limit: int) -> list[Message]:
        """The newest messages of a conversation of this scope, at most so many, oldest first."""
        turns = [
            row
            for (whose, _), row in self._rows.turns.items()
            if whose == scope and row.turn.conversation_id == conversation_id
        ]
        found: list[Message] = []
        for row in sorted(turns, key=lambda one: one.number):
            found += messages_of(row.number, row.question, row.turn)
        return found[max(0, len(found) - limit) :]
