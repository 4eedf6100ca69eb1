"""Days and months of budgets: when they begin and end, and which accounts a turn is paid from.

A day begins at the same hour of UTC for everybody, a month with the first of its days. Decides
whose budgets count for a caller: the visitor's own by the permissions, the site's by its settings.
A budget of 0 is none; what a site spends is counted all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from core.model_routing.caller import Caller
from core.model_routing.permissions import Permissions
from core.model_routing.spend import Account, Period

HOUR_S: Final = 3600
DAY_S: Final = 24 * HOUR_S
MICROS: Final = 1_000_000
"""Of a dollar."""

PERIODS: Final[tuple[Period, ...]] = ("day", "month")


@dataclass(frozen=True, slots=True)
class SiteBudget:
    """What a site may spend in US dollars; 0 is unlimited."""

    daily_usd: float = 0.0
    monthly_usd: float = 0.0

    def limit(self, period: Period) -> int:
        """The same of one period in millionths of a dollar."""
        return micros_of(self.daily_usd if period == "day" else self.monthly_usd)


@dataclass(frozen=True, slots=True)
class Span:
    """A period from its beginning to the beginning of the next, in Unix seconds."""

    began: float
    ends: float


def span(period: Period, at: float, reset_hour: int) -> Span:
    """The day or month that `at` lies in, where days begin at `reset_hour` (0 to 23) of UTC."""
    shift = reset_hour * HOUR_S
    midnight = (at - shift) // DAY_S * DAY_S
    if period == "day":
        return Span(midnight + shift, midnight + shift + DAY_S)
    first = datetime.fromtimestamp(midnight, UTC).replace(day=1)
    years, months = divmod(first.month, 12)
    following = first.replace(year=first.year + years, month=months + 1)
    return Span(first.timestamp() + shift, following.timestamp() + shift)


def micros_of(usd: float) -> int:
    """Millionths of a dollar; what is not 0 never becomes 0, which would be no limit at all."""
    return max(1, round(usd * MICROS)) if usd > 0 else 0


def site_accounts(site: str, budget: SiteBudget, at: float, reset_hour: int) -> tuple[Account, ...]:
    """What the site has spent this day and this month is counted here."""
    return tuple(
        Account(site, "", period, span(period, at, reset_hour).began, budget.limit(period))
        for period in PERIODS
    )


def accounts_of(
    caller: Caller, allowed: Permissions, budget: SiteBudget, at: float, reset_hour: int
) -> tuple[Account, ...]:
    """The accounts that a turn of this caller is paid from: the caller's that are limited, then the
    site's. Whoever is no visitor is known by the channel."""
    own = SiteBudget(allowed.cost_budget_daily_usd, allowed.cost_budget_monthly_usd)
    mine = tuple(
        Account(
            caller.site,
            caller.subject or caller.channel,
            period,
            span(period, at, reset_hour).began,
            own.limit(period),
        )
        for period in PERIODS
        if own.limit(period)
    )
    return (*mine, *site_accounts(caller.site, budget, at, reset_hour))


def subject_accounts(
    site: str, subjects: Iterable[str], at: float, reset_hour: int
) -> tuple[Account, ...]:
    """All that may be kept of these subjects: of this period, and of the one before it."""
    found = []
    for period in PERIODS:
        now = span(period, at, reset_hour).began
        found += [(period, now), (period, span(period, now - 1, reset_hour).began)]
    return tuple(
        Account(site, subject, period, began) for subject in subjects for period, began in found
    )
