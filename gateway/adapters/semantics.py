"""What every store of truth agrees on, whatever it keeps its rows in.

It decides what a later request may change in an escalation, when a delivery
is first due and what becomes of it, how an escalation's status follows from its deliveries, and
which events a visitor is told. It opens nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

from core.encoding import timestamp
from core.messages import (
    AddedTurn,
    Consent,
    DeliveryAction,
    DeliveryState,
    EscalationRequest,
    EscalationStatus,
    MemoryTurn,
    Provenance,
    Reply,
    Verdict,
)
from core.subjects import VERDICTS, Feedback
from core.truth import OpenEscalation, Work

MISSED_REASONS = ("low_confidence", "empty")
"""Why a question went to a person for want of an answer, and not because anyone wished it."""

DEAD_STATES = ("failed", "disabled")
"""Deliveries that are tried no more, and were not taken."""

COMPLETION_S = 3.0
"""What the gateway opened waits this long for what only the browser knows; then targets hear."""


def conversations(work: Work) -> set[str]:
    """The conversations that the work touches: each must belong to its scope, or to nobody."""
    return {conversation for _, conversation in places(work)}


def places(work: Work) -> set[tuple[str, str]]:
    """The turns that the work names, each with its conversation: a turn has one, for good."""
    found = set()
    if work.turn is not None:
        found.add((work.turn.id, work.turn.conversation_id))
    if work.escalation is not None:
        request = work.escalation.request
        found.add((request.turn_id, request.conversation_id))
    return found


@dataclass(frozen=True, slots=True)
class Asked:
    """What an escalation asks, and whose word that is."""

    request: EscalationRequest
    provenance: Provenance


def asked(opened: OpenEscalation) -> Asked:
    """What a new escalation asks."""
    return Asked(opened.request, "server" if opened.by_gateway else "client")


def joined(first: Asked, later: Asked, status: EscalationStatus, *, replied: bool) -> Asked:
    """What the first asks once a later request for its turn has come.

    What a person has answered stays what it was, save for a contact that the visitor leaves before
    it is resolved. A browser adds what it alone knows; the gateway's judgement replaces a
    browser's, never the other way round, and the gateway judges a turn once.
    """
    if untouched(status, replied=replied):
        late = later.request.consent is not None and status != "resolved"
        return replace(first, request=_reached(first.request, later.request)) if late else first
    if later.provenance == "client":
        return Asked(_completed(first.request, later.request), first.provenance)
    if first.provenance == "server":
        return first
    return Asked(_judged(first.request, later.request), "server")


def _completed(first: EscalationRequest, later: EscalationRequest) -> EscalationRequest:
    completed = replace(
        first,
        fallback_text=later.fallback_text or first.fallback_text,
        conversation_tail=later.conversation_tail or first.conversation_tail,
        receipt=later.receipt or first.receipt,
    )
    return _reached(completed, later) if later.contact else completed


def _reached(first: EscalationRequest, later: EscalationRequest) -> EscalationRequest:
    return replace(first, contact=later.contact, consent=later.consent)


def _judged(first: EscalationRequest, later: EscalationRequest) -> EscalationRequest:
    return replace(
        first,
        question=later.question,
        reason=later.reason,
        confidence=later.confidence,
        fallback_text=first.fallback_text or later.fallback_text,
        conversation_tail=first.conversation_tail or later.conversation_tail,
    )


def added_turn(escalation_id: str, asked: Asked, created_at: str) -> AddedTurn:
    """A later turn as the case shows it."""
    request = asked.request
    return AddedTurn(
        id=escalation_id,
        turn_id=request.turn_id,
        question=request.question,
        fallback_text=request.fallback_text,
        reason=request.reason,
        confidence=request.confidence,
        provenance=asked.provenance,
        tail=request.conversation_tail,
        locale=request.locale,
        contact=request.contact,
        created_at=created_at,
        contact_consent=request.consent,
    )


def newest_contact(
    first: EscalationRequest, added: Iterable[AddedTurn]
) -> tuple[str | None, Consent | None]:
    """What the visitor left last, with the case or with a turn that was added, and its consent."""
    left = [(one.contact, one.contact_consent) for one in added if one.contact]
    return left[-1] if left else (first.contact, first.consent)


def verdict(marks: Iterable[tuple[float, Feedback]]) -> Verdict | None:
    """The newest word on whether a person's answer helped, among the marks on a case's turns."""
    said = [(at, mark.turn_id, mark) for at, mark in marks if mark.signal in VERDICTS]
    if not said:
        return None
    at, turn_id, mark = max(said, key=lambda one: one[:2])
    signal = cast("Literal['worked', 'failed', 'partial']", mark.signal)
    return Verdict(turn_id, signal, mark.text, timestamp(at))


def visitors_words(
    question: str, lines: Iterable[MemoryTurn], contact: str | None = None
) -> tuple[str, ...]:
    """All that a visitor wrote of a question: with the lines before it, and how to reach them."""
    said = (line.content for line in lines if line.role == "user")
    return (question, *said, *([contact] if contact else []))


def is_left(before: EscalationRequest, after: EscalationRequest) -> bool:
    """Whether the visitor has left a contact, or another one, of which targets are to hear."""
    return after.consent is not None and after.contact != before.contact


def status_of_added(case: EscalationStatus) -> EscalationStatus:
    """How a turn that is added to a case stands: what nobody took is tried again."""
    return "queued" if case == "failed" else case


def unseen[Turn](
    turns: Sequence[Turn], seen: int | None, status: EscalationStatus
) -> Sequence[Turn]:
    """The turns of a case that a person did not have before them who had so many (None: all).

    There is always one that was seen. Of what is resolved somebody else has seen the rest.
    """
    return () if seen is None or status == "resolved" else turns[max(seen, 1) :]


def replied_at(at: float, unseen: Iterable[float]) -> float:
    """Where a reply made at `at` stands in order: before the turns that its writer had not seen."""
    return min([at, *(math.nextafter(came, 0.0) for came in unseen)])


def first_due(opened: OpenEscalation, at: float) -> float:
    """When the deliveries of an escalation opened at `at` are due."""
    return at + COMPLETION_S if opened.by_gateway else at


def untouched(status: EscalationStatus, *, replied: bool) -> bool:
    """Whether later requests leave it as it is: a person has answered what it was."""
    return replied or status == "resolved"


def settled(before: DeliveryState, after: DeliveryState) -> DeliveryState:
    """A delivery's state once an attempt ended in `after`.

    One that was delivered stays so; one that was skipped meanwhile is not tried again.
    """
    if before == "delivered" or (before == "skipped" and after == "pending"):
        return before
    return after


def took(state: DeliveryState, *, begun: bool) -> bool:
    """Whether a target must hear what became of an escalation that was delivered so far.

    It took the escalation, or may have: a try was begun whose answer was lost, or whose end nobody
    knows, and nobody tries again. One that is still to be tried is told when that has ended.
    """
    return state == "delivered" or (state == "skipped" and begun)


def is_told_again(action: DeliveryAction, state: DeliveryState) -> bool:
    """Whether a delivery that was not taken is tried again by hand: not what something later has
    overtaken."""
    return state != "delivered" and (action == "open" or state != "skipped")


def is_dead(state: DeliveryState, action: DeliveryAction, status: EscalationStatus) -> bool:
    """Whether a delivery was given up and is still wanted."""
    return state in DEAD_STATES and (action != "open" or status != "resolved")


def overall(current: EscalationStatus, states: Iterable[DeliveryState]) -> EscalationStatus:
    """The status that follows from the escalation's own deliveries.

    Resolved wins, no target means queued.
    """
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
