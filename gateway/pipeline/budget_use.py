"""What was spent of budgets, for whoever may read it: of a site, of those near their limit, of one.

Decides who is near: each by the limit that the settings give now, and no more than a few. Of
visitors whom nobody knows, and of those whom a site's server names, those that spent most are
looked at; users with limits of their own, the site's server and its operators always. Refuses to
say who they are: an account has a mark, which is another one in the next period (`budget_marks`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from core.model_routing.caller import API, CONSOLE, WIDGET, Caller
from core.model_routing.periods import PERIODS, SiteBudget, site_accounts, span, subject_accounts
from core.model_routing.permissions import Permissions
from core.model_routing.spend import KINDS, Account, Budgets, Kind, Period
from core.ports import Clock
from core.scope import Scope
from gateway.pipeline.budget_alerts import BudgetAlerts, mark
from gateway.pipeline.budget_marks import Marks, mark_of

NEAREST: Final = 5

Whose = Literal["visitor", "user", "api", "console"]
_KINDS: Final[dict[Kind, Whose]] = {"anon": "visitor", "user": "user"}
_SOMEBODY: Final = "\x00"
"""Stands for a user whom no layer of the settings names."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a site has spent and holds in one period, in millionths of a US dollar.

    A `limit` of 0 is none. `began` and `resets` are Unix seconds; `alerts` are the thresholds that
    were reached; `used_up` says that a turn was refused for want of money.
    """

    period: Period
    micros: int
    limit: int
    began: float
    resets: float
    alerts: tuple[float, ...]
    used_up: bool


@dataclass(frozen=True, slots=True)
class Near:
    """A caller who has spent and holds `micros` of `limit`; `mark` tells it from others."""

    whose: Whose
    mark: str
    micros: int
    limit: int


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a site's period has come: the highest threshold that it reached, else 0."""

    began: float
    share: float
    used_up: bool

    def after(self, before: Reached | None) -> Reached:
        """The furthest that the period ever came, `before` being what was known of it."""
        if before is None or before.began != self.began:
            return self
        share = max(self.share, before.share)
        return Reached(self.began, share, self.used_up or before.used_up)


@dataclass(frozen=True, slots=True)
class Callers:
    """What callers may have, and the users (`<issuer>|<sub>`) who have a word of their own."""

    allowed: Callable[[Caller], Permissions]
    users: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """Reads one store of budgets; every method may raise `Unavailable`.

    `callers` is None where permissions hold nobody.
    """

    budgets: Budgets
    clock: Clock
    budget_of: Callable[[str], SiteBudget]
    reset_hour: int
    shares: Sequence[float]
    alerts: BudgetAlerts
    marks: Marks
    callers: Callers | None = None

    async def of_site(self, site: str) -> list[Spent]:
        """What a site has spent and holds this day and this month."""
        now = self.clock()
        accounts = site_accounts(site, self.budget_of(site), now, self.reset_hour)
        sums = await self.budgets.spent(accounts)
        found = []
        for period, account, micros in zip(PERIODS, accounts, sums, strict=True):
            ends = span(period, now, self.reset_hour).ends
            reached = tuple(
                share for share in self.shares if 0 < mark(account.limit, share) <= micros
            )
            used_up = bool(account.limit) and await self.alerts.is_used_up(account)
            began, limit = account.began, account.limit
            found.append(Spent(period, micros, limit, began, ends, reached, used_up))
        return found

    async def reached(self, sites: Iterable[str]) -> dict[tuple[str, Period], Reached]:
        """How far each period of each site that has a budget has come."""
        found = {}
        for site in sites:
            budget = self.budget_of(site)
            if budget.daily_usd or budget.monthly_usd:
                for one in await self.of_site(site):
                    share = max(one.alerts, default=0.0)
                    found[site, one.period] = Reached(one.began, share, one.used_up)
        return found

    async def nearest(self, site: str, period: Period, most: int = NEAREST) -> list[Near]:
        """The callers who have spent the greatest share of their own budgets, the first of all
        first; who has no limit, or spent nothing, is none of them."""
        if self.callers is None:
            return []
        began = span(period, self.clock(), self.reset_hour).began
        own = [one for one in self._own(site, period, began, self.callers) if one[1].limit]
        sums = await self.budgets.spent([account for _, account in own])
        key = await self.marks.key(period, began)
        found = [
            _near(key, whose, account.name, micros, account.limit)
            for (whose, account), micros in zip(own, sums, strict=True)
        ]
        named = {account.name for _, account in own}
        for kind in KINDS:
            user = _SOMEBODY if kind == "user" else None
            limit = self._limit(Caller(site, kind, WIDGET, user), period, self.callers)
            if limit:
                heavy = await self.budgets.heaviest(site, period, began, kind, most + len(named))
                found += [
                    _near(key, _KINDS[kind], one.account, one.micros, limit)
                    for one in heavy
                    if one.account not in named
                ]
        found = [one for one in found if one.micros]
        return sorted(found, key=lambda one: (-one.micros / one.limit, one.mark))[:most]

    async def of(self, scope: Scope) -> list[tuple[Account, int]]:
        """What is kept of one visitor: this period's sums and the last one's, where there are."""
        accounts = subject_accounts(scope.site, [scope.subject], self.clock(), self.reset_hour)
        sums = await self.budgets.spent(accounts)
        return [one for one in zip(accounts, sums, strict=True) if one[1]]

    def _own(
        self, site: str, period: Period, began: float, callers: Callers
    ) -> list[tuple[Whose, Account]]:
        """The accounts of users with words of their own, of the site's server and of operators."""
        told: list[tuple[Whose, str, Caller]] = [
            ("user", f"user:{user}", Caller(site, f"user:{user}", WIDGET, user))
            for user in callers.users
        ]
        told += [
            ("api", API, Caller(site, "", API)),
            ("console", CONSOLE, Caller(site, "", CONSOLE)),
        ]
        return [
            (whose, Account(site, subject, period, began, self._limit(caller, period, callers)))
            for whose, subject, caller in told
        ]

    def _limit(self, caller: Caller, period: Period, callers: Callers) -> int:
        allowed = callers.allowed(caller)
        own = SiteBudget(allowed.cost_budget_daily_usd, allowed.cost_budget_monthly_usd)
        return own.limit(period)


def _near(key: bytes, whose: Whose, account: str, micros: int, limit: int) -> Near:
    return Near(whose, mark_of(key, account), micros, limit)
