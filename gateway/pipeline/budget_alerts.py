"""Who is told that a budget runs low, or is used up: each once, whichever process finds out.

Whoever settles a turn that passes a threshold tells it, and no other turn of the account passes it
again. That a site's budget is used up is found by a turn for which too little is left; the first of
all processes to find out tells it, and it is remembered until the period is over. Refuses to say
which visitor it was.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from core.errors import Unavailable
from core.model_routing.periods import span
from core.model_routing.spend import Account, Settled
from core.ports import Cache, Clock
from core.telemetry import BUDGET_ALERTS, BUDGET_REFUSALS, SPENT, Telemetry


def mark(limit: int, share: float) -> int:
    """From how many millionths on a threshold is reached; 0 where there is no limit."""
    return math.ceil(limit * share)


@dataclass(frozen=True, slots=True)
class BudgetAlerts:
    """Tells over `telemetry`; `ring` wakes the operators' consoles.

    `shares` of a budget, in (0, 1], are told of. Without a `cache` each process tells by itself
    what is used up.
    """

    shares: Sequence[float]
    reset_hour: int
    clock: Clock
    telemetry: Telemetry
    cache: Cache | None
    ring: Callable[[], None]
    _used_up: set[str] = field(default_factory=set)

    def settled(
        self, told: Iterable[Settled], accounts: Mapping[str, Account], micros: int
    ) -> None:
        """Count what was spent, and tell of every threshold that was passed by it."""
        if told and micros:
            site = next(iter(accounts.values())).site
            self.telemetry.count(SPENT, by=micros, site=site)
        for one in told:
            account = accounts[one.account]
            for share in self.shares:
                if one.before < mark(account.limit, share) <= one.after:
                    self._passed(account, share)

    def refused(self, account: Account) -> None:
        """Count that it had too little left for a hold."""
        whose, period = _whose(account), account.period
        self.telemetry.count(BUDGET_REFUSALS, site=account.site, whose=whose, period=period)

    async def used_up(self, account: Account) -> None:
        """Tell that a site's budget had too little left for a turn, unless somebody has."""
        key, now = _key(account), self.clock()
        period = span(account.period, now, self.reset_hour)
        if key in self._used_up or period.began != account.began:
            return
        if len(self._used_up) >= _MOST:
            self._used_up.clear()
        self._used_up.add(key)
        if self.cache is not None:
            ttl_s = max(1.0, period.ends - now)
            try:
                await self.cache.put(key, "1", ttl_s)
                if not await self.cache.claim(f"{key}:told", ttl_s):
                    return
            except Unavailable:
                self._used_up.discard(key)  # the next turn tells it
                return
        detail = f"too little of the site's {account.period} is left for a turn"
        self.telemetry.line("budget", site=account.site, type="site", detail=detail)
        self.ring()

    async def is_used_up(self, account: Account) -> bool:
        """Whether a turn of this period was refused for want of money; no, where nobody knows."""
        if self.cache is not None:
            with suppress(Unavailable):
                return await self.cache.get(_key(account)) is not None
        return _key(account) in self._used_up

    def _passed(self, account: Account, share: float) -> None:
        whose = _whose(account)
        self.telemetry.count(BUDGET_ALERTS, site=account.site, whose=whose, period=account.period)
        detail = f"{share:.0%} of the {whose}'s {account.period} is spent"
        self.telemetry.line("budget", site=account.site, type=whose, detail=detail)
        if whose == "site":
            self.ring()


_MOST = 1_000
"""Periods of sites that are remembered: more than these are past."""


def _key(account: Account) -> str:
    """With its limit: one that is raised is not used up."""
    return f"budget-used-up:{account.name}:{account.limit}"


def _whose(account: Account) -> str:
    return "caller" if account.subject else "site"
