"""Escalation: when a turn must reach a person, under which id, and who hears what became of it.

One escalation per site, subject and turn: its id is derived from them, so that the gateway's own
and the browser's later request are the same escalation wherever they are committed. The first of a
conversation is a case; what the conversation escalates while that is open is added to it and wakes
nobody again. What a target is told afterwards depends on what it speaks: a thread hears of each
later turn and each reply, an incident is closed by a reply and opened again by what is asked after
it, and a webhook is told of what the visitor says alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from core.encoding import timestamp, uuid7_hex
from core.messages import (
    AddedTurn,
    ChatRequest,
    DeliveryAction,
    Escalation,
    EscalationReason,
    EscalationRequest,
    Turn,
)
from core.scope import Scope

FollowUp = tuple[DeliveryAction, str]
"""What a target is told, and of which turn's escalation or which reply (empty: of none)."""

Dated = tuple[float, str]
"""When it happened in Unix seconds, and its id."""


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


def part_of(case: Escalation, escalation_id: str) -> Escalation | AddedTurn | None:
    """The case itself, or a turn that was added to it, by the id of its escalation."""
    if escalation_id == case.id:
        return case
    return next((turn for turn in case.added if turn.id == escalation_id), None)


def as_asked_again(case: Escalation, escalation_id: str) -> Escalation:
    """A case with the words of one of its later turns; as it is where that turn is not known."""
    turn = part_of(case, escalation_id)
    if not isinstance(turn, AddedTurn):
        return case
    return replace(
        case,
        question=turn.question,
        fallback_text=turn.fallback_text,
        reason=turn.reason,
        confidence=turn.confidence,
        provenance=turn.provenance,
        tail=turn.tail,
        locale=turn.locale,
        created_at=turn.created_at,
    )


def happened(
    added: Iterable[Dated],
    replies: Iterable[Dated],
    contacts: Iterable[str] = (),
    *,
    resolved: bool,
) -> list[FollowUp]:
    """All that followed an escalation, in the order in which it came.

    `contacts` are the turns' escalations with which the visitor left one.
    """
    dated: list[tuple[float, DeliveryAction, str]] = [
        *((at, "added", name) for at, name in added),
        *((at, "reply", name) for at, name in replies),
    ]
    told: list[FollowUp] = [(action, name) for _, action, name in sorted(dated)]
    told += [("contact", name) for name in contacts]
    return [*told, ("resolve", "")] if resolved else told


def answered(reply_id: str, unseen: Sequence[str]) -> list[FollowUp]:
    """What there is to tell of a reply: with it, the last turn that its writer had not seen.

    Whoever has heard of that turn does not hear it again; an incident stays open for it.
    """
    return [("reply", reply_id), *(("added", name) for name in unseen[-1:])]


def follow_ups(kind: str, what: Sequence[FollowUp]) -> list[FollowUp]:
    """What a target of this kind is told of what happened."""
    tell = _FOLLOW_UPS.get(kind)
    return tell(what) if tell else []


def _all_in_its_thread(what: Sequence[FollowUp]) -> list[FollowUp]:
    return list(what)


def _where_the_incident_stands(what: Sequence[FollowUp]) -> list[FollowUp]:
    """The last word alone: asked again it is open, answered it is over."""
    told: list[FollowUp] = [one for one in what if one[0] in {"added", "reply", "resolve"}]
    return [("resolve" if action == "reply" else action, about) for action, about in told[-1:]]


def _what_the_visitor_says(what: Sequence[FollowUp]) -> list[FollowUp]:
    return [one for one in what if one[0] in {"added", "contact"}]


_FOLLOW_UPS: Final[Mapping[str, Callable[[Sequence[FollowUp]], list[FollowUp]]]] = {
    "slack": _all_in_its_thread,
    "pagerduty": _where_the_incident_stands,
    "webhook": _what_the_visitor_says,
}

_INCIDENT: Final[frozenset[DeliveryAction]] = frozenset({"added", "resolve"})


def overtaken(kind: str, wanted: Sequence[FollowUp]) -> frozenset[DeliveryAction]:
    """Of what else a target of this kind need not be told any more, once it is to be told this.

    An incident has one state: to open one for what has been answered meanwhile would wake somebody
    for nothing, and to close it for an earlier answer would hide what was asked since.
    """
    return _INCIDENT if kind == "pagerduty" and wanted else frozenset()
