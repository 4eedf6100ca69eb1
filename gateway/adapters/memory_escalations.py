"""Changes of escalations in memory: opened, added to, replied to, resolved, delivered.

It decides nothing of its own: `semantics` and `core.escalation` say what a change means. No method
awaits.
"""

from __future__ import annotations

from dataclasses import replace

from core.errors import Conflict
from core.escalation import FollowUp, answered
from core.messages import Attempt, DeliveryState, EscalationStatus, Reply, VisitorEvent
from core.ports import Clock, Thread
from core.truth import Committed, OpenEscalation, Threaded, Work
from gateway.adapters import semantics
from gateway.adapters.memory_deliveries import DeliveryRow
from gateway.adapters.memory_learning import MemoryLearning
from gateway.adapters.memory_rows import EscalationRow, Rows


class MemoryEscalations:
    """What happens to the escalations of a truth in memory."""

    def __init__(self, rows: Rows, clock: Clock, learning: MemoryLearning) -> None:
        self._rows = rows
        self._clock = clock
        self._learning = learning

    def open(self, work: Work, opened: OpenEscalation) -> Committed:
        """Open the escalation of a turn, add it to the conversation's open one, or complete it."""
        asked, turn = semantics.asked(opened), (work.scope, opened.request.turn_id)
        row = self._rows.by_turn.get(turn)
        if row is not None:
            before = row.asked.request
            row.join(asked, work.at)
            if semantics.is_left(before, row.asked.request):
                whole = row.case or row
                told: list[FollowUp] = [("contact", row.id)]
                self._queue(whole, whole.to_tell(work.at, told, again=True))
            return Committed(row.id, row.status)
        case = self._rows.open_cases.get(opened.request.conversation_id)
        marks = self._rows.feedback
        row = EscalationRow(opened.id, work.scope, asked, work.at, case=case, marks=marks)
        self._rows.escalations[row.id] = self._rows.by_turn[turn] = row
        if case is None:
            self._rows.open_cases[row.conversation_id] = row
            due = semantics.first_due(opened, work.at)
            self._queue(
                row, [DeliveryRow(0, row.id, name, kind, due) for name, kind in opened.targets]
            )
            self._tell_status(row, row, work.at)
        else:
            row.status = semantics.status_of_added(case.status)
            case.added.append(row)
            self._tell_status(case, row, work.at)
            self.resend(case.id, work.at, dead_only=True)
            self._queue(
                case, case.to_tell(semantics.first_due(opened, work.at), [("added", row.id)])
            )
        return Committed(row.id, row.status)

    def reply(self, reply: Reply, *, at: float, via: str, seen: int | None) -> None:
        """Store a person's reply to what was seen; raises `NotFound` and `Conflict`."""
        row = self._rows.find(reply.escalation_id)
        if reply.id in self._rows.reply_ids:
            raise Conflict("this reply is already stored")
        turns = row.turns()
        unseen = semantics.unseen(turns, seen, row.status)
        newest = turns[len(turns) - len(unseen) - 1]
        reply = replace(reply, escalation_id=row.id, turn_id=newest.turn_id)
        self._rows.reply_ids.add(reply.id)
        row.replies.append(reply)
        place = semantics.replied_at(at, (turn.at for turn in unseen))
        row.replied.append((place, reply.id))
        self._learning.replied(row.scope, reply.turn_id, reply.content, at)
        event = VisitorEvent(0, "human_reply", semantics.reply_event(reply))
        self._rows.events.add(row.scope, row.conversation_id, at, event)
        told = answered(reply.id, [turn.id for turn in unseen])
        self._queue(row, row.to_tell(at, told, via=via))

    def resolve(
        self, escalation_id: str, at: float, *, via: str = "", seen: int | None = None
    ) -> bool:
        """Mark a case resolved unless there is what was not seen; whether it is.

        Raises `NotFound`.
        """
        row = self._rows.find(escalation_id)
        unseen = semantics.unseen(row.turns(), seen, row.status)
        if unseen:
            if via:
                why: list[FollowUp] = [("unseen", unseen[-1].id)]
                self._queue(row, row.to_tell(at, why, only=via, again=True))
            return False
        for delivery in row.deliveries:
            delivery.skip()
        end: list[FollowUp] = [("resolve", "")]
        self._queue(row, row.to_tell(at, end))
        self._set_status(row, "resolved", at)
        if self._rows.open_cases.get(row.conversation_id) is row:
            del self._rows.open_cases[row.conversation_id]
        return True

    def resend(self, escalation_id: str, at: float, *, dead_only: bool) -> int:
        """Make deliveries that are not delivered due again; raises `NotFound`."""
        row = self._rows.find(escalation_id)
        undone = [d for d in row.deliveries if semantics.is_told_again(d.action, d.state)]
        again = row.dead if dead_only else undone
        for delivery in again:
            delivery.again(at)
        self._follow(row, at)
        return len(again)

    def keep_thread(self, thread: Thread, threaded: Threaded) -> None:
        """Store whose thread this is; one that is known stays as it is. Raises `NotFound`."""
        row = self._rows.find(threaded.escalation_id)
        if thread not in self._rows.threads:
            self._rows.threads[thread] = Threaded(row.id, threaded.target)
            row.keep_thread(threaded.target, thread, self._clock())

    def finish(
        self,
        delivery_id: int,
        attempt: Attempt,
        state: DeliveryState,
        next_at: float | None,
        thread: Thread | None,
    ) -> EscalationStatus:
        """Record an attempt and what follows; raises `NotFound`."""
        delivery, at = self._rows.deliveries.find(delivery_id), self._clock()
        row = self._rows.find(delivery.escalation_id)
        before = delivery.state
        delivery.finish(attempt, state, next_at)
        if thread is not None:
            self.keep_thread(thread, Threaded(row.id, delivery.target))
        if delivery.action == "open" and delivery.state == "delivered" != before:
            self._queue(row, row.to_catch_up(delivery, at, attempt.at))
        return self._follow(row, at)

    def _queue(self, row: EscalationRow, made: list[DeliveryRow]) -> None:
        for delivery in made:
            row.deliveries.append(delivery)
            self._rows.deliveries.add(delivery)

    def _follow(self, row: EscalationRow, at: float) -> EscalationStatus:
        states = (delivery.state for delivery in row.openings)
        return self._set_status(row, semantics.overall(row.status, states), at)

    def _set_status(
        self, row: EscalationRow, status: EscalationStatus, at: float
    ) -> EscalationStatus:
        told = semantics.visitor_sees(row.status, status)
        for turn in row.turns():
            turn.status = status
            if told:
                self._tell_status(row, turn, at)
        return status

    def _tell_status(self, row: EscalationRow, turn: EscalationRow, at: float) -> None:
        data = semantics.status_event(turn.id, turn.turn_id, turn.status)
        event = VisitorEvent(0, "escalation_status", data)
        self._rows.events.add(row.scope, row.conversation_id, at, event)
