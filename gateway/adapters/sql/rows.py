"""What rows mean: from the messages to columns, and back.

It decides nothing and reads nothing; the statements are elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from core.conversations import lengths
from core.encoding import timestamp
from core.messages import (
    AddedTurn,
    Attempt,
    Citation,
    Consent,
    Delivery,
    Escalation,
    EscalationRequest,
    EscalationStatus,
    MemoryTurn,
    Reply,
    Turn,
    Usage,
)
from core.scope import Scope
from core.subjects import Feedback
from core.truth import OpenEscalation, Work
from gateway.adapters import semantics
from gateway.adapters.semantics import Asked

Values = dict[str, Any]
AnyRow = Any

ASKED = (
    *("question", "reason", "confidence", "provenance"),
    *("fallback_text", "tail", "contact", "consent_wording", "consented_at", "receipt"),
)
"""The columns of `escalations` that a later request may change."""


def scope_values(scope: Scope) -> Values:
    """The columns that every row of a visitor carries."""
    return {"site": scope.site, "subject": scope.subject}


def conversation_values(work: Work, conversation_id: str) -> Values:
    """A row of `conversations`."""
    return {"id": conversation_id, **scope_values(work.scope), "at": work.at, "turns": 0}


def finished_values(work: Work) -> Values:
    """A row of `finished_calls`."""
    return {
        **scope_values(work.scope),
        "key": work.key,
        "at": work.at,
        "body_sha256": work.finished.body_sha256,
        "status": work.finished.status,
        "body": work.finished.body,
        "receipt": work.finished.receipt,
    }


def turn_values(work: Work, turn: Turn, number: int) -> Values:
    """A row of `turns`; `number` is the turn's place in its conversation, from 1."""
    long = lengths(work.question, turn)
    return {
        "seq": number,
        "question_tokens": long.question,
        "reply_tokens": long.reply,
        **scope_values(work.scope),
        "id": turn.id,
        "conversation_id": turn.conversation_id,
        "at": work.at,
        "question": work.question,
        "locale": work.locale,
        "reply": turn.reply,
        "confidence": turn.confidence,
        "escalate": turn.escalate,
        "reasons": turn.reasons,
        "source": turn.source,
        "model": turn.model,
        "citations": [{"title": one.title, "url": one.url} for one in turn.citations],
        "disclaimers": turn.disclaimers,
        "reasoning": turn.reasoning,
        "usage": None if turn.usage is None else asdict(turn.usage),
        "created_at": turn.created_at,
    }


def turn_of(row: AnyRow) -> Turn:
    """The turn that a row of `turns` holds."""
    return Turn(
        id=row.id,
        conversation_id=row.conversation_id,
        reply=row.reply,
        confidence=row.confidence,
        escalate=row.escalate,
        reasons=tuple(row.reasons),
        source=row.source,
        created_at=row.created_at,
        model=row.model,
        citations=tuple(Citation(**one) for one in row.citations),
        disclaimers=tuple(row.disclaimers),
        reasoning=row.reasoning,
        usage=None if row.usage is None else Usage(**row.usage),
    )


def escalation_values(
    work: Work, opened: OpenEscalation, status: EscalationStatus, part_of: str | None
) -> Values:
    """A row of `escalations`: a case, or a turn that is added to the one of this id."""
    request = opened.request
    return {
        "id": opened.id,
        **scope_values(work.scope),
        "turn_id": request.turn_id,
        "conversation_id": request.conversation_id,
        "at": work.at,
        "locale": request.locale,
        "asked_at": request.timestamp,
        "created_at": timestamp(work.at),
        "status": status,
        "part_of": part_of,
        "open_in": request.conversation_id if part_of is None else None,
        **asked_values(semantics.asked(opened)),
    }


def asked_values(asked: Asked) -> Values:
    """The columns `ASKED`."""
    request = asked.request
    return {
        "question": request.question,
        "reason": request.reason,
        "confidence": request.confidence,
        "provenance": asked.provenance,
        "fallback_text": request.fallback_text,
        "tail": [asdict(turn) for turn in request.conversation_tail],
        "contact": request.contact,
        "consent_wording": request.consent and request.consent.wording,
        "consented_at": request.consent and request.consent.at,
        "receipt": request.receipt,
    }


def asked_of(row: AnyRow) -> Asked:
    """What a row of `escalations` asks."""
    request = EscalationRequest(
        turn_id=row.turn_id,
        conversation_id=row.conversation_id,
        question=row.question,
        fallback_text=row.fallback_text,
        reason=row.reason,
        confidence=row.confidence,
        conversation_tail=tuple(MemoryTurn(**turn) for turn in row.tail),
        locale=row.locale,
        contact=row.contact,
        receipt=row.receipt,
        timestamp=row.asked_at,
        consent=_consent(row),
    )
    return Asked(request, row.provenance)


def _consent(row: AnyRow) -> Consent | None:
    if row.consented_at is None:
        return None
    return Consent(row.consent_wording, row.consented_at)


def added_of(row: AnyRow) -> AddedTurn:
    """A later turn as its case shows it."""
    return semantics.added_turn(row.id, asked_of(row), row.created_at)


def reply_of(row: AnyRow) -> Reply:
    """The reply that a row of `replies` holds."""
    return Reply(row.id, row.escalation_id, row.turn_id, row.author, row.content, row.created_at)


def escalation_of(
    row: AnyRow,
    deliveries: Iterable[Delivery],
    replies: Iterable[Reply],
    added: Sequence[AddedTurn],
    marks: Iterable[tuple[float, Feedback]] = (),
) -> Escalation:
    """The escalation as operators see it."""
    contact, consent = semantics.newest_contact(asked_of(row).request, added)
    return Escalation(
        id=row.id,
        site=row.site,
        conversation_id=row.conversation_id,
        turn_id=row.turn_id,
        question=row.question,
        fallback_text=row.fallback_text,
        reason=row.reason,
        confidence=row.confidence,
        provenance=row.provenance,
        tail=tuple(MemoryTurn(**turn) for turn in row.tail),
        locale=row.locale,
        contact=contact,
        status=row.status,
        created_at=row.created_at,
        deliveries=tuple(deliveries),
        replies=tuple(replies),
        added=tuple(added),
        contact_consent=consent,
        verdict=semantics.verdict(marks),
    )


def delivery_of(row: AnyRow, attempts: Iterable[Attempt]) -> Delivery:
    """One target's copy, with the attempts on it."""
    next_at = None if row.next_at is None else timestamp(row.next_at)
    return Delivery(row.target, row.kind, row.state, tuple(attempts), next_at, row.action)


def attempt_values(attempt: Attempt) -> Values:
    """The columns of `attempts` besides the delivery's."""
    return asdict(attempt)


def attempt_of(row: AnyRow) -> Attempt:
    """An attempt that a row of `attempts` holds."""
    return Attempt(row.at, row.outcome, row.status, row.detail)


def delivery_values(work: Work, opened: OpenEscalation) -> list[Values]:
    """A row of `deliveries` for each target."""
    due = semantics.first_due(opened, work.at)
    return [
        {
            "escalation_id": opened.id,
            "target": target,
            "kind": kind,
            "state": "pending",
            "tries": 0,
            "next_at": due,
            "leased_until": 0.0,
        }
        for target, kind in opened.targets
    ]


def feedback_values(work: Work, mark: Feedback, conversation_id: str) -> Values:
    """A row of `feedback`."""
    return {
        **scope_values(work.scope),
        "turn_id": mark.turn_id,
        "conversation_id": conversation_id,
        "signal": mark.signal,
        "text": mark.text,
        "at": work.at,
    }


def mark_of(row: AnyRow) -> tuple[float, Feedback]:
    """The mark that a row of `feedback` holds, after its time."""
    return row.at, Feedback(row.turn_id, row.signal, row.text)


def mark_named(values: Values) -> Values:
    """The key of a row of `feedback`, to delete it by."""
    return {
        "of_site": values["site"],
        "of_subject": values["subject"],
        "of_turn": values["turn_id"],
    }


def event_values(
    scope: Scope, conversation_id: str, at: float, name: str, data: Mapping[str, object]
) -> Values:
    """A row of `visitor_events`."""
    return {
        **scope_values(scope),
        "conversation_id": conversation_id,
        "at": at,
        "name": name,
        "data": dict(data),
    }
