"""The rows of the truth in memory: an escalation and its deliveries, and how each may change.

It decides nothing of its own: `semantics` says what a change means. It opens nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from core.encoding import timestamp
from core.messages import Attempt, Delivery, DeliveryState, Escalation, EscalationStatus, Reply
from core.ports import LeasedDelivery
from core.scope import Scope
from gateway.adapters import semantics
from gateway.adapters.semantics import Asked


@dataclass(slots=True)
class DeliveryRow:
    """One target's copy. `tries` counts since a person last made it due, `attempts` has all."""

    id: int
    escalation_id: str
    target: str
    kind: str
    next_at: float | None
    state: DeliveryState = "pending"
    attempts: list[Attempt] = field(default_factory=list)
    tries: int = 0
    leased_until: float = 0.0

    @property
    def due(self) -> float | None:
        """When it may be leased; None when it is over."""
        if self.state != "pending" or self.next_at is None:
            return None
        return max(self.next_at, self.leased_until)

    def hasten(self, at: float) -> None:
        """Due at once, unless it was tried: then its schedule holds."""
        if self.state == "pending" and self.tries == 0 and self.next_at is not None:
            self.next_at = min(self.next_at, at)

    def skip(self) -> None:
        """Try it no more."""
        if self.state == "pending":
            self.state, self.next_at = "skipped", None

    def finish(self, attempt: Attempt, state: DeliveryState, next_at: float | None) -> None:
        """Record an attempt and what follows."""
        self.attempts.append(attempt)
        self.tries += 1
        self.leased_until = 0.0
        self.state = semantics.settled(self.state, state)
        self.next_at = next_at if self.state == "pending" else None

    def shown(self) -> Delivery:
        """The delivery as operators see it."""
        next_at = None if self.next_at is None else timestamp(self.next_at)
        return Delivery(self.target, self.kind, self.state, tuple(self.attempts), next_at)


@dataclass(slots=True)
class EscalationRow:
    """An escalation with everything that belongs to it."""

    id: str
    scope: Scope
    asked: Asked
    at: float
    deliveries: list[DeliveryRow]
    status: EscalationStatus = "queued"
    replies: list[Reply] = field(default_factory=list)

    @property
    def turn_id(self) -> str:
        """The turn it is about."""
        return self.asked.request.turn_id

    @property
    def conversation_id(self) -> str:
        """The conversation of that turn."""
        return self.asked.request.conversation_id

    def join(self, later: Asked, at: float) -> None:
        """Take in a later request for the same turn."""
        if semantics.untouched(self.status, replied=bool(self.replies)):
            return
        self.asked = semantics.joined(self.asked, later)
        if later.provenance == "client":
            for delivery in self.deliveries:
                delivery.hasten(at)

    def leased(self, delivery: DeliveryRow) -> LeasedDelivery:
        """A delivery of this escalation for a worker."""
        return LeasedDelivery(
            delivery.id, delivery.target, delivery.kind, self.shown(), delivery.tries
        )

    def shown(self) -> Escalation:
        """The escalation as operators see it."""
        request = self.asked.request
        return Escalation(
            id=self.id,
            site=self.scope.site,
            conversation_id=request.conversation_id,
            turn_id=request.turn_id,
            question=request.question,
            fallback_text=request.fallback_text,
            reason=request.reason,
            confidence=request.confidence,
            provenance=self.asked.provenance,
            tail=request.conversation_tail,
            locale=request.locale,
            contact=request.contact,
            status=self.status,
            created_at=timestamp(self.at),
            deliveries=tuple(delivery.shown() for delivery in self.deliveries),
            replies=tuple(self.replies),
        )
