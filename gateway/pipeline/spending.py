"""The money of turns: held before a model is asked, settled once it has answered, or given back.

Decides from whose budgets a turn is paid, how long is waited for the store, and who is told that a
budget runs low: whoever settles a turn that passes a threshold tells it, and no other turn of the
account passes it again. A store that does not answer in time holds nothing, and no model that costs
anything is asked then. Settling is a task of its own: nothing that happens to the turn ends it, and
it is tried again until the store would have given the money back by itself.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from core.digest import sha256_hex
from core.errors import FanlightError, Unavailable
from core.model_routing.caller import Caller
from core.model_routing.periods import (
    PERIODS,
    SiteBudget,
    accounts_of,
    site_accounts,
    span,
    subject_accounts,
)
from core.model_routing.permissions import Permissions
from core.model_routing.spend import HELD_S, Account, Budgets, Period, Reservation, Settled
from core.ports import Clock
from core.scope import Scope
from core.telemetry import (
    BUDGET_ALERTS,
    BUDGET_REFUSALS,
    SILENT,
    SPENT,
    Telemetry,
)
from gateway.pipeline.bill import Bill

DEADLINE_S: Final = 1.0
"""Of the time until a visitor hears something so much may go to the store."""

SWEEP_S: Final = 60.0
FIRST_AGAIN_S: Final = 0.25
LONGEST_AGAIN_S: Final = 30.0
ALERTS: Final = (0.5, 0.8, 0.95)
_NAME_LETTERS: Final = 40

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SpendingRules:
    """What the settings say: budgets by the sites' keys, the hour of UTC at which days begin, and
    the shares of a budget, in (0, 1], that are told of."""

    sites: Mapping[str, SiteBudget] = field(default_factory=dict)
    reset_hour: int = 0
    alerts: Sequence[float] = ALERTS


@dataclass(frozen=True, slots=True)
class Spent:
    """What a site has spent and holds in one period, in millionths of a US dollar.

    A `limit` of 0 is none. `began` and `resets` are Unix seconds; `alerts` are the thresholds that
    were reached.
    """

    period: Period
    micros: int
    limit: int
    began: float
    resets: float
    alerts: tuple[float, ...]


class Spending:
    """Holds and settles over one store of budgets; `ring` wakes the operators' consoles."""

    def __init__(
        self,
        budgets: Budgets,
        clock: Clock,
        rules: SpendingRules | None = None,
        telemetry: Telemetry = SILENT,
        *,
        ring: Callable[[], None] = lambda: None,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._budgets = budgets
        self._clock = clock
        self._rules = rules or SpendingRules()
        self._telemetry = telemetry
        self._ring = ring
        self._deadline_s = deadline_s
        self._held: dict[str, tuple[Account, ...]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._swept = -math.inf

    async def hold(
        self, caller: Caller, allowed: Permissions, key: str, micros: int
    ) -> Reservation:
        """Hold `micros` for this caller's turn, `key` being its id; may raise `Unavailable`.

        One that is refused holds nothing, so that less may be asked for under the same key. What
        costs nothing is always granted.
        """
        if micros <= 0:
            return Reservation(key, 0)
        now, name = self._clock(), _name(caller, key)
        budget = self._budget(caller.site)
        accounts = accounts_of(caller, allowed, budget, now, self._rules.reset_hour)
        self._sweep(now)
        # Before it is asked for: what is granted too late is given back like all else.
        self._held[name] = accounts
        try:
            async with asyncio.timeout(self._deadline_s):
                made = await self._budgets.reserve(name, accounts, micros, now)
        except TimeoutError as exc:
            raise Unavailable("the budgets did not answer in time") from exc
        if made.refused is not None:
            del self._held[name]
            whose, period = _whose(made.refused), made.refused.period
            self._telemetry.count(BUDGET_REFUSALS, site=caller.site, whose=whose, period=period)
        return replace(made, key=key)

    def settle(self, caller: Caller, key: str, bill: Bill) -> None:
        """Settle what was held for this turn by its bill, soon; `settled` waits for that."""
        accounts = self._held.pop(_name(caller, key), None)
        if accounts is not None:
            self._later(self._settle(_name(caller, key), bill.micros, accounts))

    async def settled(self, within_s: float) -> None:
        """Wait for what is being settled, so long at most; a stop gives up what is left then."""
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=within_s)
            for task in late:
                task.cancel()

    async def usage(self, site: str) -> list[Spent]:
        """What a site has spent and holds this day and this month; raises `Unavailable`."""
        now, hour = self._clock(), self._rules.reset_hour
        accounts = site_accounts(site, self._budget(site), now, hour)
        sums = await self._budgets.spent(accounts)
        found = []
        for period, account, micros in zip(PERIODS, accounts, sums, strict=True):
            ends = span(period, now, hour).ends
            reached = tuple(
                share for share in self._rules.alerts if 0 < _mark(account.limit, share) <= micros
            )
            found.append(Spent(period, micros, account.limit, account.began, ends, reached))
        return found

    async def reached(self, sites: Iterable[str]) -> dict[str, int]:
        """How many thresholds each site has reached, with its periods told apart."""
        found = {}
        for site in sites:
            budget = self._budget(site)
            if budget.daily_usd or budget.monthly_usd:
                used = await self.usage(site)
                found[site] = hash(tuple((one.began, one.alerts) for one in used))
        return found

    async def forget(self, scope: Scope) -> None:
        """Forget what is kept of a visitor who was erased; raises `Unavailable`."""
        hour = self._rules.reset_hour
        await self._budgets.forget(
            subject_accounts(scope.site, [scope.subject], self._clock(), hour)
        )

    async def sweep(self) -> int:
        """Give back what was held for too long, and forget what is past; raises `Unavailable`."""
        return await self._budgets.sweep(self._clock())

    def _budget(self, site: str) -> SiteBudget:
        return self._rules.sites.get(site, SiteBudget())

    def _sweep(self, now: float) -> None:
        if now - self._swept >= SWEEP_S:
            self._swept = now
            self._later(self._swept_once())

    async def _swept_once(self) -> None:
        try:
            given = await self.sweep()
        except FanlightError:
            return  # a minute later it is tried again
        if given:
            _log.warning("spending: gave back %d reservations that nobody settled", given)

    def _later(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _settle(self, name: str, micros: int, accounts: Sequence[Account]) -> None:
        loop = asyncio.get_running_loop()
        until, pause_s = loop.time() + HELD_S / 2, FIRST_AGAIN_S
        while True:
            try:
                told = await self._budgets.settle(name, micros, self._clock())
            except FanlightError as exc:
                if loop.time() + pause_s >= until:
                    _log.warning("spending: %d millionths of a dollar uncounted: %s", micros, exc)
                    return
            else:
                self._tell(told, {one.name: one for one in accounts}, micros)
                return
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_AGAIN_S)

    def _tell(self, told: Iterable[Settled], accounts: Mapping[str, Account], micros: int) -> None:
        """Count what was spent, and tell of every threshold that was passed by it."""
        if told and micros:
            site = next(iter(accounts.values())).site
            self._telemetry.count(SPENT, by=micros, site=site)
        for one in told:
            account = accounts[one.account]
            for share in self._rules.alerts:
                if one.before < _mark(account.limit, share) <= one.after:
                    self._alert(account, share)

    def _alert(self, account: Account, share: float) -> None:
        whose = _whose(account)
        self._telemetry.count(BUDGET_ALERTS, site=account.site, whose=whose, period=account.period)
        detail = f"{share:.0%} of the {whose}'s {account.period} is spent"
        self._telemetry.line("budget", site=account.site, type=whose, detail=detail)
        if whose == "site":
            self._ring()


def _name(caller: Caller, key: str) -> str:
    """What a turn's reservation is called: browsers make its id, so that it is the caller's own."""
    whose = f"{caller.site}\x00{caller.subject}\x00{caller.channel}\x00{key}"
    return sha256_hex(whose.encode("utf-8", "surrogatepass"))[:_NAME_LETTERS]


def _whose(account: Account) -> str:
    return "caller" if account.subject else "site"


def _mark(limit: int, share: float) -> int:
    """From how many millionths on a threshold is reached; 0 where there is no limit."""
    return math.ceil(limit * share)
