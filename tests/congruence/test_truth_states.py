"""A store of truth over long runs of calls, beside the one in memory: they never differ.

Besides, after every call: nobody reads another scope's rows, and an escalation's id stays.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from core.errors import FanlightError
from core.messages import DeliveryState
from core.ports import Truth, Work
from core.scope import Scope
from gateway.adapters.memory import MemoryTruth
from gateway.adapters.sql.truth import SqlTruth
from tests.congruence.samples import (
    HOOK,
    PAGER,
    StandingClock,
    a_link,
    a_reply,
    a_request,
    a_turn,
    a_work,
    an_attempt,
    by_browser,
    named,
    opened,
)

SCOPES = [Scope(site, subject) for site in ("site_a", "site_b") for subject in ("x", "y", "z")]
scopes = st.sampled_from(SCOPES)
few = st.integers(1, 4)
askers: st.SearchStrategy[Literal["browser", "gateway", "gateway with its turn"]] = st.sampled_from(
    ["browser", "gateway", "gateway with its turn"]
)
left_out = st.sampled_from([frozenset[str](), frozenset({"hook"}), frozenset({"hook", "pager"})])
woken = st.sampled_from([(), (HOOK,), (HOOK, PAGER)])
states: st.SearchStrategy[DeliveryState] = st.sampled_from(
    ["pending", "delivered", "failed", "disabled"]
)


class Stores(RuleBasedStateMachine):
    """Gives both stores the same calls and compares what they answer."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = StandingClock()
        self.folder = Path(tempfile.mkdtemp(prefix="truth-"))
        self.runner = asyncio.Runner()
        self.stores: tuple[Truth, Truth] = (
            MemoryTruth(clock=self.clock),
            SqlTruth(f"sqlite:///{self.folder}/truth.db", clock=self.clock),
        )
        self.opened = 0
        self.replies = 0
        self.ids: dict[tuple[Scope, str], str] = {}

    def teardown(self) -> None:
        try:
            for name in range(1, 5):
                self.visitors_see_their_own(name)
        finally:
            for store in self.stores:
                self.runner.run(store.close())
            self.runner.close()
            shutil.rmtree(self.folder)

    def both[Value](self, call: Callable[[Truth], Awaitable[Value]]) -> Value | None:
        """What both answer; None when both refuse in the same way."""

        async def answer(store: Truth) -> object:
            try:
                return await call(store)
            except FanlightError as exc:
                return type(exc)

        async def answers() -> list[object]:
            return [await answer(store) for store in self.stores]

        first, second = self.runner.run(answers())
        assert first == second
        return None if isinstance(first, type) else first  # type: ignore[return-value]

    @initialize()
    def open(self) -> None:
        for store in self.stores:
            self.runner.run(store.start())

    @rule(seconds=st.sampled_from([0.5, 30.0, 3600.0, 86400.0, 20 * 86400.0]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule(scope=scopes, key=few, turn=few, conversation=few, chained=st.booleans())
    def chat(self, *, scope: Scope, key: int, turn: int, conversation: int, chained: bool) -> None:
        head = self.both(lambda store: store.receipt_head("s_1")) if chained else None
        self.commit(
            a_work(
                f"k{key}",
                scope=scope,
                at=self.clock.now,
                turn=a_turn(turn, conversation),
                link=a_link(f"r{self.clock.now}{key}", head),
            )
        )

    @rule(scope=scopes, key=few, turn=few, conversation=few, by=askers, wake=woken)
    def escalate(
        self,
        *,
        scope: Scope,
        key: int,
        turn: int,
        conversation: int,
        by: Literal["browser", "gateway", "gateway with its turn"],
        wake: tuple[tuple[str, str], ...],
    ) -> None:
        self.opened += 1
        request = (by_browser if by == "browser" else a_request)(turn, conversation)
        escalation = opened(self.opened, request, by_gateway=by != "browser", targets=wake)
        made = a_turn(turn, conversation) if by == "gateway with its turn" else None
        self.commit(
            a_work(f"k{key}", scope=scope, at=self.clock.now, turn=made, escalation=escalation),
        )

    def commit(self, work: Work) -> None:
        committed = self.both(lambda store: store.commit(work))
        if committed is not None and work.escalation is not None:
            name = (work.scope, work.escalation.request.turn_id)
            assert self.ids.setdefault(name, committed.id) == committed.id

    @rule(escalation=few, resolve=st.booleans())
    def reply(self, *, escalation: int, resolve: bool) -> None:
        self.replies += 1
        reply = a_reply(self.replies, escalation)
        self.both(lambda store: store.reply(reply, resolve=resolve, at=self.clock.now))

    @rule(escalation=few)
    def resolve(self, escalation: int) -> None:
        self.both(lambda store: store.resolve(named("e", escalation), self.clock.now))

    @rule(escalation=few)
    def resend(self, escalation: int) -> None:
        self.both(lambda store: store.resend(named("e", escalation), self.clock.now))

    @rule(state=states, limit=few, without=left_out, finish=st.booleans())
    def deliver(
        self, *, state: DeliveryState, limit: int, without: frozenset[str], finish: bool
    ) -> None:
        now = self.clock.now
        leased = self.both(
            lambda store: store.lease_deliveries(now, now + 60, limit, except_targets=without)
        )
        for one in (leased or []) if finish else []:
            self.both(
                lambda store, one=one: store.finish_delivery(  # type: ignore[misc]
                    one.id, an_attempt(state), state, now + 5
                )
            )

    @rule(page=few, status=st.sampled_from(["open", "resolved", "all"]), before=few)
    def list(self, page: int, status: str, before: int) -> None:
        self.both(
            lambda store: store.escalations(
                status=status,  # type: ignore[arg-type]
                before=named("e", before),
                limit=page,
            )
        )

    @invariant()
    def operators_see_the_same(self) -> None:
        for without in (frozenset[str](), frozenset({"hook"})):
            self.both(lambda store, without=without: store.next_due(except_targets=without))  # type: ignore[misc]
        self.both(lambda store: store.receipt_gaps("s_1"))
        self.both(lambda store: store.escalations(status="all", before=None, limit=99))

    @rule(name=few)
    def visitors_see_their_own(self, name: int) -> None:
        seen = [self.look(scope, name) for scope in SCOPES]
        owners = [scope for scope, one in zip(SCOPES, seen, strict=True) if one and one[0]]
        assert len(owners) in {1, len(SCOPES)}
        for scope, one in zip(SCOPES, seen, strict=True):
            assert owners == [scope] or (one and one[1:3] == ([], 0))

    def look(self, scope: Scope, name: int) -> tuple[object, ...] | None:
        return self.both(lambda store: self.visible(store, scope, name))

    async def visible(self, store: Truth, scope: Scope, name: int) -> tuple[object, ...]:
        conversation = named("c", name)
        turn = await store.turn(scope, named("t", name))
        if turn is not None:
            assert await store.conversation_owned(scope, turn.conversation_id)
        return (
            await store.conversation_owned(scope, conversation),
            await store.events(scope, conversation, 0),
            await store.open_escalations(scope, conversation),
            await store.finished(scope, f"k{name}", self.clock.now - 86400),
            turn,
        )


TestStores = pytest.mark.timeout(1800)(Stores.TestCase)
TestStores.settings = settings(
    max_examples=settings().max_examples // 4, stateful_step_count=30, deadline=None
)
