"""What a webhook is told of an escalation and its later turns: a body of less than 20 kB.

It decides what is left out when an escalation is too long: the oldest turns of the tail first,
then the ends of the texts, always between characters and always with a note that says so. The
same questions, texts and contact give the same bytes, whatever became of earlier attempts: another
attempt says something else only where a late browser has completed the escalation meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from core.messages import AddedTurn, Consent, Escalation, MemoryTurn

LIMIT_BYTES = 20_000
"""Standard Webhooks advises bodies under 20 kB."""

Event = Literal["escalation.created", "escalation.turn_added", "escalation.contact_left"]

NOTE = "Shortened to fit; the whole escalation is in the Fanlight console."


def created(escalation: Escalation, limit: int = LIMIT_BYTES) -> bytes:
    """The body of `escalation.created` as UTF-8 JSON of less than `limit` bytes."""
    return _fitting("escalation.created", escalation, limit)


def turn_added(escalation: Escalation, turn: AddedTurn, limit: int = LIMIT_BYTES) -> bytes:
    """The body of `escalation.turn_added`: the same fields, all but the escalation's the turn's."""
    of_turn = replace(
        escalation,
        turn_id=turn.turn_id,
        question=turn.question,
        fallback_text=turn.fallback_text,
        reason=turn.reason,
        confidence=turn.confidence,
        tail=turn.tail,
        locale=turn.locale,
        contact=turn.contact,
        contact_consent=turn.contact_consent,
        created_at=turn.created_at,
    )
    return _fitting("escalation.turn_added", of_turn, limit)


def contact_left(escalation: Escalation, turn: Escalation | AddedTurn) -> bytes:
    """The body of `escalation.contact_left`: how to reach the visitor, and what they agreed to."""
    consent = turn.contact_consent
    data: dict[str, object] = {
        "gateway": escalation.site,
        "escalation_id": escalation.id,
        "conversation_id": escalation.conversation_id,
        "turn_id": turn.turn_id,
        **_reached(turn.contact, consent),
    }
    told_at = consent.at if consent else turn.created_at
    return _packed("escalation.contact_left", told_at, data)


def _reached(contact: str | None, consent: Consent | None) -> dict[str, object]:
    agreed = None if consent is None else {"wording": consent.wording, "at": consent.at}
    return {"contact": contact, "contact_consent": agreed}


def _packed(event: Event, timestamp: str, data: Mapping[str, object]) -> bytes:
    document = {"type": event, "timestamp": timestamp, "data": data}
    packed = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # A lone surrogate cannot be written as UTF-8; a question mark stands in for it.
    return packed.encode("utf-8", "replace")


def _fitting(event: Event, escalation: Escalation, limit: int) -> bytes:
    tail = escalation.tail
    for dropped in range(len(tail) + 1):
        body = _body(event, escalation, tail[dropped:], None, shortened=dropped > 0)
        if len(body) < limit:
            return body
    return _with_texts_cut(event, escalation, limit)


def _with_texts_cut(event: Event, escalation: Escalation, limit: int) -> bytes:
    """The body with the longest texts that fit, found by halving."""
    fits, over = 0, max(len(escalation.question), len(escalation.fallback_text))
    while over - fits > 1:
        middle = (fits + over) // 2
        if len(_body(event, escalation, (), middle, shortened=True)) < limit:
            fits = middle
        else:
            over = middle
    return _body(event, escalation, (), fits, shortened=True)


def _body(
    event: Event,
    escalation: Escalation,
    tail: Sequence[MemoryTurn],
    longest: int | None,
    *,
    shortened: bool,
) -> bytes:
    data: dict[str, object] = {
        "gateway": escalation.site,
        "escalation_id": escalation.id,
        "conversation_id": escalation.conversation_id,
        "turn_id": escalation.turn_id,
        "question": _cut(escalation.question, longest),
        "fallback_text": _cut(escalation.fallback_text, longest),
        "reason": escalation.reason,
        "confidence": escalation.confidence,
        "conversation_tail": [{"role": turn.role, "content": turn.content} for turn in tail],
        "locale": escalation.locale,
        **_reached(escalation.contact, escalation.contact_consent),
    }
    if shortened:
        data["note"] = NOTE
    return _packed(event, escalation.created_at, data)


def _cut(text: str, longest: int | None) -> str:
    return text if longest is None or len(text) <= longest else text[:longest] + "…"
