from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.escalation.hours import Hours, parse_hours

MADRID = ZoneInfo("Europe/Madrid")
WEEK = parse_hours("Mon-Fri 09:00-17:00, Sat 10:00-14:00")


def moment(text: str, zone: ZoneInfo = MADRID) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def shown(at: float, zone: ZoneInfo = MADRID) -> str:
    return datetime.fromtimestamp(at, zone).strftime("%Y-%m-%dT%H:%M")


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-23T09:00", True),  # a Monday
        ("2026-11-23T08:59", False),
        ("2026-11-23T16:59", True),
        ("2026-11-23T17:00", False),
        ("2026-11-28T13:59", True),  # a Saturday
        ("2026-11-28T14:00", False),
        ("2026-11-29T12:00", False),
    ],
)
def test_somebody_is_there_from_the_first_minute_to_before_the_last(
    at: str, expected: bool
) -> None:
    assert WEEK.open_at(moment(at), MADRID) is expected


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2026-11-23T12:00", "2026-11-23T12:00"),
        ("2026-11-23T06:00", "2026-11-23T09:00"),
        ("2026-11-23T17:00", "2026-11-24T09:00"),
        ("2026-11-27T18:00", "2026-11-28T10:00"),
        ("2026-11-28T14:00", "2026-11-30T09:00"),
        ("2026-12-31T23:59", "2027-01-01T09:00"),
    ],
)
def test_the_next_opening_is_found(at: str, opens: str) -> None:
    assert shown(WEEK.next_open(moment(at), MADRID)) == opens


def test_the_hours_are_those_of_the_sites_own_clocks() -> None:
    at = moment("2026-11-23T09:00", ZoneInfo("Asia/Jerusalem"))
    assert WEEK.open_at(at, ZoneInfo("Asia/Jerusalem"))
    assert not WEEK.open_at(at, MADRID)


def test_a_clock_that_is_put_forward_over_the_opening_opens_after_it() -> None:
    night = parse_hours("Sun 02:30-03:30")
    opens = night.next_open(moment("2027-03-28T01:00"), MADRID)
    assert shown(opens) == "2027-03-28T03:30"


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("sat-mon 08:00-09:00", {5, 6, 0}),
        ("Sun 00:00-24:00", {6}),
        ("mon-sun 00:00-24:00", set(range(7))),
    ],
)
def test_days_go_round_the_week(text: str, days: set[int]) -> None:
    assert {day for day, _, _ in parse_hours(text).spans} == days


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "form"),
        ("Mon", "form"),
        ("Mon-Fri 9-17", "form"),
        ("Mon-Fri 09:00 - 17:00", "form"),
        ("Mon 17:00-09:00", "around midnight"),
        ("Mon 09:00-09:00", "around midnight"),
        ("Mon 09:60-10:00", "time of day"),
        ("Mon 09:00-24:01", "time of day"),
        ("Lun 09:00-10:00", "no day"),
        ("Mon 09:00-10:00,", "form"),
    ],
)
def test_what_is_no_span_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_hours(text)


SPANS = st.tuples(st.integers(0, 6), st.integers(0, 1439), st.integers(1, 1440)).filter(
    lambda span: span[1] < span[2]
)


@given(
    spans=st.lists(SPANS, min_size=1, max_size=6),
    at=st.floats(1_600_000_000, 1_900_000_000),
    zone=st.sampled_from(["UTC", "Europe/Madrid", "Asia/Jerusalem", "America/New_York"]),
)
def test_the_next_opening_is_open_and_not_before(
    spans: list[tuple[int, int, int]], at: float, zone: str
) -> None:
    hours, clocks = Hours(tuple(spans)), ZoneInfo(zone)
    opens = hours.next_open(at, clocks)
    assert opens >= at
    assert opens == at or not hours.open_at(at, clocks)
    assert opens - at <= 9 * 24 * 3600


def test_the_openings_to_come_begin_with_the_one_that_is_under_way() -> None:
    found = WEEK.openings(moment("2026-11-27T12:00"), 4, MADRID)
    assert [(shown(opens), shown(closes)) for opens, closes in found] == [
        ("2026-11-27T09:00", "2026-11-27T17:00"),
        ("2026-11-28T10:00", "2026-11-28T14:00"),
        ("2026-11-30T09:00", "2026-11-30T17:00"),
    ]
    late = WEEK.openings(moment("2026-11-27T17:00"), 2, MADRID)
    assert [shown(opens) for opens, _ in late] == ["2026-11-28T10:00"]


def test_an_opening_may_end_at_midnight() -> None:
    [(_, closes)] = parse_hours("Thu 18:00-24:00").openings(moment("2026-12-31T12:00"), 1, MADRID)
    assert shown(closes) == "2027-01-01T00:00"
