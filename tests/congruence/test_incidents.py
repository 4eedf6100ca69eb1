"""Workers that die at any moment leave no incident open that is over, and none closed that is not.

The machine plays the workers: it leases, sends to an account that keeps what is open, records or
does not. However they died, once what is due has been told the account is as the truth says.
"""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from core.errors import NotFound
from core.messages import DeliveryState, Escalation
from core.truth import LeasedDelivery
from gateway.adapters.memory import MemoryTruth
from tests.congruence.samples import (
    PAGER,
    StandingClock,
    a_reply,
    a_request,
    a_work,
    an_attempt,
    named,
    opened,
)

LEASE_S = 20.0
MOMENT_S = 0.001
"""Of two things that happen at once nobody can say which was the last word."""
few = st.integers(1, 3)
seens = st.sampled_from([None, 1, 2, 9])


class Incidents(RuleBasedStateMachine):
    """One store, one account, and tries that end as they like."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = StandingClock()
        self.truth = MemoryTruth(clock=self.clock)
        self.runner = asyncio.Runner()
        self.escalations = 0
        self.replies = 0
        self.turns = 3
        self.open: set[str] = set()
        self.held: list[tuple[float, LeasedDelivery]] = []

    def teardown(self) -> None:
        try:
            self.told_in_the_end()
        finally:
            self.runner.close()

    @precondition(lambda self: self.escalations < 3)
    @rule()
    def escalate(self) -> None:
        self.escalations += 1
        self.ask(self.escalations, self.escalations)

    @rule(conversation=few)
    def ask_again(self, conversation: int) -> None:
        """Added to the case where one is open; else it opens one."""
        if conversation <= self.escalations and self.turns < 20:
            self.turns += 1
            self.ask(self.turns, conversation)

    def ask(self, number: int, conversation: int) -> None:
        self.clock.now += MOMENT_S
        made = opened(number, a_request(number, conversation), by_gateway=False, targets=(PAGER,))
        work = a_work(f"k{number}", at=self.clock.now, escalation=made)
        self.runner.run(self.truth.commit(work))

    @rule(seconds=st.sampled_from([1.0, 21.0, 301.0]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds
        # A try ends with its deadline, which is before its lease does.
        self.held = [(until, one) for until, one in self.held if until > self.clock.now]

    @rule(limit=few)
    def lease(self, limit: int) -> None:
        now = self.clock.now
        taken = self.runner.run(self.truth.lease_deliveries(now, now + LEASE_S, limit))
        self.held += [(now + LEASE_S, one) for one in taken]

    @precondition(lambda self: self.held)
    @rule(end=st.sampled_from(["taken", "refused", "answer lost", "killed", "killed before"]))
    def end_a_try(self, end: str) -> None:
        _, one = self.held.pop(0)
        if end not in {"refused", "killed before"}:
            self.send(one)
        if end in {"refused", "answer lost"}:
            self.finish(one, "timeout", "pending", self.clock.now + 300)
        elif end == "taken":
            self.finish(one, "delivered", "delivered", None)

    @rule(escalation=few, resolve=st.booleans(), seen=seens)
    def reply(self, *, escalation: int, resolve: bool, seen: int | None) -> None:
        if escalation <= self.escalations:
            self.replies += 1
            self.clock.now += MOMENT_S
            made, at = a_reply(self.replies, escalation), self.clock.now
            self.runner.run(self.truth.reply(made, resolve=resolve, at=at, seen=seen))

    @rule(escalation=few, seen=seens)
    def close(self, *, escalation: int, seen: int | None) -> None:
        name, at = named("e", escalation), self.clock.now
        try:
            self.runner.run(self.truth.resolve(name, at, seen=seen))
        except NotFound:
            assert escalation > self.escalations

    @rule(escalation=few)
    def resend(self, escalation: int) -> None:
        try:
            self.runner.run(self.truth.resend(named("e", escalation), self.clock.now))
        except NotFound:
            assert escalation > self.escalations

    def send(self, one: LeasedDelivery) -> None:
        change = self.open.discard if one.action == "resolve" else self.open.add
        change(one.escalation.id)

    def finish(
        self, one: LeasedDelivery, outcome: str, state: DeliveryState, at: float | None
    ) -> None:
        attempt = an_attempt(outcome)
        self.runner.run(self.truth.finish_delivery(one.id, attempt, state, at))

    def told_in_the_end(self) -> None:
        """Whoever held something is dead; a worker that lives tells the rest."""
        self.clock.now += LEASE_S
        while (due := self.runner.run(self.truth.next_due())) is not None:
            self.clock.now = max(self.clock.now, due)
            now = self.clock.now
            for one in self.runner.run(self.truth.lease_deliveries(now, now + LEASE_S, 10)):
                self.send(one)
                self.finish(one, "delivered", "delivered", None)
        rows = self.runner.run(self.truth.escalations(status="all", before=None, limit=99))
        assert self.open == {row.id for row in rows if self.waits(row)}

    @staticmethod
    def waits(row: Escalation) -> bool:
        """Whether the newest turn has no answer: a reply goes to the newest that was seen."""
        answered = {reply.turn_id for reply in row.replies}
        return row.status != "resolved" and row.newest_turn_id not in answered


TestIncidents = pytest.mark.timeout(600)(Incidents.TestCase)
TestIncidents.settings = settings(
    max_examples=settings().max_examples * 4, stateful_step_count=30, deadline=None
)
