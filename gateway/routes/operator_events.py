"""The console's event stream: which escalations, knowledge and budgets changed, and who speaks.

The bell only wakes it; what changed it finds by comparing two looks at the truth, so that nothing
is missed when a change was made by another process. It ends with `bye` when the process stops or
the session does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from core.errors import Unavailable
from core.model_routing.spend import Period
from core.truth import Truth
from gateway import sse
from gateway.bell import OPERATORS, Bell
from gateway.pipeline.budget_use import Reached

NEWEST = 50
OPEN = 200
"""How many escalations a look takes in: the newest ones, and the newest open ones."""

BURST_S = 0.1
"""Changes that come together are looked at together."""


Budgeted = Mapping[tuple[str, Period], Reached]


class Watch:
    """What one console has been told; each look gives the ids that are new or changed since.

    `versions` gives a number for each site, which is another one when its knowledge has changed;
    `spent` says how far the budgets of sites have come, and `spoken` is like `versions` for how its
    chat speaks.
    """

    def __init__(
        self,
        truth: Truth,
        versions: Callable[[], Mapping[str, int]] = dict,
        spent: Callable[[], Awaitable[Budgeted]] | None = None,
        spoken: Callable[[], Mapping[str, int]] = dict,
    ) -> None:
        self._truth = truth
        self._versions = versions
        self._spent = spent
        self._told: Budgeted | None = None
        self._seen: dict[str, tuple[int, bool]] = {}
        self._known = dict(versions())
        self._spoken = spoken
        self._heard = dict(spoken())

    def sites(self) -> list[str]:
        """The sites whose knowledge changed since the last look, or since the watch began."""
        before, self._known = self._known, dict(self._versions())
        return _changed(before, self._known)

    def speaking(self) -> list[str]:
        """The sites whose manner of speaking changed since the last look, or the watch began."""
        before, self._heard = self._heard, dict(self._spoken())
        return _changed(before, self._heard)

    async def budgets(self) -> list[tuple[str, str, Reached]]:
        """The sites' periods that came further than they ever were, or were used up, since the
        last look, and how far they came; none at the first. Raises `Unavailable`.

        What is held and given back again takes a period back: that is no news, nor is what follows.
        """
        if self._spent is None:
            return []
        told, found = self._told, await self._spent()
        before = told or {}
        self._told = {which: one.after(before.get(which)) for which, one in found.items()}
        if told is None:
            return []
        return [
            (*which, one)
            for which, one in self._told.items()
            if one != before.get(which) and (one.share or one.used_up)
        ]

    async def look(self) -> list[str]:
        """The ids that changed since the last look, oldest first; raises `Unavailable`."""
        still_open = await self._truth.escalations(status="open", before=None, limit=OPEN)
        newest = await self._truth.escalations(status="all", before=None, limit=NEWEST)
        now = {row.id: (hash(row), row.status != "resolved") for row in (*still_open, *newest)}
        changed = {name for name, mark in now.items() if self._seen.get(name) != mark}
        closed = {name for name, (_, was_open) in self._seen.items() if was_open} - now.keys()
        self._seen = now
        return sorted(changed | closed)


def _changed(before: Mapping[str, int], now: Mapping[str, int]) -> list[str]:
    return [site for site, version in now.items() if before.get(site) != version]


async def changes(
    bell: Bell,
    watch: Watch,
    logged_in: Callable[[], Awaitable[bool]],
    heartbeat_s: float = sse.HEARTBEAT_S,
) -> AsyncIterator[bytes]:
    """Events for one console. `watch` has had its first look before the response began."""
    with bell.listen(OPERATORS) as ear:
        while not bell.closed:
            try:
                if not await logged_in():
                    break
                for site in watch.sites():
                    yield sse.event("knowledge", {"site": site})
                for site in watch.speaking():
                    yield sse.event("personality", {"site": site})
                for escalation_id in await watch.look():
                    yield sse.event("escalation", {"id": escalation_id})
                for site, period, one in await watch.budgets():
                    how = {"reached": one.share, "used_up": one.used_up}
                    yield sse.event("budget", {"site": site, "period": period, **how})
            except Unavailable:
                yield sse.HEARTBEAT  # the next look finds what this one could not
            if not await ear.wait(heartbeat_s):
                yield sse.HEARTBEAT
            elif not bell.closed:
                await asyncio.sleep(BURST_S)
    yield sse.event("bye", {})
