"""A truth in this process's memory, under the same congruence suites as every other.

For tests, trials and the edge's tests under Pyodide: whatever it holds is gone with the process. It
lives in one event loop, starts no thread and imports the standard library and `core` only.
"""

from __future__ import annotations

from itertools import dropwhile
from typing import Literal

from core.errors import Conflict, Ended, Exists, NotFound
from core.messages import (
    Attempt,
    DeliveryState,
    Escalation,
    EscalationStatus,
    Reply,
    Turn,
    VisitorEvent,
)
from core.ports import Clock, Thread
from core.receipts import chain_hash
from core.scope import Scope
from core.truth import (
    EVENTS_KEPT_S,
    FINISHED_KEPT_S,
    Backlog,
    Committed,
    Finished,
    LeasedDelivery,
    Threaded,
    Work,
)
from gateway.adapters import semantics
from gateway.adapters.memory_bank import MemoryBank
from gateway.adapters.memory_budgets import MemoryBudgets
from gateway.adapters.memory_commands import MemoryCommands
from gateway.adapters.memory_conversations import MemoryConversations
from gateway.adapters.memory_escalations import MemoryEscalations
from gateway.adapters.memory_figures import MemoryFigures
from gateway.adapters.memory_knowledge import MemoryKnowledge
from gateway.adapters.memory_learning import MemoryLearning
from gateway.adapters.memory_personalities import MemoryPersonalities
from gateway.adapters.memory_revocations import MemoryRevocations
from gateway.adapters.memory_rows import (
    FeedbackRow,
    HeadRow,
    Rows,
    TurnRow,
)
from gateway.adapters.memory_subjects import MemorySubjects


class MemoryTruth:
    """A `Truth` in dictionaries. No method awaits between a check and its write."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._rows = Rows()
        self._knowledge = MemoryKnowledge(self._rows.escalations.values)
        self._personalities = MemoryPersonalities()
        self._commands = MemoryCommands()
        self._conversations = MemoryConversations(self._rows)
        self._revocations = MemoryRevocations()
        self._budgets = MemoryBudgets()
        self._learning = MemoryLearning(self._rows)
        self._bank = MemoryBank(self._rows)
        self._figures = MemoryFigures(self._rows)
        self._subjects = MemorySubjects(self._rows, self._revocations, self._budgets)
        self._escalations = MemoryEscalations(self._rows, clock, self._learning)

    @property
    def knowledge(self) -> MemoryKnowledge:
        """The part that keeps what operators changed of knowledge bases."""
        return self._knowledge

    @property
    def personalities(self) -> MemoryPersonalities:
        """The part that keeps what operators changed of how chats speak."""
        return self._personalities

    @property
    def commands(self) -> MemoryCommands:
        """The part that keeps what people said of classified commands."""
        return self._commands

    @property
    def conversations(self) -> MemoryConversations:
        """The part that gives out what was said in a conversation."""
        return self._conversations

    @property
    def revocations(self) -> MemoryRevocations:
        """The part that keeps which sessions were ended."""
        return self._revocations

    @property
    def learning(self) -> MemoryLearning:
        """The part that keeps how turns were answered, to learn from it."""
        return self._learning

    @property
    def bank(self) -> MemoryBank:
        """The part that gives out answers that were right."""
        return self._bank

    @property
    def figures(self) -> MemoryFigures:
        """The part that counts how turns were answered."""
        return self._figures

    @property
    def subjects(self) -> MemorySubjects:
        """The part that gives out, erases, moves and forgets what is held of visitors."""
        return self._subjects

    @property
    def budgets(self) -> MemoryBudgets:
        """The part that counts what models cost."""
        return self._budgets

    async def start(self) -> None:
        """Nothing needs opening."""

    async def close(self) -> None:
        """Nothing needs closing; what was written stays readable."""

    async def ping(self) -> None:
        """Memory answers."""

    async def finished(self, scope: Scope, key: str, since: float) -> Finished | None:
        """The outcome stored under this idempotency key since `since`, if any."""
        at, outcome = self._rows.finished.get((scope, key), (0.0, None))
        return outcome if at >= since else None

    async def receipt_head(self, sid: str) -> str | None:
        """The hash of the session's newest receipt."""
        row = self._rows.heads.get(sid)
        return None if row is None else row.head

    async def receipt_gaps(self, sid: str) -> int:
        """How often the session's browser showed another receipt than its chain's head."""
        row = self._rows.heads.get(sid)
        return 0 if row is None else row.gaps

    async def commit(self, work: Work) -> Committed | None:
        """Commit one call's work; the escalation that the work asks for."""
        self._check(work)
        self._drop_finished(work.at)
        self._rows.finished[work.scope, work.key] = (work.at, work.finished)
        for conversation in semantics.conversations(work):
            self._rows.owners[conversation] = work.scope
        if work.turn is not None:
            place = work.turn.conversation_id
            number = self._rows.counts.get(place, 0) + 1
            self._rows.counts[place] = number
            row = TurnRow(work.question, work.locale, work.turn, work.at, number)
            self._rows.turns[work.scope, work.turn.id] = row
        if work.link is not None:
            head = self._rows.heads.setdefault(work.link.sid, HeadRow(work.scope))
            head.gaps += work.link.presented != head.head
            head.head, head.at = chain_hash(work.link.receipt), work.at
        if work.trajectory is not None:
            self._learning.store(work.scope, work.trajectory)
        if work.feedback is not None:
            self._learning.mark(work.scope, work.feedback, work.at)
            place = self._place(work.scope, work.feedback.turn_id) or ""
            mark = FeedbackRow(work.feedback, place, work.at)
            self._rows.feedback[work.scope, work.feedback.turn_id] = mark
        if work.escalation is None:
            return None
        return self._escalations.open(work, work.escalation)

    def _check(self, work: Work) -> None:
        """Refuse what may not be stored, for the same reason as every other store does."""
        link, opened, mark = work.link, work.escalation, work.feedback
        if work.began is not None and self._revocations.ended_since(work.scope, work.began):
            raise Ended("the visitor's sessions were ended")
        head = self._rows.heads.get(link.sid) if link is not None else None
        if link is not None and (head.head if head else None) != link.expected_head:
            raise Conflict("the head of the session's receipts has moved")
        for turn_id, conversation in semantics.places(work):
            if self._rows.owners.get(conversation, work.scope) != work.scope:
                raise NotFound("no such conversation")
            if self._place(work.scope, turn_id) not in {None, conversation}:
                raise NotFound("no such turn in this conversation")
        if mark is not None and self._place(work.scope, mark.turn_id) is None:
            raise NotFound("no such turn")
        stored = self._rows.finished.get((work.scope, work.key))
        if stored is not None and stored[0] >= work.at - FINISHED_KEPT_S:
            raise Conflict("this idempotency key is already finished")
        if work.turn is not None and (work.scope, work.turn.id) in self._rows.turns:
            raise Exists("this turn is already stored")
        if (
            opened is not None
            and opened.id in self._rows.escalations
            and (work.scope, opened.request.turn_id) not in self._rows.by_turn
        ):
            raise Conflict("another escalation has this id")

    def _place(self, scope: Scope, turn_id: str) -> str | None:
        """The conversation of a turn that was stored or escalated."""
        stored = self._rows.turns.get((scope, turn_id))
        if stored is not None:
            return stored.turn.conversation_id
        row = self._rows.by_turn.get((scope, turn_id))
        return None if row is None else row.conversation_id

    def _drop_finished(self, now: float) -> None:
        # Dictionaries keep their order and rows come in about that of time.
        old = []
        for name, (at, _) in self._rows.finished.items():
            if at >= now - FINISHED_KEPT_S:
                break
            old.append(name)
        for name in old:
            del self._rows.finished[name]

    async def turn(self, scope: Scope, turn_id: str) -> Turn | None:
        """A stored turn of this scope."""
        row = self._rows.turns.get((scope, turn_id))
        return None if row is None else row.turn

    async def conversation_owned(self, scope: Scope, conversation_id: str) -> bool:
        """False when the conversation belongs to another scope; an unknown one is free."""
        return self._rows.owners.get(conversation_id, scope) == scope

    async def events(self, scope: Scope, conversation_id: str, after: int) -> list[VisitorEvent]:
        """The visitor's events after that id, oldest first."""
        oldest = self._clock() - EVENTS_KEPT_S
        return self._rows.events.of(scope, conversation_id, after, oldest)

    async def open_escalations(self, scope: Scope, conversation_id: str) -> int:
        """How many of the conversation's escalations are not resolved."""
        return sum(
            row.scope == scope
            and row.conversation_id == conversation_id
            and row.status != "resolved"
            for row in self._rows.escalations.values()
        )

    async def escalations(
        self, *, status: Literal["open", "resolved", "all"], before: str | None, limit: int
    ) -> list[Escalation]:
        """Operators' list of cases, newest first, older than the case `before`."""
        rows = self._rows.cases()
        if before is not None:
            rows = list(dropwhile(lambda row: row.id != before, rows))[1:]
        if status != "all":
            rows = [row for row in rows if (row.status == "resolved") == (status == "resolved")]
        return [row.shown() for row in rows[:limit]]

    async def escalation(self, escalation_id: str) -> Escalation:
        """One case, by its id or by that of a turn that was added to it; raises `NotFound`."""
        return self._rows.find(escalation_id).shown()

    async def reply(
        self, reply: Reply, *, resolve: bool, at: float, via: str = "", seen: int | None = None
    ) -> bool:
        """Store a person's reply, and the visitor's event with it; whether it resolved the case."""
        self._escalations.reply(reply, at=at, via=via, seen=seen)
        return resolve and self._escalations.resolve(reply.escalation_id, at, seen=seen)

    async def resolve(
        self, escalation_id: str, at: float, *, via: str = "", seen: int | None = None
    ) -> bool:
        """Mark a case resolved, unless it has turns that were not seen; whether it is."""
        return self._escalations.resolve(escalation_id, at, via=via, seen=seen)

    async def keep_thread(self, thread: Thread, threaded: Threaded) -> None:
        """Store whose thread this is; one that is known stays as it is."""
        self._escalations.keep_thread(thread, threaded)

    async def threaded(self, thread: Thread) -> Threaded | None:
        """Whose thread this is; None where it is nobody's."""
        return self._rows.threads.get(thread)

    async def resend(self, escalation_id: str, at: float, *, dead_only: bool = False) -> int:
        """Make deliveries that are not delivered due again; raises `NotFound`."""
        return self._escalations.resend(escalation_id, at, dead_only=dead_only)

    async def dead_letters(self, limit: int) -> list[Escalation]:
        """The cases of which something was given up and is still wanted, newest first."""
        return [row.shown() for row in self._rows.cases() if row.dead][:limit]

    async def lease_deliveries(
        self,
        now: float,
        until: float,
        limit: int,
        *,
        except_targets: frozenset[str] = frozenset(),
    ) -> list[LeasedDelivery]:
        """Take due deliveries of other targets than those; nobody else gets them before `until`."""
        leased = self._rows.deliveries.lease(now, until, limit, except_targets)
        return [self._rows.find(row.escalation_id).leased(row) for row in leased]

    async def finish_delivery(
        self,
        delivery_id: int,
        attempt: Attempt,
        state: DeliveryState,
        next_at: float | None,
        *,
        thread: Thread | None = None,
    ) -> EscalationStatus:
        """Record an attempt and what follows; raises `NotFound`."""
        return self._escalations.finish(delivery_id, attempt, state, next_at, thread)

    async def put_off_delivery(self, delivery_id: int, until: float) -> None:
        """Give a leased delivery back untried, due at `until`; raises `NotFound`."""
        self._rows.deliveries.find(delivery_id).put_off(until)

    async def next_due(self, *, except_targets: frozenset[str] = frozenset()) -> float | None:
        """When the next pending delivery to another target than those is due, in Unix seconds."""
        return self._rows.deliveries.next_due(except_targets)

    async def backlog(self) -> Backlog:
        """What is in the outbox."""
        return self._rows.deliveries.backlog()
