"""Small, valid values for tests of stores, and a clock that stands still until it is told."""

from __future__ import annotations

from dataclasses import dataclass

from core.encoding import timestamp
from core.messages import (
    Attempt,
    Citation,
    EscalationRequest,
    MemoryTurn,
    Reply,
    Turn,
    Usage,
)
from core.scope import Scope
from core.subjects import Feedback
from core.trajectory import Trajectory
from core.truth import Finished, OpenEscalation, ReceiptLink, Work

NOON = 1_790_000_000.0
ANNA = Scope("site_a", "anon:anna")
BEN = Scope("site_a", "anon:ben")
ANNA_ELSEWHERE = Scope("site_b", "anon:anna")
HOOK = ("hook", "webhook")
PAGER = ("pager", "pagerduty")


@dataclass
class StandingClock:
    """A clock that tests move by hand."""

    now: float = NOON

    def __call__(self) -> float:
        return self.now


def named(prefix: str, number: int) -> str:
    """An id whose order is that of the numbers."""
    return f"{prefix}_{number:032x}"


def a_turn(number: int = 1, conversation: int = 1, **changes: object) -> Turn:
    values: dict[str, object] = {
        "id": named("t", number),
        "conversation_id": named("c", conversation),
        "reply": "Within 30 days. ב־30 יום.",
        "confidence": 0.8125,
        "escalate": False,
        "reasons": ("cloud", "grounded"),
        "source": "cloud",
        "created_at": timestamp(NOON),
        "model": "mock-1",
        "citations": (Citation("Refunds", "https://example.com/refunds"),),
        "disclaimers": ("A model wrote this.",),
        "reasoning": None,
        "usage": Usage(12, 34),
    }
    return Turn(**{**values, **changes})  # type: ignore[arg-type]


def a_request(turn: int = 1, conversation: int = 1, **changes: object) -> EscalationRequest:
    values: dict[str, object] = {
        "turn_id": named("t", turn),
        "conversation_id": named("c", conversation),
        "question": "¿Cuándo llega mi pedido?",
        "fallback_text": "",
        "reason": "low_confidence",
        "confidence": 0.25,
        "conversation_tail": (),
        "locale": "es",
        "contact": None,
        "receipt": None,
        "timestamp": timestamp(NOON),
    }
    return EscalationRequest(**{**values, **changes})  # type: ignore[arg-type]


def by_browser(turn: int = 1, conversation: int = 1, **changes: object) -> EscalationRequest:
    """What a browser adds to an escalation that the gateway opened."""
    values: dict[str, object] = {
        "fallback_text": "A person will answer here.",
        "reason": "visitor_asked",
        "conversation_tail": (
            MemoryTurn("user", "hola"),
            MemoryTurn("assistant", "Hola.", "kb", 0.9),
        ),
        "contact": "a@example.com",
        "receipt": "r.e.c",
        "confidence": 0.99,
        "question": "another question",
    }
    return a_request(turn, conversation, **{**values, **changes})


def opened(
    number: int,
    request: EscalationRequest,
    *,
    by_gateway: bool = True,
    targets: tuple[tuple[str, str], ...] = (HOOK,),
) -> OpenEscalation:
    return OpenEscalation(named("e", number), request, targets, by_gateway)


def a_link(
    receipt: str, head: str | None = None, *, sid: str = "s_1", **changes: object
) -> ReceiptLink:
    presented = changes.get("presented", head)
    return ReceiptLink(sid, receipt, head, presented)  # type: ignore[arg-type]


def a_work(
    key: str,
    *,
    scope: Scope = ANNA,
    at: float = NOON,
    turn: Turn | None = None,
    escalation: OpenEscalation | None = None,
    link: ReceiptLink | None = None,
    feedback: Feedback | None = None,
    began: float | None = None,
) -> Work:
    finished = Finished(
        "0" * 64, 200, f'{{"key": "{key}"}}', None if link is None else link.receipt
    )
    return Work(scope, at, key, finished, link, turn, "When?", "en", escalation, feedback, began)


def a_way(number: int = 1, conversation: int = 1, **changes: object) -> Trajectory:
    values: dict[str, object] = {
        "turn_id": named("t", number),
        "conversation_id": named("c", conversation),
        "at": NOON + number,
        "request_sha256": "a" * 64,
        "reply_sha256": "b" * 64,
        "source": "cloud",
        "confidence": 0.75,
        "escalated": False,
        "reasons": ("low_confidence",),
        "channel": "widget",
        "locale": "en",
        "total_ms": 812.5,
        "task_type": "qa",
        "complexity": 0.25,
        "workflow": "workflow.chat",
        "tier": "small",
        "model": "little",
        "reason": "complexity",
        "estimated_micros": 3_000_000_000,
        "cost_micros": 96,
        "prompt_tokens": 12,
        "completion_tokens": 34,
        "first_token_ms": 140.25,
        "scores": {"overall": 0.5},
    }
    return Trajectory(**{**values, **changes})  # type: ignore[arg-type]


def a_reply(number: int, escalation: int, content: str = "Tomorrow.") -> Reply:
    return Reply(
        named("m", number),
        named("e", escalation),
        named("t", 1),
        "operator",
        content,
        timestamp(NOON),
    )


def an_attempt(outcome: str = "delivered", status: int | None = 200) -> Attempt:
    return Attempt(timestamp(NOON), outcome, status, "")
