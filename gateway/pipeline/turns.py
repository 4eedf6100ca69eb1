"""The turns that a question can end in: an entry's answer, asking back, a model's, or none.

It decides what each says of itself; whether a reply is believed is decided before.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.encoding import timestamp
from core.gate import Verdict
from core.messages import Citation, Turn
from core.respond import Response, marked_sentence, suggestions
from gateway.pipeline.state import TurnState, Written
from kb import Hit


def from_entry(state: TurnState, verdict: Verdict, hit: Hit) -> Turn:
    """The answer of an entry that the gate trusts."""
    return Turn(
        id=state.request.turn_id,
        conversation_id=state.request.conversation_id,
        reply=hit.entry.answer,
        confidence=verdict.confidence,
        escalate=verdict.escalate,
        reasons=verdict.reasons,
        source="kb",
        created_at=timestamp(state.clock()),
        citations=cited([hit]),
        sentence=marked_sentence(hit),
    )


def asking_back(state: TurnState, response: Response) -> Turn:
    """A turn that asks which of a few entries is meant; its text names them too."""
    choices = suggestions(response.verdict.choices)
    listed = "\n".join(f"- {choice.question}" for choice in choices)
    return Turn(
        id=state.request.turn_id,
        conversation_id=state.request.conversation_id,
        reply=f"{response.clarify_text}\n\n{listed}",
        confidence=response.verdict.confidence,
        escalate=False,
        reasons=response.verdict.reasons,
        source="kb",
        created_at=timestamp(state.clock()),
        choices=choices,
    )


def unanswered(state: TurnState, reason: str) -> Turn:
    """A turn without a reply: the panel shows the fallback, and a person is asked."""
    verdict = state.response.verdict
    return Turn(
        id=state.request.turn_id,
        conversation_id=state.request.conversation_id,
        reply="",
        confidence=verdict.confidence,
        escalate=True,
        reasons=(*verdict.reasons, reason),
        source="kb",
        created_at=timestamp(state.clock()),
    )


def from_model(
    state: TurnState, written: Written, confidence: float, reasons: tuple[str, ...]
) -> Turn:
    """What a model wrote, believed as far as `confidence`; `reasons` say why a person is asked."""
    return Turn(
        id=state.request.turn_id,
        conversation_id=state.request.conversation_id,
        reply=written.reply,
        confidence=confidence,
        escalate=bool(reasons),
        reasons=reasons,
        source="cloud",
        created_at=timestamp(state.clock()),
        model=written.model,
        citations=cited(state.passages),
        reasoning=written.reasoning,
        usage=written.usage,
    )


def cited(hits: Sequence[Hit]) -> tuple[Citation, ...]:
    """The links of these hits, each once."""
    links = dict.fromkeys(link for hit in hits for link in hit.entry.links)
    return tuple(Citation(link.title, link.url) for link in links)
