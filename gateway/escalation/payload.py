"""What a webhook is told of an escalation: a Standard Webhooks body of less than 20 kB.

It decides what is left out when an escalation is too long: the oldest turns of the tail first,
then the ends of the texts, always between characters and always with a note that says so. The
same questions, texts and contact give the same bytes, whatever became of earlier attempts: another
attempt says something else only where a late browser has completed the escalation meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from core.messages import Escalation, MemoryTurn

LIMIT_BYTES = 20_000
"""Standard Webhooks advises bodies under 20 kB."""

NOTE = "Shortened to fit; the whole escalation is in the Fanlight console."


def created(escalation: Escalation, limit: int = LIMIT_BYTES) -> bytes:
    """The body of `escalation.created` as UTF-8 JSON of less than `limit` bytes."""
    tail = escalation.tail
    for dropped in range(len(tail) + 1):
        body = _body(escalation, tail[dropped:], None, shortened=dropped > 0)
        if len(body) < limit:
            return body
    return _with_texts_cut(escalation, limit)


def _with_texts_cut(escalation: Escalation, limit: int) -> bytes:
    """The body with the longest texts that fit, found by halving."""
    fits, over = 0, max(len(escalation.question), len(escalation.fallback_text))
    while over - fits > 1:
        middle = (fits + over) // 2
        if len(_body(escalation, (), middle, shortened=True)) < limit:
            fits = middle
        else:
            over = middle
    return _body(escalation, (), fits, shortened=True)


def _body(
    escalation: Escalation, tail: Sequence[MemoryTurn], longest: int | None, *, shortened: bool
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
        "contact": escalation.contact,
    }
    if shortened:
        data["note"] = NOTE
    document = {"type": "escalation.created", "timestamp": escalation.created_at, "data": data}
    packed = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # A lone surrogate cannot be written as UTF-8; a question mark stands in for it.
    return packed.encode("utf-8", "replace")


def _cut(text: str, longest: int | None) -> str:
    return text if longest is None or len(text) <= longest else text[:longest] + "…"
