"""The outbox worker: takes due deliveries from the truth and tries each at its target.

Delivery is at least once: what a stopped or crashed worker had under way is tried again when its
lease ends. It decides neither when to try again (`schedule`) nor what is sent (the target). It
refuses to end for anything that a target or the store does: a target's flaw is an attempt that
failed, a store that is down is asked again later.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence

from core.encoding import timestamp
from core.errors import Conflict, NotFound, Unavailable
from core.messages import Attempt
from core.ports import Clock, LeasedDelivery, Outcome, Random, Target, Truth
from gateway.bell import OPERATORS, OUTBOX, Bell, conversation_topic
from gateway.escalation.schedule import Following, following

DEADLINE_S = 15.0
LEASE_S = 60.0
"""Longer than a try and the recording of it, so that no delivery has two workers."""

LOOK_S = (0.25, 30.0)
"""The shortest and the longest pause between two looks: other processes ring no bell here."""

GRACE_S = 5.0
"""How long tries under way may go on when the worker is stopped."""

PAUSES_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Pauses while the store is down; the last one repeats."""

_log = logging.getLogger(__name__)


class OutboxWorker:
    """Delivers escalations, at most `at_once` at a time, each try within `deadline_s` seconds."""

    def __init__(
        self,
        truth: Truth,
        targets: Mapping[str, Target],
        clock: Clock,
        random: Random,
        bell: Bell,
        *,
        at_once: int = 16,
        deadline_s: float = DEADLINE_S,
        grace_s: float = GRACE_S,
        pauses_s: Sequence[float] = PAUSES_S,
    ) -> None:
        self._truth = truth
        self._targets = targets
        self._clock = clock
        self._random = random
        self._bell = bell
        self._at_once = at_once
        self._deadline_s = deadline_s
        self._grace_s = grace_s
        self._pauses_s = pauses_s
        self._running: set[asyncio.Task[None]] = set()
        self._failures = 0

    async def run(self) -> None:
        """Deliver until cancelled or the bell closes; tries under way get `grace_s` to finish."""
        with self._bell.listen(OUTBOX) as ear:
            try:
                while not self._bell.closed:
                    await ear.wait(await self._start_due())
            finally:
                await self._settle()

    async def deliver_due(self) -> int:
        """Try once whatever is due now, and wait for it; how many tries. Raises `Unavailable`."""
        tries = 0
        while leased := await self._lease(self._at_once):
            await asyncio.gather(*(self._deliver(delivery) for delivery in leased))
            tries += len(leased)
        return tries

    async def _lease(self, limit: int) -> list[LeasedDelivery]:
        now = self._clock()
        return await self._truth.lease_deliveries(now, now + LEASE_S, limit)

    async def _start_due(self) -> float:
        """Start what is due and has room; seconds until the next look."""
        shortest, longest = LOOK_S
        room = self._at_once - len(self._running)
        if room <= 0:
            return longest  # each try that ends rings the bell
        try:
            for delivery in await self._lease(room):
                task = asyncio.create_task(self._deliver(delivery))
                self._running.add(task)
                task.add_done_callback(self._ended)
            due = await self._truth.next_due()
        except Unavailable as exc:
            return self._put_off(exc)
        self._failures = 0
        return longest if due is None else min(max(due - self._clock(), shortest), longest)

    def _put_off(self, exc: Unavailable) -> float:
        pause = self._pauses_s[min(self._failures, len(self._pauses_s) - 1)]
        self._failures += 1
        _log.warning("outbox: the store is down, next look in %g s: %s", pause, exc)
        return pause

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._bell.ring(OUTBOX)

    async def _settle(self) -> None:
        under_way = set(self._running)
        if not under_way:
            return
        try:
            await asyncio.wait(under_way, timeout=self._grace_s)
        finally:
            for task in under_way:
                task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def _deliver(self, delivery: LeasedDelivery) -> None:
        began = self._clock()
        outcome = await self._try(delivery, began)
        attempt = Attempt(timestamp(began), outcome.outcome, outcome.status, outcome.detail)
        after = following(
            outcome, made=delivery.attempts + 1, now=self._clock(), fraction=self._fraction()
        )
        if await self._record(delivery, attempt, after):
            escalation = delivery.escalation
            self._bell.ring(OPERATORS)
            self._bell.ring(conversation_topic(escalation.site, escalation.conversation_id))

    async def _try(self, delivery: LeasedDelivery, at: float) -> Outcome:
        target = self._targets.get(delivery.target)
        if target is None:
            # Tried again like any other: the settings may get the target back.
            return Outcome(False, "no_target", detail="The settings name no such target.")
        try:
            async with asyncio.timeout(self._deadline_s):
                return await target.deliver(delivery.escalation, at)
        except TimeoutError:
            return Outcome(False, "timeout", detail=f"No answer within {self._deadline_s:g} s.")
        except Exception as exc:  # noqa: BLE001 - one target's flaw must not stop the others
            _log.exception("outbox: target %s failed in an unforeseen way", delivery.target)
            return Outcome(False, "error", detail=type(exc).__name__)

    async def _record(self, delivery: LeasedDelivery, attempt: Attempt, after: Following) -> bool:
        """Store the attempt, again and again while the lease holds; whether it was stored."""
        leased_until = self._clock() + LEASE_S - self._deadline_s
        pauses = iter(self._pauses_s)
        while True:
            try:
                await self._truth.finish_delivery(delivery.id, attempt, after.state, after.at)
            except Unavailable:
                pause = next(pauses, None)
                if pause is None or self._clock() + pause > leased_until:
                    _log.warning("outbox: delivery %d unrecorded, to be repeated", delivery.id)
                    return False
                await asyncio.sleep(pause)
            except (Conflict, NotFound) as exc:
                _log.info("outbox: delivery %d is no longer ours: %s", delivery.id, exc)
                return False
            else:
                return True

    def _fraction(self) -> float:
        return int.from_bytes(self._random(4), "big") / 2**32
