"""What every store of truth agrees on, whatever it keeps its rows in.

It decides how long rows matter, what a later request may add to an escalation, how an escalation's
status follows from its deliveries, and which events a visitor is told. It opens nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from core.messages import DeliveryState, EscalationRequest, EscalationStatus, Reply
from core.ports import Work

FINISHED_KEPT_S = 24 * 3600
"""An idempotent call's outcome is given again for this long (WIRE, Every later call)."""

EVENTS_KEPT_S = 30 * 24 * 3600
"""What a visitor missed is told for this long (WIRE, Events for a visitor)."""


def conversations(work: Work) -> set[str]:
    """The conversations that the work touches: each must belong to its scope, or to nobody."""
    found = set()
    if work.turn is not None:
        found.add(work.turn.conversation_id)
    if work.escalation is not None:
        found.add(work.escalation.request.conversation_id)
    return found


def completed(first: EscalationRequest, later: EscalationRequest) -> EscalationRequest:
    """The first request with what a later one adds; what was judged stays the first's."""
    return replace(
        first,
        fallback_text=later.fallback_text or first.fallback_text,
        conversation_tail=later.conversation_tail or first.conversation_tail,
        contact=later.contact or first.contact,
        receipt=later.receipt or first.receipt,
    )


def overall(current: EscalationStatus, states: Iterable[DeliveryState]) -> EscalationStatus:
    """The status that follows from the deliveries; resolved wins, no target means queued."""
    if current == "resolved":
        return current
    found = set(states)
    if "delivered" in found:
        return "delivered"
    return "queued" if "pending" in found or not found else "failed"


def visitor_sees(before: EscalationStatus, after: EscalationStatus) -> bool:
    """Whether a visitor hears of this change: a target that failed is the operators' matter."""
    return after != before and after in {"delivered", "resolved"}


def status_event(escalation_id: str, turn_id: str, status: EscalationStatus) -> dict[str, object]:
    """The data of an `escalation_status` event."""
    return {"escalation_id": escalation_id, "turn_id": turn_id, "status": status}


def reply_event(reply: Reply) -> Mapping[str, object]:
    """The data of a `human_reply` event."""
    return {
        "escalation_id": reply.escalation_id,
        "turn_id": reply.turn_id,
        "content": reply.content,
        "author": reply.author,
        "created_at": reply.created_at,
    }
