"""Truth and cache in this process's memory, under the same congruence suites as every other.

The truth is for tests, trials and the edge's tests under Pyodide: whatever it holds is gone with
the process. The cache is the real one of a gateway of one process: it forgets nothing before its
time, and refuses with `Unavailable` rather than forget when it is full. Both live in one event
loop, start no thread and import the standard library and `core` only.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import dropwhile
from typing import Literal

from core.errors import Conflict, Exists, NotFound, Unavailable
from core.messages import (
    Attempt,
    DeliveryState,
    Escalation,
    EscalationStatus,
    Reply,
    Turn,
    VisitorEvent,
)
from core.ports import (
    FINISHED_KEPT_S,
    Clock,
    Committed,
    Finished,
    LeasedDelivery,
    OpenEscalation,
    Work,
)
from core.receipts import chain_hash
from core.scope import Scope
from gateway.adapters import semantics
from gateway.adapters.memory_rows import DeliveryRow, EscalationRow

EXPIRED_DROPPED_PER_CALL = 16
"""Dropping a few at every call keeps the cache small without a pause when many expire at once."""


@dataclass(slots=True)
class _Entry:
    value: str
    expires: float
    count: int = 0


class MemoryCache:
    """A `Cache` of at most `capacity` live keys; full, it fails closed."""

    def __init__(self, *, clock: Clock, capacity: int = 500_000) -> None:
        self._clock = clock
        self._capacity = capacity
        self._since = clock()
        self._entries: dict[tuple[str, str], _Entry] = {}
        self._expiries: list[tuple[float, tuple[str, str]]] = []

    @property
    def since(self) -> float:
        """Unix seconds from which on the cache has forgotten nothing."""
        return self._since

    def __len__(self) -> int:
        return len(self._entries)

    async def claim(self, key: str, ttl_s: float) -> bool:
        """Take `key` for `ttl_s` seconds; False when somebody holds it."""
        if self._live("claim", key) is not None:
            return False
        self._insert("claim", key, _Entry("", self._clock() + ttl_s))
        return True

    async def release(self, key: str) -> None:
        """Give `key` back."""
        self._entries.pop(("claim", key), None)

    async def count(self, key: str, window_s: float) -> tuple[int, float]:
        """Count one event of `key`; how many in this window, and seconds until it ends."""
        entry = self._live("count", key)
        if entry is None:
            entry = _Entry("", self._clock() + window_s)
            self._insert("count", key, entry)
        entry.count += 1
        return entry.count, entry.expires - self._clock()

    async def put(self, key: str, value: str, ttl_s: float) -> None:
        """Keep a value for `ttl_s` seconds."""
        self._insert("value", key, _Entry(value, self._clock() + ttl_s))

    async def get(self, key: str) -> str | None:
        """The value, or None when it is gone."""
        entry = self._live("value", key)
        return None if entry is None else entry.value

    def _live(self, kind: str, key: str) -> _Entry | None:
        entry = self._entries.get((kind, key))
        return entry if entry is not None and entry.expires > self._clock() else None

    def _insert(self, kind: str, key: str, entry: _Entry) -> None:
        name = (kind, key)
        self._drop_expired()
        if name not in self._entries and len(self._entries) >= self._capacity:
            raise Unavailable(f"the cache is full: {self._capacity} keys are live")
        self._entries[name] = entry
        heapq.heappush(self._expiries, (entry.expires, name))
        if len(self._expiries) > 2 * len(self._entries) + 1024:
            # Keys that were released or put again leave their old expiry behind.
            self._expiries = [(entry.expires, name) for name, entry in self._entries.items()]
            heapq.heapify(self._expiries)

    def _drop_expired(self) -> None:
        now = self._clock()
        for _ in range(EXPIRED_DROPPED_PER_CALL):
            if not self._expiries or self._expiries[0][0] > now:
                return
            _, name = heapq.heappop(self._expiries)
            entry = self._entries.get(name)
            if entry is not None and entry.expires <= now:
                del self._entries[name]


class MemoryTruth:
    """A `Truth` in dictionaries. No method awaits between a check and its write."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._finished: dict[tuple[Scope, str], tuple[float, Finished]] = {}
        self._heads: dict[str, str] = {}
        self._gaps: dict[str, int] = defaultdict(int)
        self._owners: dict[str, Scope] = {}
        self._turns: dict[tuple[Scope, str], Turn] = {}
        self._escalations: dict[str, EscalationRow] = {}
        self._by_turn: dict[tuple[Scope, str], EscalationRow] = {}
        self._deliveries: list[DeliveryRow] = []
        self._reply_ids: set[str] = set()
        self._events: dict[tuple[Scope, str], list[tuple[float, VisitorEvent]]] = defaultdict(list)
        self._last_event = 0

    async def start(self) -> None:
        """Nothing needs opening."""

    async def close(self) -> None:
        """Nothing needs closing; what was written stays readable."""

    async def ping(self) -> None:
        """Memory answers."""

    async def finished(self, scope: Scope, key: str, since: float) -> Finished | None:
        """The outcome stored under this idempotency key since `since`, if any."""
        at, outcome = self._finished.get((scope, key), (0.0, None))
        return outcome if at >= since else None

    async def receipt_head(self, sid: str) -> str | None:
        """The hash of the session's newest receipt."""
        return self._heads.get(sid)

    async def receipt_gaps(self, sid: str) -> int:
        """How often the session's browser showed another receipt than its chain's head."""
        return self._gaps.get(sid, 0)

    async def commit(self, work: Work) -> Committed | None:
        """Commit one call's work; the escalation that the work asks for."""
        self._check(work)
        self._drop_finished(work.at)
        self._finished[work.scope, work.key] = (work.at, work.finished)
        for conversation in semantics.conversations(work):
            self._owners[conversation] = work.scope
        if work.turn is not None:
            self._turns[work.scope, work.turn.id] = work.turn
        if work.link is not None:
            self._heads[work.link.sid] = chain_hash(work.link.receipt)
            self._gaps[work.link.sid] += work.link.presented != work.link.expected_head
        if work.escalation is None:
            return None
        return self._escalate(work, work.escalation)

    def _check(self, work: Work) -> None:
        """Refuse what may not be stored, for the same reason as every other store does."""
        link, opened = work.link, work.escalation
        if link is not None and self._heads.get(link.sid) != link.expected_head:
            raise Conflict("the head of the session's receipts has moved")
        for turn_id, conversation in semantics.places(work):
            if self._owners.get(conversation, work.scope) != work.scope:
                raise NotFound("no such conversation")
            if self._place(work.scope, turn_id) not in {None, conversation}:
                raise NotFound("no such turn in this conversation")
        stored = self._finished.get((work.scope, work.key))
        if stored is not None and stored[0] >= work.at - FINISHED_KEPT_S:
            raise Conflict("this idempotency key is already finished")
        if work.turn is not None and (work.scope, work.turn.id) in self._turns:
            raise Exists("this turn is already stored")
        if (
            opened is not None
            and opened.id in self._escalations
            and (work.scope, opened.request.turn_id) not in self._by_turn
        ):
            raise Conflict("another escalation has this id")

    def _place(self, scope: Scope, turn_id: str) -> str | None:
        """The conversation of a turn that was stored or escalated."""
        turn = self._turns.get((scope, turn_id))
        if turn is not None:
            return turn.conversation_id
        row = self._by_turn.get((scope, turn_id))
        return None if row is None else row.conversation_id

    def _drop_finished(self, now: float) -> None:
        # Dictionaries keep their order and rows come in about that of time.
        old = []
        for name, (at, _) in self._finished.items():
            if at >= now - FINISHED_KEPT_S:
                break
            old.append(name)
        for name in old:
            del self._finished[name]

    def _escalate(self, work: Work, opened: OpenEscalation) -> Committed:
        asked = semantics.asked(opened)
        known = self._by_turn.get((work.scope, opened.request.turn_id))
        if known is not None:
            known.join(asked, work.at)
            return Committed(known.id, known.status)
        due = semantics.first_due(opened, work.at)
        deliveries = [
            DeliveryRow(len(self._deliveries) + number, opened.id, target, kind, due)
            for number, (target, kind) in enumerate(opened.targets, start=1)
        ]
        row = EscalationRow(opened.id, work.scope, asked, work.at, deliveries)
        self._escalations[row.id] = row
        self._by_turn[work.scope, row.turn_id] = row
        self._deliveries.extend(deliveries)
        self._tell_status(row, work.at)
        return Committed(row.id, row.status)

    async def turn(self, scope: Scope, turn_id: str) -> Turn | None:
        """A stored turn of this scope."""
        return self._turns.get((scope, turn_id))

    async def conversation_owned(self, scope: Scope, conversation_id: str) -> bool:
        """False when the conversation belongs to another scope; an unknown one is free."""
        return self._owners.get(conversation_id, scope) == scope

    async def events(self, scope: Scope, conversation_id: str, after: int) -> list[VisitorEvent]:
        """The visitor's events after that id, oldest first."""
        oldest = self._clock() - semantics.EVENTS_KEPT_S
        rows = self._events.get((scope, conversation_id), [])
        return [event for at, event in rows if at > oldest and event.id > after]

    async def open_escalations(self, scope: Scope, conversation_id: str) -> int:
        """How many of the conversation's escalations are not resolved."""
        return sum(
            row.scope == scope
            and row.conversation_id == conversation_id
            and row.status != "resolved"
            for row in self._escalations.values()
        )

    async def escalations(
        self, *, status: Literal["open", "resolved", "all"], before: str | None, limit: int
    ) -> list[Escalation]:
        """Operators' list, newest first, older than the id `before`."""
        rows = sorted(self._escalations.values(), key=lambda row: (row.at, row.id), reverse=True)
        if before is not None:
            rows = list(dropwhile(lambda row: row.id != before, rows))[1:]
        if status != "all":
            rows = [row for row in rows if (row.status == "resolved") == (status == "resolved")]
        return [row.shown() for row in rows[:limit]]

    async def escalation(self, escalation_id: str) -> Escalation:
        """One escalation; raises `NotFound`."""
        return self._row(escalation_id).shown()

    async def reply(self, reply: Reply, *, resolve: bool, at: float) -> None:
        """Store a person's reply, and the visitor's event with it; raises `NotFound`."""
        row = self._row(reply.escalation_id)
        if reply.id in self._reply_ids:
            raise Conflict("this reply is already stored")
        reply = replace(reply, turn_id=row.turn_id)
        self._reply_ids.add(reply.id)
        row.replies.append(reply)
        self._tell(row, at, VisitorEvent(0, "human_reply", semantics.reply_event(reply)))
        if resolve:
            self._resolve(row, at)

    async def resolve(self, escalation_id: str, at: float) -> None:
        """Mark an escalation resolved; pending deliveries are skipped; raises `NotFound`."""
        self._resolve(self._row(escalation_id), at)

    async def resend(self, escalation_id: str, at: float) -> int:
        """Make deliveries that are not delivered due again; raises `NotFound`."""
        row = self._row(escalation_id)
        again = [delivery for delivery in row.deliveries if delivery.state != "delivered"]
        for delivery in again:
            delivery.state, delivery.next_at, delivery.tries = "pending", at, 0
        self._follow(row, at)
        return len(again)

    async def lease_deliveries(
        self,
        now: float,
        until: float,
        limit: int,
        *,
        except_targets: frozenset[str] = frozenset(),
    ) -> list[LeasedDelivery]:
        """Take due deliveries of other targets than those; nobody else gets them before `until`."""
        due = [
            row
            for row in self._deliveries
            if row.due is not None and row.due <= now and row.target not in except_targets
        ]
        due.sort(key=lambda row: (row.next_at, row.id))
        for row in due[:limit]:
            row.leased_until = until
        return [self._row(row.escalation_id).leased(row) for row in due[:limit]]

    async def finish_delivery(
        self, delivery_id: int, attempt: Attempt, state: DeliveryState, next_at: float | None
    ) -> EscalationStatus:
        """Record an attempt and what follows; raises `NotFound`."""
        if not 1 <= delivery_id <= len(self._deliveries):
            raise NotFound("no such delivery")
        delivery = self._deliveries[delivery_id - 1]
        delivery.finish(attempt, state, next_at)
        return self._follow(self._row(delivery.escalation_id), self._clock())

    async def next_due(self, *, except_targets: frozenset[str] = frozenset()) -> float | None:
        """When the next pending delivery to another target than those is due, in Unix seconds."""
        rows = (row for row in self._deliveries if row.target not in except_targets)
        return min((row.due for row in rows if row.due is not None), default=None)

    def _row(self, escalation_id: str) -> EscalationRow:
        row = self._escalations.get(escalation_id)
        if row is None:
            raise NotFound("no such escalation")
        return row

    def _follow(self, row: EscalationRow, at: float) -> EscalationStatus:
        states = (delivery.state for delivery in row.deliveries)
        return self._set_status(row, semantics.overall(row.status, states), at)

    def _resolve(self, row: EscalationRow, at: float) -> None:
        for delivery in row.deliveries:
            delivery.skip()
        self._set_status(row, "resolved", at)

    def _set_status(
        self, row: EscalationRow, status: EscalationStatus, at: float
    ) -> EscalationStatus:
        told = semantics.visitor_sees(row.status, status)
        row.status = status
        if told:
            self._tell_status(row, at)
        return status

    def _tell_status(self, row: EscalationRow, at: float) -> None:
        data = semantics.status_event(row.id, row.turn_id, row.status)
        self._tell(row, at, VisitorEvent(0, "escalation_status", data))

    def _tell(self, row: EscalationRow, at: float, event: VisitorEvent) -> None:
        self._last_event += 1
        numbered = replace(event, id=self._last_event)
        self._events[row.scope, row.conversation_id].append((at, numbered))
