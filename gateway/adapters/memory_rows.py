"""The rows of the truth in memory: an escalation and its deliveries, and how each may change.

It decides nothing of its own: `semantics` says what a change means. It opens nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from core.encoding import timestamp
from core.errors import NotFound
from core.escalation import FollowUp, follow_ups
from core.messages import (
    Attempt,
    Delivery,
    DeliveryAction,
    DeliveryState,
    Escalation,
    EscalationStatus,
    Reply,
    Turn,
    VisitorEvent,
)
from core.ports import Thread
from core.scope import Scope
from core.subjects import Feedback
from core.truth import WAITING, Backlog, Finished, LeasedDelivery, Threaded
from gateway.adapters import semantics
from gateway.adapters.semantics import Asked


@dataclass(slots=True)
class DeliveryRow:
    """What one target is told. `tries` counts since it was last made due, `attempts` has all."""

    id: int
    escalation_id: str
    target: str
    kind: str
    next_at: float | None
    state: DeliveryState = "pending"
    attempts: list[Attempt] = field(default_factory=list)
    tries: int = 0
    leased_until: float = 0.0
    action: DeliveryAction = "open"
    about: str = ""

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
        """Try it no more; what follows the escalation is told all the same."""
        if self.state == "pending" and self.action == "open":
            self.state, self.next_at = "skipped", None

    def finish(self, attempt: Attempt, state: DeliveryState, next_at: float | None) -> None:
        """Record an attempt and what follows."""
        self.attempts.append(attempt)
        self.tries += 1
        self.leased_until = 0.0
        self.state = semantics.settled(self.state, state)
        self.next_at = next_at if self.state == "pending" else None

    def put_off(self, until: float) -> None:
        """Give it back untried, due later."""
        self.leased_until = 0.0
        self.next_at = until if self.state == "pending" else None

    def again(self, at: float) -> None:
        """Due anew, whatever became of it."""
        self.state, self.next_at, self.tries = "pending", at, 0

    def shown(self) -> Delivery:
        """The delivery as operators see it."""
        next_at = None if self.next_at is None else timestamp(self.next_at)
        attempts = tuple(self.attempts)
        return Delivery(self.target, self.kind, self.state, attempts, next_at, self.action)


class DeliveryRows:
    """All deliveries, numbered from 1 as they were added; no number comes twice."""

    def __init__(self) -> None:
        self._rows: dict[int, DeliveryRow] = {}
        self._last = 0

    def add(self, row: DeliveryRow) -> None:
        """Number a row and keep it."""
        self._last += 1
        row.id = self._last
        self._rows[row.id] = row

    def drop(self, row: DeliveryRow) -> None:
        """Keep a row no more."""
        del self._rows[row.id]

    def find(self, delivery_id: int) -> DeliveryRow:
        """The row of this number; raises `NotFound`."""
        if delivery_id not in self._rows:
            raise NotFound("no such delivery")
        return self._rows[delivery_id]

    def lease(
        self, now: float, until: float, limit: int, except_targets: frozenset[str]
    ) -> list[DeliveryRow]:
        """Take the oldest that are due."""
        due = [
            row
            for row in self._rows.values()
            if row.due is not None and row.due <= now and row.target not in except_targets
        ]
        due.sort(key=lambda row: (row.next_at, row.id))
        for row in due[:limit]:
            row.leased_until = until
        return due[:limit]

    def next_due(self, except_targets: frozenset[str]) -> float | None:
        """When the next one is due."""
        rows = (row for row in self._rows.values() if row.target not in except_targets)
        return min((row.due for row in rows if row.due is not None), default=None)

    def backlog(self) -> Backlog:
        """What waits."""
        waiting = [row for row in self._rows.values() if row.state in WAITING]
        due = (row.next_at for row in waiting if row.state == "pending" and row.next_at is not None)
        return Backlog(Counter(row.state for row in waiting), min(due, default=None))


class EventRows:
    """What visitors are told, numbered from 1 over all conversations."""

    def __init__(self) -> None:
        self._rows: dict[tuple[Scope, str], list[tuple[float, VisitorEvent]]] = defaultdict(list)
        self._last = 0

    def add(self, scope: Scope, conversation_id: str, at: float, event: VisitorEvent) -> None:
        """Number an event and keep it."""
        self._last += 1
        self._rows[scope, conversation_id].append((at, replace(event, id=self._last)))

    def of(
        self, scope: Scope, conversation_id: str, after: int, oldest: float
    ) -> list[VisitorEvent]:
        """A conversation's events after that id and time, oldest first."""
        rows = self._rows.get((scope, conversation_id), [])
        return [event for at, event in rows if at > oldest and event.id > after]

    def in_scope(self, scope: Scope) -> list[tuple[str, VisitorEvent]]:
        """All that a visitor was told, each with its conversation, oldest first."""
        found = [
            (place, event)
            for (whose, place), rows in self._rows.items()
            if whose == scope
            for _, event in rows
        ]
        return sorted(found, key=lambda one: one[1].id)

    def has(self, conversation_id: str) -> bool:
        """Whether anything is left of a conversation."""
        return any(rows and name == conversation_id for (_, name), rows in self._rows.items())

    def move(self, conversation_id: str, scope: Scope, into: Scope) -> None:
        """Give a conversation's events to another subject."""
        self._rows[into, conversation_id] += self._rows.pop((scope, conversation_id), [])

    def drop(self, scope: Scope) -> int:
        """Drop all that a visitor was told; how many."""
        names = [name for name in self._rows if name[0] == scope]
        return sum(len(self._rows.pop(name)) for name in names)

    def expire(self, before: float, limit: int) -> list[str]:
        """Drop the oldest from before that time; the conversation of each."""
        old = [
            (at, event.id, name)
            for name, rows in self._rows.items()
            for at, event in rows
            if at < before
        ]
        chosen = sorted(old)[:limit]
        for _, number, name in chosen:
            self._rows[name] = [one for one in self._rows[name] if one[1].id != number]
        return [name[1] for _, _, name in chosen]


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
    threads: dict[str, tuple[float, Thread]] = field(default_factory=dict)

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
            delivery.id,
            delivery.target,
            delivery.kind,
            self.shown(),
            delivery.tries,
            delivery.action,
            delivery.about,
            None if delivery.action == "open" else self._newest_thread(delivery.target),
        )

    def keep_thread(self, target: str, thread: Thread, at: float) -> None:
        """Keep a target's newest thread: of two of one moment, the one whose `ts` is later."""
        known = self.threads.get(target)
        if known is None or (known[0], known[1].ts) < (at, thread.ts):
            self.threads[target] = at, thread

    def _newest_thread(self, target: str) -> Thread | None:
        known = self.threads.get(target)
        return known[1] if known else None

    @property
    def openings(self) -> list[DeliveryRow]:
        """The deliveries of the escalation itself."""
        return [one for one in self.deliveries if one.action == "open"]

    @property
    def dead(self) -> list[DeliveryRow]:
        """What was given up and is still wanted."""
        return [
            one for one in self.deliveries if semantics.is_dead(one.state, one.action, self.status)
        ]

    def to_tell(
        self, at: float, reply_ids: Sequence[str] = (), *, resolved: bool = False, via: str = ""
    ) -> list[DeliveryRow]:
        """What each target that took the escalation is told now, as rows without an id."""
        made = []
        for opening in self.openings:
            begun = bool(opening.attempts) or opening.leased_until > 0
            if semantics.took(opening.state, begun=begun):
                wanted = follow_ups(opening.kind, reply_ids, resolved=resolved)
                if opening.target == via:
                    wanted = [one for one in wanted if one[0] != "reply"]
                made += self._new(opening, wanted, max(at, opening.leased_until))
        return made

    def to_catch_up(self, opening: DeliveryRow, at: float) -> list[DeliveryRow]:
        """What a target that has just taken the escalation is to hear; what it heard, again."""
        reply_ids = [reply.id for reply in self.replies]
        wanted = follow_ups(opening.kind, reply_ids, resolved=self.status == "resolved")
        for known in self.deliveries:
            if known.target == opening.target and (known.action, known.about) in wanted:
                known.again(at)
        return self._new(opening, wanted, at)

    def _new(self, opening: DeliveryRow, wanted: list[FollowUp], due: float) -> list[DeliveryRow]:
        known = {(one.action, one.about) for one in self.deliveries if one.target == opening.target}
        return [
            DeliveryRow(0, self.id, opening.target, opening.kind, due, action=action, about=about)
            for action, about in wanted
            if (action, about) not in known
        ]

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


@dataclass(frozen=True, slots=True)
class TurnRow:
    """A turn with what was asked."""

    question: str
    locale: str
    turn: Turn
    at: float


@dataclass(frozen=True, slots=True)
class FeedbackRow:
    """A mark on an answer of this conversation."""

    feedback: Feedback
    conversation_id: str
    at: float


@dataclass(slots=True)
class HeadRow:
    """The head of a session's chain of receipts."""

    scope: Scope
    head: str | None = None
    gaps: int = 0
    at: float = 0.0


@dataclass(slots=True)
class Rows:
    """Everything that the truth in memory keeps of visitors."""

    finished: dict[tuple[Scope, str], tuple[float, Finished]] = field(default_factory=dict)
    heads: dict[str, HeadRow] = field(default_factory=dict)
    owners: dict[str, Scope] = field(default_factory=dict)
    turns: dict[tuple[Scope, str], TurnRow] = field(default_factory=dict)
    escalations: dict[str, EscalationRow] = field(default_factory=dict)
    by_turn: dict[tuple[Scope, str], EscalationRow] = field(default_factory=dict)
    feedback: dict[tuple[Scope, str], FeedbackRow] = field(default_factory=dict)
    deliveries: DeliveryRows = field(default_factory=DeliveryRows)
    reply_ids: set[str] = field(default_factory=set)
    threads: dict[Thread, Threaded] = field(default_factory=dict)
    events: EventRows = field(default_factory=EventRows)
