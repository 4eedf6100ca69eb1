"""The outbox worker: takes due deliveries from the truth and tries each at its target.

Delivery is at least once: what a stopped or crashed worker had under way is tried again when its
lease ends. It decides how many tries go on at once, and that no target has more than its share of
them, so that one that hangs holds up nobody else's. It decides neither when to try again
(`schedule`) nor what is sent (the target). What a target does not take yet, by its pace or its
hours, is put off untried and holds no place. It refuses to end for anything that a target or the
store does: a target's flaw is an attempt that failed, a store that fails is asked again later.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.encoding import timestamp
from core.errors import Conflict, NotFound, Unavailable
from core.messages import Attempt
from core.ports import Clock, Outcome, Random, Target, Thread
from core.targets import Follower, Paced
from core.telemetry import DELIVERIES, SILENT, Telemetry
from core.truth import LeasedDelivery, Truth
from gateway.bell import OPERATORS, OUTBOX, Bell, conversation_topic
from gateway.escalation.schedule import Following, following, rested

DEADLINE_S = 15.0
LEASE_S = 20.0
"""Longer than a try and the recording of it, so that no delivery has two workers; no longer, since
what a killed worker had under way waits so long."""

LOOK_S = (0.25, 30.0)
"""The shortest and the longest pause between two looks: other processes ring no bell here."""

GRACE_S = 5.0
"""How long tries under way may go on when the worker is stopped."""

PAUSES_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Pauses while the store fails; the last one repeats."""

Opens = Callable[[str, str, float], float]
"""From a target, a site and a time to when that target takes the site's escalations."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shares:
    """How many tries go on at once, in all and at one target."""

    in_all: int = 64
    per_target: int = 4


class OutboxWorker:
    """Delivers escalations, each try within `deadline_s` seconds."""

    def __init__(
        self,
        truth: Truth,
        targets: Mapping[str, Target],
        clock: Clock,
        random: Random,
        bell: Bell,
        *,
        telemetry: Telemetry = SILENT,
        shares: Shares = Shares(),
        opens: Opens = lambda _target, _site, at: at,
        deadline_s: float = DEADLINE_S,
        grace_s: float = GRACE_S,
        pauses_s: Sequence[float] = PAUSES_S,
    ) -> None:
        self._truth = truth
        self._targets = targets
        self._clock = clock
        self._random = random
        self._bell = bell
        self._telemetry = telemetry
        self._shares = shares
        self._opens = opens
        self._deadline_s = deadline_s
        self._grace_s = grace_s
        self._pauses_s = pauses_s
        self._under_way: dict[asyncio.Task[None], str] = {}
        self._runs = False
        self._failures = 0

    @property
    def healthy(self) -> bool:
        """Whether `run` goes on, and its last look at the store succeeded."""
        return self._runs and not self._failures

    async def run(self) -> None:
        """Deliver until the bell closes; then tries under way get `grace_s` to finish.

        It ends by itself. Cancelled, it does the same; cancelled again, or while tries finish, it
        stops them: their leases end, and the next worker tries them again.
        """
        self._runs = True
        with self._bell.listen(OUTBOX) as ear:
            try:
                while not self._bell.closed:
                    await ear.wait(await self._pass())
            finally:
                self._runs = False
                await self._settle()

    async def deliver_due(self) -> int:
        """Try once whatever is due now, and wait for it; how many tries. Raises `Unavailable`."""
        tries = await self._start_due()
        while self._under_way:
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
            tries += await self._start_due()
        return tries

    async def _pass(self) -> float:
        """Start what is due and has room; seconds until the next look."""
        try:
            await self._start_due()
            due = await self._next_due()
        except Unavailable as exc:
            return self._put_off(f"the store is down: {exc}")
        except Exception as exc:  # noqa: BLE001 - the worker outlives whatever the store gives
            _log.exception("outbox: a look at the store failed")
            return self._put_off(type(exc).__name__)
        self._failures = 0
        shortest, longest = LOOK_S
        return longest if due is None else min(max(due - self._clock(), shortest), longest)

    def _put_off(self, why: str) -> float:
        pause = self._pauses_s[min(self._failures, len(self._pauses_s) - 1)]
        self._failures += 1
        _log.warning("outbox: next look in %g s: %s", pause, why)
        return pause

    async def _start_due(self) -> int:
        """Start what is due and has room, until there is no more of either; how many."""
        started = 0
        while (room := self._room()) > 0:
            now = self._clock()
            leased = await self._truth.lease_deliveries(
                now, now + LEASE_S, room, except_targets=self._busy()
            )
            for delivery in leased:
                task = asyncio.create_task(self._deliver(delivery))
                self._under_way[task] = delivery.target
                task.add_done_callback(self._ended)
            started += len(leased)
            if len(leased) < room:
                break
        return started

    async def _next_due(self) -> float | None:
        """When to look next; None where the end of a try, which rings the bell, comes first."""
        if self._room() <= 0:
            return None
        due = await self._truth.next_due(except_targets=self._busy())
        return min([*self._resting().values(), *([] if due is None else [due])], default=None)

    def _room(self) -> int:
        """How many may be leased at once without any target's getting more than its share."""
        if self._bell.closed:
            return 0
        share = self._shares.per_target
        at_target = Counter(self._under_way.values())
        busiest = max((tries for tries in at_target.values() if tries < share), default=0)
        return min(self._shares.in_all - len(self._under_way), share - busiest)

    def _busy(self) -> frozenset[str]:
        """The targets that have their share, or take nothing just now."""
        at_target = Counter(self._under_way.values())
        share = self._shares.per_target
        full = {name for name, tries in at_target.items() if tries >= share}
        return frozenset(full | self._resting().keys())

    def _resting(self) -> dict[str, float]:
        """The targets whose pace lets nothing through now, and when it will."""
        now = self._clock()
        paced = {
            name: target.ready_at(now)
            for name, target in self._targets.items()
            if isinstance(target, Paced)
        }
        return {name: ready for name, ready in paced.items() if ready > now}

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._under_way[task]
        self._bell.ring(OUTBOX)

    async def _settle(self) -> None:
        """Let tries under way finish within the grace period; stop the rest, and await that."""
        under_way = set(self._under_way)
        if not under_way:
            return
        try:
            await asyncio.wait(under_way, timeout=self._grace_s)
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _deliver(self, delivery: LeasedDelivery) -> None:
        """Try once and record it; or put it off untried."""
        turn, target = delivery.escalation.turn_id, delivery.target
        with self._telemetry.span("delivery", turn=turn, target=target):
            await self._try_and_record(delivery)

    async def _try_and_record(self, delivery: LeasedDelivery) -> None:
        began = self._clock()
        later = self._not_before(delivery, began)
        if later > began:
            await self._put_off_delivery(delivery, later)
            return
        outcome = await self._try(delivery, began)
        self._tell(delivery, outcome)
        if outcome.put_off:
            await self._put_off_delivery(delivery, rested(outcome, self._clock()))
            return
        attempt = Attempt(timestamp(began), outcome.outcome, outcome.status, outcome.detail)
        after = following(
            outcome, made=delivery.attempts + 1, now=self._clock(), fraction=self._fraction()
        )
        if await self._record(delivery, attempt, after, outcome.thread):
            escalation = delivery.escalation
            self._bell.ring(OPERATORS)
            self._bell.ring(conversation_topic(escalation.site, escalation.conversation_id))

    def _tell(self, delivery: LeasedDelivery, outcome: Outcome) -> None:
        self._telemetry.count(DELIVERIES, target=delivery.target, outcome=outcome.outcome)
        self._telemetry.line(
            "delivery",
            turn=delivery.escalation.turn_id,
            escalation=delivery.escalation.id,
            target=delivery.target,
            attempt=delivery.attempts + 1,
            outcome=outcome.outcome,
            status=outcome.status,
        )

    def _not_before(self, delivery: LeasedDelivery, at: float) -> float:
        """When the target takes this: by its pace, and what a visitor wrote by its hours."""
        ready = max(at, self._resting().get(delivery.target, at))
        if delivery.action in {"open", "added", "contact"}:
            ready = max(ready, self._opens(delivery.target, delivery.escalation.site, at))
        return ready

    async def _put_off_delivery(self, delivery: LeasedDelivery, until: float) -> None:
        try:
            await self._truth.put_off_delivery(delivery.id, until)
        except (Conflict, NotFound, Unavailable) as exc:
            _log.info("outbox: delivery %d waits for its lease to end: %s", delivery.id, exc)

    async def _try(self, delivery: LeasedDelivery, at: float) -> Outcome:
        target = self._targets.get(delivery.target)
        if target is None:
            # Tried again like any other: the settings may get the target back.
            return Outcome(False, "no_target", detail="The settings name no such target.")
        try:
            async with asyncio.timeout(self._deadline_s):
                return await _told(target, delivery, at)
        except TimeoutError:
            return Outcome(False, "timeout", detail=f"No answer within {self._deadline_s:g} s.")
        except Exception as exc:  # noqa: BLE001 - one target's flaw must not stop the others
            _log.exception("outbox: target %s failed in an unforeseen way", delivery.target)
            return Outcome(False, "error", detail=type(exc).__name__)

    async def _record(
        self,
        delivery: LeasedDelivery,
        attempt: Attempt,
        after: Following,
        thread: Thread | None,
    ) -> bool:
        """Store the attempt, again and again while the lease holds; whether it was stored."""
        leased_until = self._clock() + LEASE_S - self._deadline_s
        pauses = iter(self._pauses_s)
        while True:
            try:
                await self._truth.finish_delivery(
                    delivery.id, attempt, after.state, after.at, thread=thread
                )
            except Unavailable:
                pause = next(pauses, None)
                if pause is None or self._clock() + pause > leased_until:
                    _log.warning("outbox: delivery %d unrecorded, to be repeated", delivery.id)
                    return False
                await asyncio.sleep(pause)
            except (Conflict, NotFound) as exc:
                _log.info("outbox: delivery %d is no longer ours: %s", delivery.id, exc)
                return False
            except Exception:  # noqa: BLE001 - one delivery's flaw must not stop the others
                _log.exception("outbox: delivery %d unrecorded, to be repeated", delivery.id)
                return False
            else:
                return True

    def _fraction(self) -> float:
        return int.from_bytes(self._random(4), "big") / 2**32


async def _told(target: Target, delivery: LeasedDelivery, at: float) -> Outcome:
    if delivery.action == "open":
        return await target.deliver(delivery.escalation, at)
    if isinstance(target, Follower):
        return await target.follow(delivery, at)
    # The settings have made another kind of it since.
    return Outcome(False, "no_follow_up", detail="It is told nothing afterwards.", give_up=True)
