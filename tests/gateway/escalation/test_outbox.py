import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import repeat

import pytest

from core.errors import NotFound, Unavailable
from core.messages import Attempt, DeliveryState, EscalationStatus, Reply
from core.ports import Outcome, Target, Thread
from core.truth import LeasedDelivery, Truth
from gateway.adapters.memory import MemoryTruth
from gateway.bell import OPERATORS, OUTBOX, Bell, conversation_topic
from gateway.escalation.outbox import LEASE_S, Opens, OutboxWorker, Shares
from tests.gateway.escalation.samples import (
    DELIVERED,
    REJECTED,
    BrokenTarget,
    HeldTarget,
    PacedTarget,
    ScriptedTarget,
    StandingClock,
    commit,
)

LONG_S = 10.0


@dataclass
class House:
    """A worker and what it works with."""

    targets: dict[str, Target]
    shares: Shares = field(default_factory=Shares)
    deadline_s: float = LONG_S
    grace_s: float = LONG_S
    clock: StandingClock = field(default_factory=StandingClock)
    bell: Bell = field(default_factory=Bell)
    truth: Truth | None = None
    opens: Opens = lambda _target, _site, at: at

    def __post_init__(self) -> None:
        self.store = self.truth or MemoryTruth(clock=self.clock)
        self.worker = OutboxWorker(
            self.store,
            self.targets,
            self.clock,
            lambda size: b"\x80" + bytes(size - 1),
            self.bell,
            shares=self.shares,
            opens=self.opens,
            deadline_s=self.deadline_s,
            grace_s=self.grace_s,
            pauses_s=(0.0, 0.0),
        )

    async def status(self, escalation_id: str) -> EscalationStatus:
        return (await self.store.escalation(escalation_id)).status

    async def attempts(self, escalation_id: str) -> list[tuple[DeliveryState, list[str]]]:
        deliveries = (await self.store.escalation(escalation_id)).deliveries
        return [(one.state, [attempt.outcome for attempt in one.attempts]) for one in deliveries]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        task = asyncio.create_task(self.worker.run())
        try:
            yield task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def until(self, escalation_id: str, status: EscalationStatus) -> None:
        async with asyncio.timeout(LONG_S):
            with self.bell.listen(OPERATORS) as ear:
                while await self.status(escalation_id) != status:
                    await ear.wait(LONG_S)


class FailingTruth(MemoryTruth):
    """A store that fails in the first calls of a kind."""

    def __init__(
        self, clock: StandingClock, *, leases: Iterable[Exception] = (), records: list[Exception]
    ) -> None:
        super().__init__(clock=clock)
        self.leases_failing = iter(leases)
        self.records_failing = iter(records)

    async def lease_deliveries(
        self,
        now: float,
        until: float,
        limit: int,
        *,
        except_targets: frozenset[str] = frozenset(),
    ) -> list[LeasedDelivery]:
        for error in self.leases_failing:
            raise error
        return await super().lease_deliveries(now, until, limit, except_targets=except_targets)

    async def finish_delivery(
        self,
        delivery_id: int,
        attempt: Attempt,
        state: DeliveryState,
        next_at: float | None,
        *,
        thread: Thread | None = None,
    ) -> EscalationStatus:
        for error in self.records_failing:
            raise error
        return await super().finish_delivery(delivery_id, attempt, state, next_at, thread=thread)


async def test_an_escalation_reaches_each_of_its_targets() -> None:
    ops, night = ScriptedTarget(name="ops"), ScriptedTarget(name="night")
    house = House({"ops": ops, "night": night})
    escalation = await commit(house.store, targets=("ops", "night"))
    assert await house.worker.deliver_due() == 2
    assert ops.seen == night.seen == [escalation]
    assert await house.attempts(escalation) == [("delivered", ["delivered"])] * 2
    assert await house.worker.deliver_due() == 0


async def test_a_failure_is_tried_again_when_it_is_due() -> None:
    house = House({"ops": ScriptedTarget((REJECTED, DELIVERED))})
    escalation = await commit(house.store)
    await house.worker.deliver_due()
    assert await house.attempts(escalation) == [("pending", ["rejected"])]
    assert await house.worker.deliver_due() == 0
    assert await house.store.next_due() == pytest.approx(house.clock.now + 5)
    house.clock.now += 5
    await house.worker.deliver_due()
    assert await house.attempts(escalation) == [("delivered", ["rejected", "delivered"])]


async def test_after_ten_failures_the_escalation_has_failed_and_an_operator_can_resend_it() -> None:
    target = ScriptedTarget((*repeat(REJECTED, 10), DELIVERED))
    house = House({"ops": target})
    escalation = await commit(house.store)
    while (due := await house.store.next_due()) is not None:
        house.clock.now = due
        await house.worker.deliver_due()
    assert await house.attempts(escalation) == [("failed", ["rejected"] * 10)]
    assert await house.status(escalation) == "failed"
    await house.store.resend(escalation, house.clock.now)
    await house.worker.deliver_due()
    assert await house.status(escalation) == "delivered"


async def test_a_slow_target_is_given_up_at_its_deadline() -> None:
    house = House({"slow": HeldTarget()}, deadline_s=0.01)
    escalation = await commit(house.store, targets=("slow",))
    await house.worker.deliver_due()
    assert await house.attempts(escalation) == [("pending", ["timeout"])]


async def test_a_target_that_breaks_its_promise_is_an_attempt_that_failed() -> None:
    house = House({"broken": BrokenTarget(), "ops": ScriptedTarget()})
    escalation = await commit(house.store, targets=("broken", "ops"))
    await house.worker.deliver_due()
    assert await house.attempts(escalation) == [
        ("pending", ["error"]),
        ("delivered", ["delivered"]),
    ]


async def test_a_target_that_the_settings_lost_is_tried_again_later() -> None:
    house = House({})
    escalation = await commit(house.store, targets=("ops",))
    await house.worker.deliver_due()
    assert await house.attempts(escalation) == [("pending", ["no_target"])]


async def test_each_change_rings_for_operators_and_for_the_conversation() -> None:
    house = House({"ops": ScriptedTarget()})
    escalation = await house.store.escalation(await commit(house.store))
    topic = conversation_topic(escalation.site, escalation.conversation_id)
    with house.bell.listen(OPERATORS) as operators, house.bell.listen(topic) as visitor:
        await house.worker.deliver_due()
        assert await operators.wait(0)
        assert await visitor.wait(0)


async def test_a_running_worker_delivers_what_was_there_and_what_the_bell_announces() -> None:
    house = House({"ops": ScriptedTarget()})
    first = await commit(house.store, 1)
    async with house.running():
        await house.until(first, "delivered")
        second = await commit(house.store, 2)
        house.bell.ring(OUTBOX)
        await house.until(second, "delivered")


async def test_no_more_than_the_bound_are_tried_at_once_and_the_rest_follow() -> None:
    slow = HeldTarget()
    house = House({"slow": slow}, shares=Shares(in_all=2))
    escalations = [await commit(house.store, number, targets=("slow",)) for number in range(5)]
    async with house.running():
        await slow.begun.wait()
        house.bell.ring(OUTBOX)
        await asyncio.sleep(0)
        slow.go.set()
        for escalation in escalations:
            await house.until(escalation, "delivered")
    assert slow.most_at_once == 2


async def test_a_slow_target_does_not_hold_up_another() -> None:
    house = House({"slow": HeldTarget(), "ops": ScriptedTarget()}, grace_s=0)
    await commit(house.store, 1, targets=("slow",))
    quick = await commit(house.store, 2, targets=("ops",))
    async with house.running():
        await house.until(quick, "delivered")


async def test_a_hanging_target_with_a_backlog_holds_up_nobody() -> None:
    slow = HeldTarget()
    house = House({"slow": slow, "ops": ScriptedTarget()}, shares=Shares(16, 4), grace_s=0)
    for number in range(20):
        await commit(house.store, number, targets=("slow",))
    quick = [await commit(house.store, number, targets=("ops",)) for number in range(20, 30)]
    async with house.running():
        for escalation in quick:
            await house.until(escalation, "delivered")
    assert slow.most_at_once == 4


async def test_a_targets_backlog_goes_on_as_its_tries_end() -> None:
    slow = HeldTarget()
    house = House({"slow": slow}, shares=Shares(16, 3))
    escalations = [await commit(house.store, number, targets=("slow",)) for number in range(11)]
    async with house.running():
        await slow.begun.wait()
        slow.go.set()
        for escalation in escalations:
            await house.until(escalation, "delivered")
    assert slow.most_at_once == 3


async def test_targets_hear_of_what_the_gateway_opened_when_the_browser_has_completed_it() -> None:
    target = ScriptedTarget()
    house = House({"ops": target})
    escalation = await commit(house.store, by_gateway=True)
    assert await house.worker.deliver_due() == 0
    await commit(house.store, contact="a@example.com")
    assert await house.worker.deliver_due() == 1
    assert [(one.id, one.contact) for one in target.got] == [(escalation, "a@example.com")]


async def test_without_a_browser_targets_hear_of_it_a_moment_later() -> None:
    house = House({"ops": ScriptedTarget()})
    escalation = await commit(house.store, by_gateway=True)
    house.clock.now = await house.store.next_due() or 0
    assert await house.worker.deliver_due() == 1
    assert await house.status(escalation) == "delivered"


@pytest.mark.parametrize(
    "error", [Unavailable("the store is down"), ValueError("no JSON"), ZeroDivisionError()]
)
async def test_a_store_that_comes_back_is_asked_again(error: Exception) -> None:
    clock = StandingClock()
    truth = FailingTruth(clock, leases=[error] * 5, records=[])
    house = House({"ops": ScriptedTarget()}, clock=clock, truth=truth)
    escalation = await commit(truth)
    async with house.running():
        await house.until(escalation, "delivered")
        assert house.worker.healthy


async def test_a_worker_says_whether_it_lives() -> None:
    clock = StandingClock()
    truth = FailingTruth(clock, leases=repeat(ValueError("no JSON")), records=[])
    house, failing = House({}), House({}, clock=clock, truth=truth)
    said = [house.worker.healthy]
    async with house.running(), failing.running():
        await asyncio.sleep(0.01)
        said += [house.worker.healthy, failing.worker.healthy]
    said.append(house.worker.healthy)
    assert said == [False, True, False, False]


async def test_an_outcome_that_cannot_be_recorded_stops_no_other() -> None:
    clock = StandingClock()
    truth = FailingTruth(clock, records=[ValueError("a damaged row")])
    house = House({"ops": ScriptedTarget()}, clock=clock, truth=truth)
    first, second = await commit(truth, 1), await commit(truth, 2)
    assert await house.worker.deliver_due() == 2
    assert {await house.status(first), await house.status(second)} == {"queued", "delivered"}
    clock.now += LEASE_S
    assert await house.worker.deliver_due() == 1
    assert await house.status(first) == await house.status(second) == "delivered"


async def test_an_outcome_is_recorded_when_the_store_comes_back() -> None:
    clock = StandingClock()
    target = ScriptedTarget()
    truth = FailingTruth(clock, records=[Unavailable("down"), Unavailable("down")])
    house = House({"ops": target}, clock=clock, truth=truth)
    escalation = await commit(truth)
    await house.worker.deliver_due()
    assert await house.attempts(escalation) == [("delivered", ["delivered"])]
    assert len(target.seen) == 1


@pytest.mark.parametrize("errors", [[Unavailable("down")] * 3, [NotFound("erased")]])
async def test_what_could_not_be_recorded_is_delivered_again_after_its_lease(
    errors: list[Exception],
) -> None:
    clock = StandingClock()
    target = ScriptedTarget()
    truth = FailingTruth(clock, records=errors)
    house = House({"ops": target}, clock=clock, truth=truth)
    escalation = await commit(truth)
    assert await house.worker.deliver_due() == 1
    assert await house.worker.deliver_due() == 0
    assert await house.attempts(escalation) == [("pending", [])]
    clock.now += LEASE_S
    assert await house.worker.deliver_due() == 1
    assert target.seen == [escalation, escalation]
    assert await house.attempts(escalation) == [("delivered", ["delivered"])]


async def test_a_stopped_worker_finishes_what_is_under_way() -> None:
    slow = HeldTarget()
    house = House({"slow": slow})
    escalation = await commit(house.store, targets=("slow",))
    async with house.running() as task:
        await slow.begun.wait()
        task.cancel()
        slow.go.set()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await house.status(escalation) == "delivered"


async def test_a_stopped_worker_gives_up_what_does_not_finish_and_loses_nothing() -> None:
    slow = HeldTarget()
    house = House({"slow": slow}, grace_s=0.01)
    escalation = await commit(house.store, targets=("slow",))
    async with house.running() as task:
        await slow.begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert slow.at_once == 0
    assert await house.attempts(escalation) == [("pending", [])]
    assert await house.store.next_due() == house.clock.now + LEASE_S


async def test_closing_the_bell_lets_what_is_under_way_finish_and_begins_nothing() -> None:
    slow = HeldTarget()
    house = House({"slow": slow}, shares=Shares(per_target=1))
    first = await commit(house.store, 1, targets=("slow",))
    second = await commit(house.store, 2, targets=("slow",))
    async with house.running() as task:
        await slow.begun.wait()
        house.bell.close()
        await asyncio.sleep(0)
        assert not task.done()
        slow.go.set()
        async with asyncio.timeout(LONG_S):
            await task
    assert await house.status(first) == "delivered"
    assert await house.worker.deliver_due() == 0
    assert await house.attempts(second) == [("pending", [])]


async def test_after_the_grace_period_a_closed_bell_ends_it_all() -> None:
    slow = HeldTarget()
    house = House({"slow": slow}, grace_s=0.01)
    await commit(house.store, targets=("slow",))
    async with house.running() as task:
        await slow.begun.wait()
        house.bell.close()
        async with asyncio.timeout(LONG_S):
            await task
    assert slow.at_once == 0


async def test_a_worker_that_is_cancelled_while_it_settles_leaves_nothing_running() -> None:
    slow = HeldTarget()
    house = House({"slow": slow})
    escalation = await commit(house.store, targets=("slow",))
    async with house.running() as task:
        await slow.begun.wait()
        house.bell.close()
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert slow.at_once == 0
    assert await house.store.next_due() == house.clock.now + LEASE_S
    assert await house.attempts(escalation) == [("pending", [])]


async def test_a_worker_ends_when_the_bell_is_closed() -> None:
    house = House({})
    task = asyncio.create_task(house.worker.run())
    await asyncio.sleep(0)
    house.bell.close()
    async with asyncio.timeout(LONG_S):
        await task


GIVEN_UP = Outcome(False, "refused", 200, "Invite the app.", give_up=True)
THREAD = Thread("T1", "C1", "1790000000.000100")


async def test_what_is_given_up_has_failed_at_once_and_can_be_sent_again() -> None:
    house = House({"ops": ScriptedTarget((GIVEN_UP, DELIVERED))})
    escalation = await commit(house.store)
    await house.worker.deliver_due()
    assert await house.attempts(escalation) == [("failed", ["refused"])]
    await house.store.resend(escalation, house.clock.now)
    await house.worker.deliver_due()
    assert await house.status(escalation) == "delivered"


async def test_a_targets_pace_is_kept_without_an_attempt_and_holds_no_place() -> None:
    paced, ops = PacedTarget(name="team"), ScriptedTarget()
    house = House({"team": paced, "ops": ops})
    both = [await commit(house.store, number, targets=("team", "ops")) for number in range(4)]
    await house.worker.deliver_due()
    assert (len(paced.got), len(ops.got)) == (1, 4)
    for turn in range(2, 5):
        assert await house.worker.deliver_due() == 0
        house.clock.now += 1
        await house.worker.deliver_due()
        assert len(paced.got) == turn
    for one in both:
        assert await house.attempts(one) == [("delivered", ["delivered"])] * 2


async def test_a_running_worker_wakes_when_a_paced_target_is_ready() -> None:
    house = House({"team": PacedTarget(name="team", pause_s=0.0)})
    first, second = [await commit(house.store, number, targets=("team",)) for number in (1, 2)]
    async with house.running():
        await house.until(first, "delivered")
        await house.until(second, "delivered")


async def test_an_escalation_waits_for_the_hours_of_a_target_and_no_other() -> None:
    opening = StandingClock().now + 3_600

    def opens(target: str, site: str, at: float) -> float:
        assert site == "site_demo"
        return max(at, opening) if target == "day" else at

    day, night = ScriptedTarget(name="day"), ScriptedTarget(name="night")
    house = House({"day": day, "night": night}, opens=opens)
    escalation = await commit(house.store, targets=("day", "night"))
    await house.worker.deliver_due()
    assert (day.seen, night.seen) == ([], [escalation])
    assert await house.store.next_due() == opening
    house.clock.now = opening
    await house.worker.deliver_due()
    assert day.seen == [escalation]


async def test_a_later_turn_waits_for_the_hours_of_a_target_as_the_first_did() -> None:
    closed = {"until": 0.0}
    team = PacedTarget(name="team", pause_s=0.0)
    house = House({"team": team}, opens=lambda _target, _site, at: max(at, closed["until"]))
    made = await commit(house.store, targets=("team",), kind="slack")
    await house.worker.deliver_due()
    closed["until"] = house.clock.now + 3_600
    later = await commit(house.store, 2, targets=("team",), kind="slack", conversation=1)
    await house.worker.deliver_due()
    assert (team.seen, team.followed) == ([made], [])
    house.clock.now += 3_600
    await house.worker.deliver_due()
    assert [(one.action, one.about) for one in team.followed] == [("added", later)]
    assert team.seen == [made]


async def test_a_target_is_told_what_follows_with_its_thread() -> None:
    taken = Outcome(True, "delivered", 200, thread=THREAD)
    team = PacedTarget((taken,), name="team")
    house = House({"team": team}, opens=lambda _target, _site, at: at)
    made = await commit(house.store, targets=("team",), kind="slack")
    await house.worker.deliver_due()
    found = await house.store.escalation(made)
    answer = Reply("h_1", made, found.turn_id, "Dana", "Tomorrow.", "2026-11-21T09:00:00Z")
    house.clock.now += 1
    await house.store.reply(answer, resolve=False, at=house.clock.now)
    await house.worker.deliver_due()
    (told,) = team.followed
    assert (told.action, told.about, told.thread) == ("reply", "h_1", THREAD)


async def test_a_target_that_became_another_kind_is_told_nothing_and_says_so() -> None:
    house = House({"ops": ScriptedTarget()})
    made = await commit(house.store, kind="pagerduty")
    await house.worker.deliver_due()
    await house.store.resolve(made, house.clock.now)
    await house.worker.deliver_due()
    assert await house.attempts(made) == [
        ("delivered", ["delivered"]),
        ("failed", ["no_follow_up"]),
    ]
    assert await house.status(made) == "resolved"


async def test_what_cannot_be_put_off_waits_for_its_lease_to_end() -> None:
    class Stubborn(MemoryTruth):
        async def put_off_delivery(self, delivery_id: int, until: float) -> None:
            raise Unavailable("the database is locked")

    clock = StandingClock()
    house = House(
        {"ops": ScriptedTarget()},
        clock=clock,
        truth=Stubborn(clock=clock),
        opens=lambda _target, _site, at: at + 1,
    )
    await commit(house.store)
    assert await house.worker.deliver_due() == 1
    assert await house.store.next_due() == clock.now + LEASE_S
