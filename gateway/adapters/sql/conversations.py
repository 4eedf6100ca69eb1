"""The messages of a conversation, in SQL, over the truth's own reads."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, bindparam, select

from core.conversations import Message, reply_shown
from core.scope import Scope
from gateway.adapters.sql import tables
from gateway.adapters.sql.knowledge import Run

_turns = tables.turns.c

NEWEST: Final = (
    select(
        _turns.seq,
        _turns.id,
        _turns.question,
        _turns.reply,
        _turns.question_tokens,
        _turns.reply_tokens,
        _turns.escalate,
        _turns.reasons,
    )
    .where(
        _turns.conversation_id == bindparam("conversation_id"),
        _turns.site == bindparam("site"),
        _turns.subject == bindparam("subject"),
    )
    .order_by(_turns.seq.desc())
    .limit(bindparam("turns"))
)


class SqlConversations:
    """A `ConversationStore` over the truth's reads."""

    def __init__(self, read: Run) -> None:
        self._read = read

    async def messages(self, scope: Scope, conversation_id: str, limit: int) -> list[Message]:
        """The newest messages of a conversation of this scope, at most so many, oldest first."""
        asked = {
            "conversation_id": conversation_id,
            "site": scope.site,
            "subject": scope.subject,
            "turns": -(-limit // 2),
        }
        return await self._read(lambda connection: _messages(connection, asked, limit))


def _messages(connection: Connection, asked: dict[str, object], limit: int) -> list[Message]:
    found: list[Message] = []
    for row in reversed(connection.execute(NEWEST, asked).all()):
        shown = reply_shown(row.reasons, escalated=row.escalate)
        found += (
            Message(2 * row.seq - 1, "user", row.question, row.question_tokens, row.id),
            Message(2 * row.seq, "assistant", row.reply, row.reply_tokens, row.id, shown),
        )
    return found[max(0, len(found) - limit) :]
