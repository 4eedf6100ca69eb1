"""The deliveries of the truth in memory: what each target is told, and when it is due.

It decides nothing of its own: `semantics` says what a change means. It opens nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from core.encoding import timestamp
from core.errors import NotFound
from core.messages import Attempt, Delivery, DeliveryAction, DeliveryState
from core.truth import WAITING, Backlog
from gateway.adapters import semantics


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

    def overtake(self) -> None:
        """Try it no more, given up or not: something later says otherwise."""
        if self.state == "pending" or self.state in semantics.DEAD_STATES:
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
