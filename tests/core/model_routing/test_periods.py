"""When days and months of budgets begin and end, and which accounts a turn is paid from."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model_routing.caller import API, CONSOLE, WIDGET, Caller
from core.model_routing.periods import (
    DAY_S,
    PERIODS,
    SiteBudget,
    accounts_of,
    micros_of,
    span,
    subject_accounts,
)
from core.model_routing.permissions import Permissions
from core.model_routing.spend import KEPT_S, Account, Period, account_name, too_little


def unix(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


SPANS: list[tuple[Period, int, str, str, str]] = [
    ("day", 0, "2026-11-30T00:00:00", "2026-11-30T00:00:00", "2026-12-01T00:00:00"),
    ("day", 0, "2026-11-30T23:59:59", "2026-11-30T00:00:00", "2026-12-01T00:00:00"),
    ("day", 23, "2026-11-30T22:59:59", "2026-11-29T23:00:00", "2026-11-30T23:00:00"),
    ("day", 23, "2026-11-30T23:00:00", "2026-11-30T23:00:00", "2026-12-01T23:00:00"),
    ("day", 6, "2028-02-29T05:59:59", "2028-02-28T06:00:00", "2028-02-29T06:00:00"),
    ("day", 6, "2028-02-29T06:00:00", "2028-02-29T06:00:00", "2028-03-01T06:00:00"),
    ("day", 6, "2027-03-01T05:00:00", "2027-02-28T06:00:00", "2027-03-01T06:00:00"),
    ("month", 0, "2026-12-31T23:59:59", "2026-12-01T00:00:00", "2027-01-01T00:00:00"),
    ("month", 0, "2027-01-01T00:00:00", "2027-01-01T00:00:00", "2027-02-01T00:00:00"),
    ("month", 0, "2028-02-29T12:00:00", "2028-02-01T00:00:00", "2028-03-01T00:00:00"),
    ("month", 0, "2027-02-28T23:59:59", "2027-02-01T00:00:00", "2027-03-01T00:00:00"),
    ("month", 23, "2026-12-01T22:59:59", "2026-11-01T23:00:00", "2026-12-01T23:00:00"),
    ("month", 23, "2026-12-01T23:00:00", "2026-12-01T23:00:00", "2027-01-01T23:00:00"),
    ("month", 6, "2028-03-01T05:59:59", "2028-02-01T06:00:00", "2028-03-01T06:00:00"),
    ("month", 0, "2100-02-28T12:00:00", "2100-02-01T00:00:00", "2100-03-01T00:00:00"),
]


@pytest.mark.parametrize(("period", "hour", "at", "began", "ends"), SPANS)
def test_a_period_begins_and_ends_at_the_hour(
    period: Period, hour: int, at: str, began: str, ends: str
) -> None:
    found = span(period, unix(at), hour)
    assert (found.began, found.ends) == (unix(began), unix(ends))


@given(
    at=st.floats(0, 4e9, allow_nan=False),
    hour=st.integers(0, 23),
    period=st.sampled_from(PERIODS),
)
def test_periods_follow_each_other_without_a_gap(at: float, hour: int, period: Period) -> None:
    found = span(period, at, hour)
    assert found.began <= at < found.ends
    assert span(period, found.ends, hour).began == found.ends
    assert span(period, found.began - 1, hour).ends == found.began
    # What is kept outlasts the period by a day at least.
    assert KEPT_S[period] - (found.ends - found.began) >= DAY_S
    assert found.began == int(found.began)


@pytest.mark.parametrize(
    ("usd", "micros"),
    [(0, 0), (-1, 0), (0.1, 100_000), (5, 5_000_000), (0.000_000_1, 1), (2.000_000_4, 2_000_000)],
)
def test_dollars_are_counted_in_millionths_and_a_small_one_is_not_unlimited(
    usd: float, micros: int
) -> None:
    assert micros_of(usd) == micros


AT = unix("2026-11-30T05:00:00")
DAY, MONTH = unix("2026-11-29T06:00:00"), unix("2026-11-01T06:00:00")
ANNA = Caller("site_a", "anon:anna", WIDGET)


def mine(daily: float, monthly: float) -> Permissions:
    return Permissions(cost_budget_daily_usd=daily, cost_budget_monthly_usd=monthly)


ACCOUNTS = [
    (
        ANNA,
        mine(0.1, 2),
        SiteBudget(5, 50),
        [
            Account("site_a", "anon:anna", "day", DAY, 100_000),
            Account("site_a", "anon:anna", "month", MONTH, 2_000_000),
            Account("site_a", "", "day", DAY, 5_000_000),
            Account("site_a", "", "month", MONTH, 50_000_000),
        ],
    ),
    (
        ANNA,
        mine(0, 0),
        SiteBudget(),
        [Account("site_a", "", "day", DAY), Account("site_a", "", "month", MONTH)],
    ),
    (
        Caller("site_a", "", API),
        mine(1, 0),
        SiteBudget(0, 9),
        [
            Account("site_a", "api", "day", DAY, 1_000_000),
            Account("site_a", "", "day", DAY),
            Account("site_a", "", "month", MONTH, 9_000_000),
        ],
    ),
    (
        Caller("site_a", "", CONSOLE),
        mine(0, 0),
        SiteBudget(1, 0),
        [
            Account("site_a", "", "day", DAY, 1_000_000),
            Account("site_a", "", "month", MONTH),
        ],
    ),
]


@pytest.mark.parametrize(("caller", "allowed", "budget", "accounts"), ACCOUNTS)
def test_a_turn_is_paid_from_the_callers_budget_and_the_sites(
    caller: Caller, allowed: Permissions, budget: SiteBudget, accounts: list[Account]
) -> None:
    assert list(accounts_of(caller, allowed, budget, AT, 6)) == accounts


def test_all_that_may_be_kept_of_a_subject_is_this_period_and_the_one_before() -> None:
    found = subject_accounts("site_a", ["anon:anna"], AT, 6)
    assert [(one.period, one.began) for one in found] == [
        ("day", DAY),
        ("day", DAY - DAY_S),
        ("month", MONTH),
        ("month", unix("2026-10-01T06:00:00")),
    ]
    assert {one.subject for one in found} == {"anon:anna"}


def test_the_first_account_with_too_little_left_refuses() -> None:
    free, tight, tighter = (
        Account("site_a", "", "day", 0),
        Account("site_a", "", "day", 1, 10),
        Account("site_a", "", "day", 2, 9),
    )
    assert too_little([free, tight, tighter], [10**12, 4, 4], 5) is None
    assert too_little([free, tight, tighter], [0, 4, 4], 6) is tighter
    assert too_little([free, tight, tighter], [0, 5, 4], 6) is tight
    assert too_little([], [], 6) is None


def test_an_accounts_name_tells_accounts_apart_and_nobody_whose_it_is() -> None:
    one = Account("site_a", "anon:anna", "day", 0, 5)
    assert one.name == account_name("site_a", "anon:anna", "day", 0)
    others = [("site_b", "anon:anna", "day", 0), ("site_a", "anon:ann", "day", 0)]
    others += [("site_a", "anon:anna", "month", 0), ("site_a", "anon:anna", "day", 86_400)]
    assert one.name not in {account_name(*other) for other in others}
    assert "anna" not in one.name
