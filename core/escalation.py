"""Escalation: when a turn must reach a person, under which id, and who hears what became of it.

One escalation per site, subject and turn: its id is derived from them, so that the gateway's own
and the browser's later request are the same escalation wherever they are committed. What a target
is told afterwards depends on what it speaks: a thread hears each reply, an incident is closed by
the first, and a webhook is told of the escalation alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from core.encoding import timestamp, uuid7_hex
from core.messages import (
    ChatRequest,
    DeliveryAction,
    EscalationReason,
    EscalationRequest,
    Turn,
)
from core.scope import Scope

FollowUp = tuple[DeliveryAction, str]
"""What a target is told, and of which reply (empty: of none)."""


def escalation_id(scope: Scope, turn_id: str) -> str:
    """The id of the escalation of this turn: the turn's time, and a hash of who and which."""
    owner = f"{scope.site}\x1f{scope.subject}\x1f{turn_id}"
    digest = hashlib.sha256(owner.encode()).digest()
    return f"e_{uuid7_hex(int(turn_id[2:14], 16), digest[:10])}"


def reason_of(turn: Turn) -> EscalationReason:
    """The wire's reason for a turn that the gateway judged."""
    if "always" in turn.reasons:
        return "always"
    if not turn.reply.strip() and "low_confidence" not in turn.reasons:
        return "empty"
    return "low_confidence"


def by_gateway(
    turn: Turn, request: ChatRequest, fallback_text: str, now: float
) -> EscalationRequest:
    """What the gateway escalates on its own, before the browser adds its tail and fallback."""
    return EscalationRequest(
        turn_id=turn.id,
        conversation_id=turn.conversation_id,
        question=request.question,
        fallback_text=fallback_text,
        reason=reason_of(turn),
        confidence=turn.confidence,
        conversation_tail=request.training_memory,
        locale=request.locale,
        contact=None,
        receipt=None,
        timestamp=timestamp(now),
    )


def follow_ups(kind: str, reply_ids: Sequence[str], *, resolved: bool) -> list[FollowUp]:
    """What a target of this kind is told of these replies and of the end."""
    tell = _FOLLOW_UPS.get(kind)
    return tell(reply_ids, resolved) if tell else []


def _each_in_its_thread(reply_ids: Sequence[str], resolved: bool) -> list[FollowUp]:
    replies: list[FollowUp] = [("reply", name) for name in reply_ids]
    return [*replies, ("resolve", "")] if resolved else replies


def _end_of_the_incident(reply_ids: Sequence[str], resolved: bool) -> list[FollowUp]:
    return [("resolve", "")] if reply_ids or resolved else []


_FOLLOW_UPS: Final[Mapping[str, Callable[[Sequence[str], bool], list[FollowUp]]]] = {
    "slack": _each_in_its_thread,
    "pagerduty": _end_of_the_incident,
}
