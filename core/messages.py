"""The messages of the wire as frozen values, and the rows that keep them.

They carry no behaviour beyond their JSON form. Parsing and refusing what a client sent is the
HTTP edge's work (`gateway.wire`); a value that exists here is already well formed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Source = Literal["kb", "local", "cloud", "human"]
EscalationReason = Literal["low_confidence", "empty", "requested", "always", "visitor_asked"]
EscalationStatus = Literal["queued", "delivered", "resolved", "failed"]
DeliveryState = Literal["pending", "delivered", "failed", "disabled", "skipped"]
DeliveryAction = Literal["open", "added", "contact", "reply", "resolve", "unseen"]
"""What a target is told: of the escalation itself, of a later turn that was added to it, of how to
reach the visitor, of a person's reply, that it is over, or that it is not, although somebody closed
it there: that person had not seen the last turn."""
Provenance = Literal["server", "client"]
"""Who judged: this gateway, or a browser that says so."""


@dataclass(frozen=True, slots=True)
class Citation:
    """A source that a reader can open."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An entry of the knowledge base that a visitor may have meant."""

    entry_id: str
    question: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What every answerer returns.

    `confidence` is the estimated probability in [0, 1] that `text` is right; `method` says how
    the answer was found.
    """

    text: str
    confidence: float
    source: Source
    citations: tuple[Citation, ...] = ()
    method: str = ""


@dataclass(frozen=True, slots=True)
class MemoryTurn:
    """One turn as the browser reports it: context, never evidence."""

    role: Literal["user", "assistant"]
    content: str
    source: str | None = None
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A visitor's question, checked. `model` is the one that the caller named, if any."""

    turn_id: str
    conversation_id: str
    question: str
    locale: str
    question_locale: str | None
    training_memory: tuple[MemoryTurn, ...]
    gate: Mapping[str, object] | None
    stream: bool
    max_tokens: int
    may_clarify: bool = True
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens, as the model's server counted them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """A judged answer to one question.

    `choices` are what the visitor is asked to choose from, and `sentence` is where the sentence
    stands in the reply that speaks for the question, in UTF-16 units. `fallback_text` is what the
    visitor is shown in the reply's place where that is not the usual text, because nobody is there.
    `back_at` says when somebody is. A stored turn has none of them.
    """

    id: str
    conversation_id: str
    reply: str
    confidence: float
    escalate: bool
    reasons: tuple[str, ...]
    source: Source
    created_at: str
    model: str | None = None
    citations: tuple[Citation, ...] = ()
    disclaimers: tuple[str, ...] = ()
    reasoning: str | None = None
    usage: Usage | None = None
    memory: None = None
    choices: tuple[Suggestion, ...] = ()
    sentence: tuple[int, int] | None = None
    fallback_text: str | None = None
    back_at: str | None = None

    def document(self) -> dict[str, Any]:
        """The turn as the wire has it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Consent:
    """What the visitor agreed to, word for word, and when the gateway heard it."""

    wording: str
    at: str


@dataclass(frozen=True, slots=True)
class EscalationRequest:
    """A browser's request for a person, checked and redacted."""

    turn_id: str
    conversation_id: str
    question: str
    fallback_text: str
    reason: EscalationReason
    confidence: float
    conversation_tail: tuple[MemoryTurn, ...]
    locale: str
    contact: str | None
    receipt: str | None
    timestamp: str
    consent: Consent | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to reach a target; `status` is the HTTP status where there was an answer."""

    at: str
    outcome: str
    status: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One thing that a target is told of an escalation, in the outbox.

    `skipped`: the escalation was resolved before the target had taken it.
    """

    target: str
    kind: str
    state: DeliveryState
    attempts: tuple[Attempt, ...] = ()
    next_at: str | None = None
    action: DeliveryAction = "open"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a person answered."""

    id: str
    escalation_id: str
    turn_id: str
    author: str
    content: str
    created_at: str


@dataclass(frozen=True, slots=True)
class AddedTurn:
    """A later turn that was added to its conversation's open escalation; `id` is its own."""

    id: str
    turn_id: str
    question: str
    fallback_text: str
    reason: EscalationReason
    confidence: float
    provenance: Provenance
    tail: tuple[MemoryTurn, ...]
    locale: str
    contact: str | None
    created_at: str
    contact_consent: Consent | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the visitor said of a person's answer to this turn: whether it helped, and a word."""

    turn_id: str
    signal: Literal["worked", "failed", "partial"]
    text: str | None
    created_at: str


@dataclass(frozen=True, slots=True)
class Escalation:
    """An escalation as operators see it.

    `provenance` says whose the question, the reason and the confidence are. `added` are the turns
    that followed while it was open, oldest first; `contact` is the newest that one of them has,
    with what the visitor agreed to as it was left. `verdict` is the newest of its turns.
    """

    id: str
    site: str
    conversation_id: str
    turn_id: str
    question: str
    fallback_text: str
    reason: EscalationReason
    confidence: float
    provenance: Provenance
    tail: tuple[MemoryTurn, ...]
    locale: str
    contact: str | None
    status: EscalationStatus
    created_at: str
    deliveries: tuple[Delivery, ...] = ()
    replies: tuple[Reply, ...] = ()
    added: tuple[AddedTurn, ...] = ()
    contact_consent: Consent | None = None
    verdict: Verdict | None = None

    @property
    def newest_turn_id(self) -> str:
        """The turn that a person answers now."""
        return self.added[-1].turn_id if self.added else self.turn_id

    def document(self) -> dict[str, Any]:
        """The escalation as the console reads it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class VisitorEvent:
    """An event for the visitor's panel; `id` orders the events of a conversation."""

    id: int
    name: Literal["human_reply", "escalation_status", "turn_revised"]
    data: Mapping[str, object] = field(default_factory=dict)
