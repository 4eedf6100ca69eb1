"""Conversations as they were said: numbered messages, and how long they are.

Decides what a message is: a stored turn is two of them, the question and the reply, and a turn of
number n has the numbers 2n - 1 and 2n. Numbers are unique within a conversation and have no gaps
when they are given; what is deleted for its age leaves its numbers unused. An empty reply, for
which a person was asked, keeps its number and is a message of no tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from core.messages import Turn
from core.prompting.budget import estimate
from core.scope import Scope

ALWAYS: Final = "always"


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation; `tokens` as its model's server counted, else estimated.

    `shown` is False for a reply that was not trusted: the visitor never saw it.
    """

    number: int
    role: Literal["user", "assistant"]
    content: str
    tokens: int
    turn_id: str
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Lengths:
    """How many tokens a turn's question and reply have."""

    question: int
    reply: int


class ConversationStore(Protocol):
    """A part of the truth. Every call may raise `Unavailable`."""

    async def messages(self, scope: Scope, conversation_id: str, limit: int) -> list[Message]:
        """The newest messages of a conversation of this scope, at most so many, oldest first."""


def lengths(question: str, turn: Turn) -> Lengths:
    """How long a turn's texts are.

    A model's server counts its reply, with what it thought before; its prompt's count is of far
    more than the question, which is therefore estimated always.
    """
    counted = turn.usage.completion_tokens if turn.usage is not None else 0
    said = counted if counted and turn.reasoning is None else estimate(turn.reply)
    return Lengths(estimate(question), said if turn.reply else 0)


def reply_shown(reasons: Sequence[str], *, escalated: bool) -> bool:
    """Whether a turn's reply was shown: else the fallback stood in its place.

    An entry that is marked `escalate: always` is shown, and a person is asked beside it.
    """
    return not escalated or ALWAYS in reasons


def messages_of(number: int, question: str, turn: Turn) -> Sequence[Message]:
    """The two messages of the turn of this number, counted from 1."""
    long = lengths(question, turn)
    shown = reply_shown(turn.reasons, escalated=turn.escalate)
    return (
        Message(2 * number - 1, "user", question, long.question, turn.id),
        Message(2 * number, "assistant", turn.reply, long.reply, turn.id, shown),
    )
