"""A store of truth over long runs of calls, beside the one in memory: they never differ.

Besides, after every call: nobody reads another scope's rows, and an escalation's id stays.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from core.encoding import timestamp
from core.errors import FanlightError
from core.messages import Consent, DeliveryState
from core.ports import Thread
from core.scope import Scope
from core.subjects import KINDS, Feedback, Held, Kind, Signal
from core.truth import FINISHED_KEPT_S, Truth, Work
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
from tests.servers import PostgresServer

SCOPES = [Scope(site, subject) for site in ("site_a", "site_b") for subject in "vwxyz"]
scopes = st.sampled_from(SCOPES)
few = st.integers(1, 4)
vias = st.sampled_from(["", "team", "pager"])
seens = st.sampled_from([None, 1, 2, 9])
Asker = Literal["browser", "browser with a contact", "gateway", "gateway with its turn"]
askers: st.SearchStrategy[Asker] = st.sampled_from(
    ["browser", "browser with a contact", "gateway", "gateway with its turn"]
)
subjects = st.sampled_from(["x", "y", "z"])
signals: st.SearchStrategy[Signal] = st.sampled_from(["up", "down", "correction"])
ages = st.sampled_from([0.0, 1800.0, 86400.0])
left_out = st.sampled_from([frozenset[str](), frozenset({"hook"}), frozenset({"hook", "pager"})])
CHAT = ("team", "slack")
woken = st.sampled_from([(), (HOOK,), (HOOK, PAGER), (PAGER, CHAT), (HOOK, PAGER, CHAT)])
states: st.SearchStrategy[DeliveryState] = st.sampled_from(
    ["pending", "delivered", "failed", "disabled"]
)


THREADS = [Thread("T1", "C1", f"1790000000.00000{number}") for number in range(3)]
threads = st.sampled_from([None, *THREADS])


class Stores(RuleBasedStateMachine):
    """Gives both stores the same calls and compares what they answer."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = StandingClock()
        self.folder = Path(tempfile.mkdtemp(prefix="truth-"))
        self.runner = asyncio.Runner()
        self.stores: tuple[Truth, Truth] = (
            MemoryTruth(clock=self.clock),
            SqlTruth(self.url(), clock=self.clock),
        )
        self.opened = 0
        self.replies = 0
        self.ids: dict[tuple[Scope, str], str] = {}

    def url(self) -> str:
        """An empty database."""
        return f"sqlite:///{self.folder}/truth.db"

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
        by: Asker,
        wake: tuple[tuple[str, str], ...],
    ) -> None:
        self.opened += 1
        by_gateway = not by.startswith("browser")
        request = (a_request if by_gateway else by_browser)(turn, conversation)
        if by == "browser with a contact":
            consent = Consent("Write to me.", timestamp(self.clock.now))
            contact = f"{self.opened}@example.com"
            request = replace(request, contact=contact, consent=consent)
        escalation = opened(self.opened, request, by_gateway=by_gateway, targets=wake)
        made = a_turn(turn, conversation) if by == "gateway with its turn" else None
        self.commit(
            a_work(f"k{key}", scope=scope, at=self.clock.now, turn=made, escalation=escalation),
        )

    @rule(scope=scopes, key=few, turn=few, signal=signals)
    def mark(self, *, scope: Scope, key: int, turn: int, signal: Signal) -> None:
        mark = Feedback(named("t", turn), signal, f"marked {turn}")
        self.commit(a_work(f"k{key}", scope=scope, at=self.clock.now, feedback=mark))

    @rule(scope=scopes, key=few)
    def erase(self, *, scope: Scope, key: int) -> None:
        work = a_work(f"k{key}", scope=scope, at=self.clock.now)
        others = self.held_by_others(scope)
        if self.both(lambda store: store.subjects.erase(work)) is not None:
            held = self.both(lambda store: store.subjects.export(scope, self.recent()))
            assert held == Held(scope)
            late = a_work("late", scope=scope, turn=a_turn(9, 9), began=self.clock.now)
            assert self.both(lambda store: store.commit(late)) is None
            self.ids = {name: one for name, one in self.ids.items() if name[0] != scope}
        assert self.held_by_others(scope) == others

    @rule(site=st.sampled_from(["site_a", "site_b"]), whose=subjects, into=subjects)
    def merge(self, *, site: str, whose: str, into: str) -> None:
        scope, other = Scope(site, whose), Scope(site, into)
        if scope != other:
            others = self.held_by_others(scope, other)
            self.both(lambda store: store.subjects.merge(scope, other))
            assert self.held_by_others(scope, other) == others
            self.ids = {name: one for name, one in self.ids.items() if name[0].site != site}

    def recent(self) -> float:
        """Since when receipts are asked for: older ones a store may drop whenever it likes."""
        return self.clock.now - FINISHED_KEPT_S

    def held_by_others(self, *those: Scope) -> dict[Scope, Held | None]:
        """All that is held of everybody else."""
        return {
            scope: self.both(lambda store, scope=scope: store.subjects.export(scope, self.recent()))  # type: ignore[misc]
            for scope in SCOPES
            if scope not in those
        }

    @rule(kinds=st.sets(st.sampled_from(KINDS)), limit=few, age=ages)
    def expire(self, *, kinds: set[Kind], limit: int, age: float) -> None:
        before = dict.fromkeys(sorted(kinds), self.clock.now - age)
        self.both(lambda store: store.subjects.expire(before, limit))
        if "escalations" in kinds:
            self.ids = {}

    @rule(scope=scopes)
    def export(self, scope: Scope) -> None:
        held = self.both(lambda store: store.subjects.export(scope, self.recent()))
        assert held is not None
        for place in held.conversations:
            assert self.both(lambda store, place=place: store.conversation_owned(scope, place))  # type: ignore[misc]
        places = {one.turn.conversation_id for one in held.turns}
        places |= {one.conversation_id for one in held.escalations}
        places |= {one.conversation_id for one in held.events}
        assert places <= set(held.conversations)

    def commit(self, work: Work) -> None:
        committed = self.both(lambda store: store.commit(work))
        if committed is not None and work.escalation is not None:
            name = (work.scope, work.escalation.request.turn_id)
            assert self.ids.setdefault(name, committed.id) == committed.id

    @rule(escalation=few, resolve=st.booleans(), via=vias, seen=seens)
    def reply(self, *, escalation: int, resolve: bool, via: str, seen: int | None) -> None:
        self.replies += 1
        reply, at = a_reply(self.replies, escalation), self.clock.now
        self.both(lambda store: store.reply(reply, resolve=resolve, at=at, via=via, seen=seen))

    @rule(escalation=few, via=vias, seen=seens)
    def resolve(self, *, escalation: int, via: str, seen: int | None) -> None:
        name, at = named("e", escalation), self.clock.now
        self.both(lambda store: store.resolve(name, at, via=via, seen=seen))

    @rule(escalation=few, dead_only=st.booleans())
    def resend(self, *, escalation: int, dead_only: bool) -> None:
        name, now = named("e", escalation), self.clock.now
        self.both(lambda store: store.resend(name, now, dead_only=dead_only))

    @rule(state=states, limit=few, without=left_out, finish=st.booleans(), thread=threads)
    def deliver(
        self,
        *,
        state: DeliveryState,
        limit: int,
        without: frozenset[str],
        finish: bool,
        thread: Thread | None,
    ) -> None:
        now = self.clock.now
        leased = self.both(
            lambda store: store.lease_deliveries(now, now + 60, limit, except_targets=without)
        )
        for one in (leased or []) if finish else []:
            self.both(
                lambda store, one=one: store.finish_delivery(  # type: ignore[misc]
                    one.id, an_attempt(state), state, now + 5, thread=thread
                )
            )

    @rule(limit=few)
    def put_off(self, limit: int) -> None:
        now = self.clock.now
        for one in self.both(lambda store: store.lease_deliveries(now, now + 60, limit)) or []:
            self.both(lambda store, one=one: store.put_off_delivery(one.id, now + 9))  # type: ignore[misc]

    @rule(page=few, status=st.sampled_from(["open", "resolved", "all"]), before=few)
    def list(self, page: int, status: str, before: int) -> None:
        self.both(
            lambda store: store.escalations(
                status=status,  # type: ignore[arg-type]
                before=named("e", before),
                limit=page,
            )
        )

    @rule(escalation=few)
    def read(self, escalation: int) -> None:
        self.both(lambda store: store.escalation(named("e", escalation)))

    @invariant()
    def operators_see_the_same(self) -> None:
        for without in (frozenset[str](), frozenset({"hook"})):
            self.both(lambda store, without=without: store.next_due(except_targets=without))  # type: ignore[misc]
        self.both(lambda store: store.receipt_gaps("s_1"))
        self.both(lambda store: store.dead_letters(99))
        for thread in THREADS:
            self.both(lambda store, thread=thread: store.threaded(thread))  # type: ignore[misc]
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


# 100,000 steps in the large run, over two sites with five subjects each.
EXAMPLES, STEPS = (1_000, 100) if settings().max_examples > 1_000 else (12, 30)

TestStores = pytest.mark.timeout(7200)(Stores.TestCase)
TestStores.settings = settings(max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None)


class StoresInPostgresql(Stores):
    """The same beside PostgreSQL."""

    server: PostgresServer

    def url(self) -> str:
        """An empty database."""
        return self.server.create_database()


@pytest.mark.needs("postgresql")
@pytest.mark.timeout(3600)
class TestStoresInPostgresql(StoresInPostgresql.TestCase):  # type: ignore[misc, valid-type]
    settings = settings(
        max_examples=settings().max_examples // 8, stateful_step_count=30, deadline=None
    )

    @pytest.fixture(autouse=True)
    def _server(self, postgres_server: PostgresServer) -> None:
        StoresInPostgresql.server = postgres_server
