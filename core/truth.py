"""The truth: the port of the one durable store, and what is put into it and taken out.

A call that returns has been synced to disk. Every call that concerns a visitor carries its `Scope`;
another scope's rows are absent. Decides what is committed together; adapters decide how.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from core.bank import BankStore
from core.commands.feedback import CommandStore
from core.conversations import ConversationStore
from core.figures import FigureStore
from core.knowledge import Edit, Mark, Missed, Publication
from core.learning import LearningStore
from core.messages import (
    Attempt,
    DeliveryAction,
    DeliveryState,
    Escalation,
    EscalationRequest,
    EscalationStatus,
    Reply,
    Turn,
    VisitorEvent,
)
from core.model_routing.spend import Budgets
from core.personalities import PersonalityStore
from core.ports import Thread
from core.revocation import RevocationStore
from core.scope import Scope
from core.subjects import Feedback, SubjectStore
from core.trajectory import Trajectory

FINISHED_KEPT_S = 24 * 3600.0
"""The outcome of an idempotent call is given again for this long (WIRE, Every later call)."""

EVENTS_KEPT_S = 30 * 24 * 3600.0
"""What a visitor missed is told for this long (WIRE, Events for a visitor)."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The stored outcome of an idempotent call, to be given again for `FINISHED_KEPT_S`."""

    body_sha256: str
    status: int
    body: str
    receipt: str | None


@dataclass(frozen=True, slots=True)
class ReceiptLink:
    """A receipt about to become the head of its session's chain."""

    sid: str
    receipt: str
    expected_head: str | None
    presented: str | None


@dataclass(frozen=True, slots=True)
class OpenEscalation:
    """An escalation to commit, with the targets that are to hear of it."""

    id: str
    request: EscalationRequest
    targets: tuple[tuple[str, str], ...]
    by_gateway: bool


@dataclass(frozen=True, slots=True)
class Work:
    """What one signed call leaves behind, committed together or not at all.

    `began` is when the caller's session began: where the visitor's sessions were ended since, by an
    erase or an operator, nothing is stored any more. A `trajectory` that is owned is the scope's,
    any other nobody's.
    """

    scope: Scope
    at: float
    key: str
    finished: Finished
    link: ReceiptLink | None = None
    turn: Turn | None = None
    question: str = ""
    locale: str = ""
    escalation: OpenEscalation | None = None
    feedback: Feedback | None = None
    began: float | None = None
    trajectory: Trajectory | None = None


@dataclass(frozen=True, slots=True)
class Committed:
    """The escalation of a committed call's turn, as it stands now."""

    id: str
    status: EscalationStatus


@dataclass(frozen=True, slots=True)
class Threaded:
    """Whose thread it is."""

    escalation_id: str
    target: str


@dataclass(frozen=True, slots=True)
class LeasedDelivery:
    """A delivery that this worker alone may try until its lease ends.

    `about` is the id of the reply that a `reply` tells, or of the turn's escalation that an `added`
    or a `contact` tells; `thread` is where the target keeps this escalation, as far as it said so.
    """

    id: int
    target: str
    kind: str
    escalation: Escalation
    attempts: int
    action: DeliveryAction = "open"
    about: str = ""
    thread: Thread | None = None


WAITING: Final[frozenset[DeliveryState]] = frozenset({"pending", "failed", "disabled"})
"""Deliveries that a target has not taken, and may."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """Deliveries that wait by their state, and when the oldest pending one is due."""

    states: Mapping[DeliveryState, int]
    oldest_due: float | None


class KnowledgeStore(Protocol):
    """What operators changed of the sites' knowledge bases; a part of the truth, as durable.

    Every call may raise `Unavailable`.
    """

    async def edits(self, site: str, after: int) -> list[Edit]:
        """The site's edits with a greater number, in order."""

    async def append(self, edits: Sequence[Edit], *, seen: int | None = None) -> list[Edit]:
        """Store edits, all or none; the same with their numbers.

        With `seen`, the number of the newest edit of the site that they are based on (0: of none),
        it raises `Conflict` when one of these entries has a newer edit.
        """

    async def marks(self, site: str) -> list[Mark]:
        """The site's marks, oldest first."""

    async def mark(self, mark: Mark, *, instead_of: Sequence[str] = ()) -> None:
        """Store a mark in place of those with these ids."""

    async def unmark(self, site: str, mark_id: str) -> None:
        """Remove a mark; raises `NotFound`."""

    async def prior(self, site: str) -> float | None:
        """The declared share of questions without an answer; None where none was declared."""

    async def declare_prior(self, site: str, out_of_scope: float) -> None:
        """Declare that share, in [0, 1)."""

    async def published(self, site: str) -> Publication | None:
        """What was published last."""

    async def publish(self, publication: Publication) -> None:
        """Record that this went live."""

    async def missed(self, site: str, since: float, limit: int) -> list[Missed]:
        """Questions that went to a person for want of an answer, newest first."""


class Truth(Protocol):
    """The one durable store. A call that returns has been synced to disk."""

    @property
    def knowledge(self) -> KnowledgeStore:
        """The part that keeps what operators changed of knowledge bases."""

    @property
    def personalities(self) -> PersonalityStore:
        """The part that keeps what operators changed of how chats speak."""

    @property
    def commands(self) -> CommandStore:
        """The part that keeps what people said of classified commands."""

    @property
    def conversations(self) -> ConversationStore:
        """The part that gives out what was said in a conversation."""

    @property
    def revocations(self) -> RevocationStore:
        """The part that keeps which sessions were ended."""

    @property
    def learning(self) -> LearningStore:
        """The part that keeps how turns were answered, to learn from it."""

    @property
    def bank(self) -> BankStore:
        """The part that gives out answers that were right, for the next who asks the like."""

    @property
    def figures(self) -> FigureStore:
        """The part that counts how turns were answered."""

    @property
    def subjects(self) -> SubjectStore:
        """The part that gives out, erases, moves and forgets what is held of visitors."""

    @property
    def budgets(self) -> Budgets:
        """The part that counts what models cost."""

    async def start(self) -> None:
        """Open the store; raises `Unavailable` with the remedy when it cannot be used."""

    async def close(self) -> None:
        """Finish what is under way and close."""

    async def ping(self) -> None:
        """Raise `Unavailable` unless the store answers, and takes writes where one has failed."""

    async def finished(self, scope: Scope, key: str, since: float) -> Finished | None:
        """The outcome stored under this idempotency key since `since`, if any."""

    async def receipt_head(self, sid: str) -> str | None:
        """The hash of the session's newest receipt."""

    async def receipt_gaps(self, sid: str) -> int:
        """How often the session's browser showed another receipt than its chain's head."""

    async def commit(self, work: Work) -> Committed | None:
        """Commit one call's work; the escalation that the work asks for, None where it asks none.

        One escalation per scope and turn: a later request only completes the first, the gateway's
        own judgement takes the place of a browser's, and once a person has replied or resolved it
        nothing changes it, save that a contact is taken until it is resolved. What the gateway
        opened is due a moment later, or as soon as the browser has completed it.

        A conversation has one open escalation, its case: what another turn escalates while that is
        open is added to it, under an id of its own. The targets that took the case are told, each
        as its kind is; those that were given up are tried again; nobody else is woken.

        A mark on an answer is its trajectory's outcome (`core.outcome`), as far as it speaks of it.

        Raises `Ended` when the visitor's sessions were ended since this one began, `NotFound` when
        the conversation is another scope's, the turn another conversation's or the marked turn
        unknown, `Exists` when another call has stored the turn, `Conflict` when the receipt head
        has moved or the key is already finished.
        """

    async def turn(self, scope: Scope, turn_id: str) -> Turn | None:
        """A stored turn of this scope."""

    async def conversation_owned(self, scope: Scope, conversation_id: str) -> bool:
        """False when the conversation belongs to another scope; an unknown one is free."""

    async def events(self, scope: Scope, conversation_id: str, after: int) -> list[VisitorEvent]:
        """The visitor's events after that id, oldest first."""

    async def open_escalations(self, scope: Scope, conversation_id: str) -> int:
        """How many of the conversation's escalated turns are not resolved."""

    async def escalations(
        self, *, status: Literal["open", "resolved", "all"], before: str | None, limit: int
    ) -> list[Escalation]:
        """Operators' list of cases, newest first, older than the case `before` (unknown: none)."""

    async def escalation(self, escalation_id: str) -> Escalation:
        """One case, by its id or by that of a turn that was added to it; raises `NotFound`.

        Every other call that names an escalation finds it likewise.
        """

    async def reply(
        self, reply: Reply, *, resolve: bool, at: float, via: str = "", seen: int | None = None
    ) -> bool:
        """Store a person's reply, and the visitor's event with it; whether it resolved the case.

        `seen` is how many of the case's turns, the first included, the person had before them
        (None: all). It answers the last of those; with later ones there the case stays open, and
        the reply stands before them wherever things stand in order. The targets that took the
        escalation are told, each as its kind is; not the one named `via`, where the reply was
        written. Raises `NotFound`, and `Conflict` for a reply that is stored.
        """

    async def resolve(
        self, escalation_id: str, at: float, *, via: str = "", seen: int | None = None
    ) -> bool:
        """Mark an escalation resolved, unless it has turns that were not `seen`; whether it is.

        Pending deliveries of it are skipped, and the targets that took it are told. Where it stays
        open, the target named `via` is told that, since it was closed there. Raises `NotFound`.
        """

    async def keep_thread(self, thread: Thread, threaded: Threaded) -> None:
        """Store whose thread this is; one that is known stays as it is. Raises `NotFound`."""

    async def threaded(self, thread: Thread) -> Threaded | None:
        """Whose thread this is; None where it is nobody's."""

    async def resend(self, escalation_id: str, at: float, *, dead_only: bool = False) -> int:
        """Make deliveries that are not delivered due again, resolved or not; how many.

        `dead_only`: those alone that `dead_letters` is about. Raises `NotFound`.
        """

    async def dead_letters(self, limit: int) -> list[Escalation]:
        """The escalations of which something was given up and is still wanted, newest first.

        A delivery that failed or was disabled; of a resolved escalation only what follows it.
        """

    async def lease_deliveries(
        self,
        now: float,
        until: float,
        limit: int,
        *,
        except_targets: frozenset[str] = frozenset(),
    ) -> list[LeasedDelivery]:
        """Take due deliveries of other targets than those; nobody else gets them before `until`.

        One whose escalation cannot be read has failed, and the others are given.
        """

    async def finish_delivery(
        self,
        delivery_id: int,
        attempt: Attempt,
        state: DeliveryState,
        next_at: float | None,
        *,
        thread: Thread | None = None,
    ) -> EscalationStatus:
        """Record an attempt and what follows; the escalation's status afterwards.

        `thread` is where the target keeps the escalation from now on.
        """

    async def put_off_delivery(self, delivery_id: int, until: float) -> None:
        """Give a leased delivery back untried, due at `until`; raises `NotFound`."""

    async def backlog(self) -> Backlog:
        """What waits in the outbox; `oldest_due` is in Unix seconds, None where none is pending."""

    async def next_due(self, *, except_targets: frozenset[str] = frozenset()) -> float | None:
        """When the next pending delivery to another target than those is due, in Unix seconds."""
