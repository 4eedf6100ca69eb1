"""Escalation: when a turn must reach a person, and under which id.

One escalation per site, subject and turn: its id is derived from them, so that the gateway's own
and the browser's later request are the same escalation wherever they are committed.
"""

from __future__ import annotations

import hashlib

from core.encoding import timestamp, uuid7_hex
from core.messages import ChatRequest, EscalationReason, EscalationRequest, Turn
from core.scope import Scope


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
