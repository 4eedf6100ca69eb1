"""Retention: what people left is kept for as long as the settings say, and then deleted.

It decides when to look, how much is deleted at once and for how long, so that no call waits behind
it, and that one process does it at a time. What is old, and what goes with it, is the truth's
matter. It refuses to end for a store that fails: it looks again later.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Final, Literal

from core.errors import FanlightError, Unavailable
from core.ports import Cache, Clock
from core.subjects import Kind
from core.telemetry import EXPIRED, SILENT, SWEPT, Telemetry
from core.truth import EVENTS_KEPT_S, Truth
from gateway.settings import RetentionSettings

DAY_S: Final = 86_400.0
FIRST_S: Final = 60.0
"""A gateway that starts has better things to do."""

EVERY_S: Final = 3600.0
REST_S: Final = 60.0
"""Until the next look where this one did not get through."""

DEADLINE_S: Final = 30.0
BATCH: Final = 500
"""Rows of a kind in one transaction: a moment's work, so that no visitor's call waits for it."""

PAUSE_S: Final = 0.05
_HELD_S: Final = 2 * DEADLINE_S
_CLAIM: Final = "retention"

_log = logging.getLogger(__name__)


type Swept = Kind | Literal["commands"]
"""What of visitors is kept for a time, and what operators said of commands."""


def oldest(policy: RetentionSettings, now: float) -> dict[Swept, float]:
    """From when on each kind is kept, in Unix seconds; a kind that is kept for good is not there.

    What a visitor was told of a conversation is told again for `EVENTS_KEPT_S`, whatever else.
    """
    days: dict[Swept, int] = {
        "turns": policy.turns_days,
        "escalations": policy.escalations_days,
        "feedback": policy.feedback_days,
        "sessions": policy.receipts_days,
        "trajectories": policy.trajectories_days,
        "commands": policy.commands_days,
    }
    kept = {kind: now - count * DAY_S for kind, count in days.items() if count}
    return {**kept, "events": now - EVENTS_KEPT_S}


class Retention:
    """Deletes what is older than the policy allows, in one truth."""

    def __init__(
        self,
        truth: Truth,
        cache: Cache,
        policy: RetentionSettings,
        clock: Clock,
        telemetry: Telemetry = SILENT,
        *,
        batch: int = BATCH,
        deadline_s: float = DEADLINE_S,
        pause_s: float = PAUSE_S,
    ) -> None:
        self._truth = truth
        self._cache = cache
        self._policy = policy
        self._clock = clock
        self._telemetry = telemetry
        self._batch = batch
        self._deadline_s = deadline_s
        self._pause_s = pause_s

    async def run(self) -> None:
        """Sweep every hour, and sooner where a sweep did not get through; until cancelled."""
        pause = FIRST_S
        while True:
            await asyncio.sleep(pause)
            pause = EVERY_S if await self._tried() else REST_S

    async def sweep(self) -> bool:
        """Delete what is old, within the deadline; False where some may be left.

        Where another process is at it, nothing is left for this one. Raises `Unavailable`, and
        `Conflict` where a call came between; what was deleted until then stays so.
        """
        if not await self._cache.claim(_CLAIM, _HELD_S):
            return True
        try:
            return await self._sweep()
        finally:
            # By itself the claim ends a little later.
            with suppress(Unavailable):
                await self._cache.release(_CLAIM)

    async def _tried(self) -> bool:
        try:
            return await self.sweep()
        except FanlightError as exc:
            _log.warning("retention: to be tried again: %s", exc)
        except Exception:  # noqa: BLE001 - the sweep outlives whatever the store gives
            _log.exception("retention: a sweep failed")
        return False

    async def _sweep(self) -> bool:
        now, loop = self._clock(), asyncio.get_running_loop()
        until = loop.time() + self._deadline_s
        left = oldest(self._policy, now)
        while left:
            dropped = await self._expire(left)
            self._tell(dropped)
            left = {kind: at for kind, at in left.items() if dropped[kind] >= self._batch}
            if left and loop.time() >= until:
                return False
            if left:
                await asyncio.sleep(self._pause_s)
        self._telemetry.hold(SWEPT, now)
        return True

    async def _expire(self, before: Mapping[Swept, float]) -> Mapping[Swept, int]:
        visitors: dict[Kind, float] = {
            kind: at for kind, at in before.items() if kind != "commands"
        }
        dropped: dict[Swept, int] = {}
        if visitors:
            counts = await self._truth.subjects.expire(visitors, self._batch)
            dropped.update((kind, count) for kind, count in counts.items())
        if "commands" in before:
            dropped["commands"] = await self._truth.commands.forget(before["commands"], self._batch)
        return dropped

    def _tell(self, dropped: Mapping[Swept, int]) -> None:
        for kind, count in dropped.items():
            if count:
                self._telemetry.count(EXPIRED, by=count, kind=kind)
