"""The rows of the truth in memory: an escalation and what belongs to it, and how it may change.

It decides nothing of its own: `semantics` says what a change means. It opens nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.encoding import timestamp
from core.errors import NotFound
from core.escalation import Dated, FollowUp, follow_ups, happened, overtaken
from core.messages import (
    Escalation,
    EscalationStatus,
    Reply,
    Turn,
    VisitorEvent,
)
from core.ports import Thread
from core.scope import Scope
from core.subjects import Feedback
from core.trajectory import Trajectory
from core.truth import Finished, LeasedDelivery, Threaded
from gateway.adapters import semantics
from gateway.adapters.memory_deliveries import DeliveryRow, DeliveryRows
from gateway.adapters.semantics import Asked


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
    """An escalation with everything that belongs to it; a turn that was added to it has a row of
    its own, which names it as `case` and stands as it does."""

    id: str
    scope: Scope
    asked: Asked
    at: float
    status: EscalationStatus = "queued"
    case: EscalationRow | None = None
    deliveries: list[DeliveryRow] = field(default_factory=list)
    added: list[EscalationRow] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    replied: list[Dated] = field(default_factory=list)
    threads: dict[str, tuple[float, Thread]] = field(default_factory=dict)
    marks: Mapping[tuple[Scope, str], FeedbackRow] = field(default_factory=dict, repr=False)

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
        case = self.case or self
        # What was said before a later turn answers that one no less than the case.
        replied = any(self.case is None or when >= self.at for when, _ in case.replied)
        self.asked = semantics.joined(self.asked, later, self.status, replied=replied)
        if semantics.untouched(self.status, replied=replied):
            return
        what = ("open", "") if self.case is None else ("added", self.id)
        if later.provenance == "client":
            for delivery in case.deliveries:
                if (delivery.action, delivery.about) == what:
                    delivery.hasten(at)

    def turns(self) -> list[EscalationRow]:
        """The case and what was added to it, oldest first."""
        return [self, *sorted(self.added, key=lambda row: (row.at, row.id))]

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
        self,
        at: float,
        what: Sequence[FollowUp],
        *,
        via: str = "",
        only: str = "",
        again: bool = False,
    ) -> list[DeliveryRow]:
        """What each target that took the escalation, or one `only`, is told now, as rows without an
        id."""
        made = []
        for opening in self.openings:
            begun = bool(opening.attempts) or opening.leased_until > 0
            meant = opening.target == (only or opening.target)
            if meant and semantics.took(opening.state, begun=begun):
                wanted = follow_ups(opening.kind, what)
                if opening.target == via:
                    wanted = [one for one in wanted if one[0] != "reply"]
                made += self._new(opening, wanted, max(at, opening.leased_until), again=again)
        return made

    def to_catch_up(self, opening: DeliveryRow, at: float, since: str) -> list[DeliveryRow]:
        """What a target that has just taken the escalation is to hear; what it heard, again.

        Contacts that were left before `since`, when the try began, it has read already.
        """
        added = [(row.at, row.id) for row in self.added]
        left = ((row.asked.request.consent, row.id) for row in self.turns())
        contacts = [name for consent, name in left if consent and consent.at >= since]
        what = happened(added, self.replied, contacts, resolved=self.status == "resolved")
        return self._new(opening, follow_ups(opening.kind, what), at, again=True)

    def _new(
        self, opening: DeliveryRow, wanted: list[FollowUp], due: float, *, again: bool
    ) -> list[DeliveryRow]:
        own = [one for one in self.deliveries if one.target == opening.target]
        known = {(one.action, one.about) for one in own}
        gone = overtaken(opening.kind, wanted)
        for one in own:
            if one.action in gone and (one.action, one.about) not in wanted:
                one.overtake()
                # One that is under way has its effect first.
                due = max(due, one.leased_until)
        for one in own:
            if (one.action, one.about) in wanted and (again or one.state == "skipped"):
                one.again(due)
        return [
            DeliveryRow(0, self.id, opening.target, opening.kind, due, action=action, about=about)
            for action, about in wanted
            if (action, about) not in known
        ]

    @property
    def replies_in_order(self) -> tuple[Reply, ...]:
        """By where each stands; of one moment in the order in which they came."""
        placed = zip((at for at, _ in self.replied), self.replies, strict=True)
        return tuple(reply for _, reply in sorted(placed, key=lambda one: one[0]))

    def shown(self) -> Escalation:
        """The escalation as operators see it."""
        request = self.asked.request
        added = tuple(
            semantics.added_turn(row.id, row.asked, timestamp(row.at)) for row in self.turns()[1:]
        )
        contact, consent = semantics.newest_contact(request, added)
        names = [(self.scope, row.turn_id) for row in self.turns()]
        marks = [self.marks[name] for name in names if name in self.marks]
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
            contact=contact,
            status=self.status,
            created_at=timestamp(self.at),
            deliveries=tuple(delivery.shown() for delivery in self.deliveries),
            replies=self.replies_in_order,
            added=added,
            contact_consent=consent,
            verdict=semantics.verdict((mark.at, mark.feedback) for mark in marks),
        )


@dataclass(frozen=True, slots=True)
class TurnRow:
    """A turn with what was asked, and its place in its conversation, from 1."""

    question: str
    locale: str
    turn: Turn
    at: float
    number: int


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
    counts: dict[str, int] = field(default_factory=dict)
    turns: dict[tuple[Scope, str], TurnRow] = field(default_factory=dict)
    escalations: dict[str, EscalationRow] = field(default_factory=dict)
    by_turn: dict[tuple[Scope, str], EscalationRow] = field(default_factory=dict)
    open_cases: dict[str, EscalationRow] = field(default_factory=dict)
    feedback: dict[tuple[Scope, str], FeedbackRow] = field(default_factory=dict)
    trajectories: dict[tuple[Scope, str], Trajectory] = field(default_factory=dict)
    left_out: dict[tuple[Scope, str], str] = field(default_factory=dict)
    deliveries: DeliveryRows = field(default_factory=DeliveryRows)
    reply_ids: set[str] = field(default_factory=set)
    threads: dict[Thread, Threaded] = field(default_factory=dict)
    events: EventRows = field(default_factory=EventRows)

    def find(self, escalation_id: str) -> EscalationRow:
        """The case that this escalation is or was added to; raises `NotFound`."""
        row = self.escalations.get(escalation_id)
        if row is None:
            raise NotFound("no such escalation")
        return row.case or row

    def cases(self) -> list[EscalationRow]:
        """The cases, newest first."""
        found = [row for row in self.escalations.values() if row.case is None]
        return sorted(found, key=lambda row: (row.at, row.id), reverse=True)
