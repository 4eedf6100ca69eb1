"""The messages of a conversation, in SQL, over the truth's own reads."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final

from sqlalchemy import Row, bindparam, select

from core.conversations import Message
from core.scope import Scope
from gateway.adapters.sql import tables
from gateway.adapters.sql.knowledge import Run

_turns = tables.turns.c

_MESSAGES: Final = select(
    _turns.seq,
    _turns.id,
    _turns.question,
    _turns.reply,
    _turns.question_tokens,
    _turns.reply_tokens,
).where(
    _turns.conversation_id == bindparam("conversation_id"),
    _turns.site == bindparam("site"),
    _turns.subject == bindparam("subject"),
)
NEWEST: Final = (
    _MESSAGES.where(_turns.seq <= bindparam("last"))
    .order_by(_turns.seq.desc())
    .limit(bindparam("turns"))
)
NUMBERED: Final = _MESSAGES.where(_turns.seq.in_(bindparam("turns", expanding=True))).order_by(
    _turns.seq
)
_NO_END: Final = 2**31 - 1


class SqlConversations:
    """A `ConversationStore` over the truth's reads."""

    def __init__(self, read: Run) -> None:
        self._read = read

    async def messages(
        self, scope: Scope, conversation_id: str, limit: int, up_to: int | None = None
    ) -> list[Message]:
        """The newest messages of a conversation of this scope, at most so many, oldest first."""
        asked = {
            **_named(scope, conversation_id),
            "last": _NO_END if up_to is None else up_to // 2,
            "turns": -(-limit // 2),
        }
        found = await self._read(
            lambda connection: _messages(reversed(connection.execute(NEWEST, asked).all()))
        )
        return found[max(0, len(found) - limit) :]

    async def numbered(
        self, scope: Scope, conversation_id: str, numbers: Collection[int]
    ) -> list[Message]:
        """The messages of these numbers that there are, in order."""
        turns = sorted({(number + 1) // 2 for number in numbers})
        asked = {**_named(scope, conversation_id), "turns": turns}
        found = await self._read(lambda connection: _messages(connection.execute(NUMBERED, asked)))
        return [one for one in found if one.number in numbers]


def _named(scope: Scope, conversation_id: str) -> dict[str, object]:
    return {"conversation_id": conversation_id, "site": scope.site, "subject": scope.subject}


def _messages(rows: Iterable[Row[Any]]) -> list[Message]:
    found: list[Message] = []
    for row in rows:
        found += (
            Message(2 * row.seq - 1, "user", row.question, row.question_tokens, row.id),
            Message(2 * row.seq, "assistant", row.reply, row.reply_tokens, row.id),
        )
    return found
