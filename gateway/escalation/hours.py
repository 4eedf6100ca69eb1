"""Working hours of a site: `Mon-Fri 09:00-17:00`, on the clocks of its own time zone.

They decide whether somebody is there, and when somebody will be next. They refuse what names no
day or no time, and a time that ends before it begins: what goes past midnight is written as two.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EXAMPLE: Final = "Mon-Fri 09:00-17:00, Sat 10:00-14:00"

_PART: Final = re.compile(
    r"(?P<first>[a-z]{3})(?:-(?P<last>[a-z]{3}))? "
    r"(?P<opens>\d\d):(?P<opens_m>\d\d)-(?P<closes>\d\d):(?P<closes_m>\d\d)"
)
_MIDNIGHT: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class Hours:
    """Spans of a week: the day (0 is Monday), and minutes of that day from and until."""

    spans: tuple[tuple[int, int, int], ...]

    def open_at(self, at: float, zone: tzinfo) -> bool:
        """Whether somebody is there at a time in Unix seconds."""
        local = datetime.fromtimestamp(at, zone)
        minute = local.hour * 60 + local.minute
        return any(
            day == local.weekday() and opens <= minute < closes for day, opens, closes in self.spans
        )

    def next_open(self, at: float, zone: tzinfo) -> float:
        """When somebody is there next, in Unix seconds: `at` itself where somebody is."""
        if self.open_at(at, zone):
            return at
        local = datetime.fromtimestamp(at, zone)
        openings = (
            _moment(local + timedelta(days=ahead), opens, zone)
            for ahead in range(9)
            for day, opens, _ in self.spans
            if day == (local.weekday() + ahead) % 7
        )
        return min(opening for opening in openings if opening > at)

    def openings(self, at: float, days: int, zone: tzinfo) -> list[tuple[float, float]]:
        """When somebody is there from `at` on, for so many days: from and until, Unix seconds."""
        local = datetime.fromtimestamp(at, zone)
        found = (
            (_moment(day, opens, zone), _moment(day, closes, zone))
            for day in (local + timedelta(days=ahead) for ahead in range(days))
            for weekday, opens, closes in self.spans
            if weekday == day.weekday()
        )
        return sorted(one for one in found if one[1] > at)


def parse_hours(text: str) -> Hours:
    """Read working hours; raises `ValueError` that says what is wrong."""
    spans = [span for part in text.split(",") for span in _spans(part.strip().lower())]
    return Hours(tuple(sorted(spans)))


def _spans(part: str) -> list[tuple[int, int, int]]:
    match = _PART.fullmatch(" ".join(part.split()))
    if match is None:
        raise ValueError(f"{part!r} is not of the form {EXAMPLE}")
    first = _day(match["first"])
    last = _day(match["last"] or match["first"])
    opens = _minute(match["opens"], match["opens_m"])
    closes = _minute(match["closes"], match["closes_m"])
    if opens >= closes:
        raise ValueError(f"{part!r} ends before it begins; write two spans around midnight")
    days = range(first, last + 1) if first <= last else (*range(first, 7), *range(last + 1))
    return [(day, opens, closes) for day in days]


def _day(name: str) -> int:
    if name not in DAYS:
        raise ValueError(f"{name!r} is no day; the days are {', '.join(DAYS).title()}")
    return DAYS.index(name)


def _minute(hour: str, minute: str) -> int:
    value = int(hour) * 60 + int(minute)
    if int(minute) > 59 or value > _MIDNIGHT:
        raise ValueError(f"{hour}:{minute} is no time of day")
    return value


def _moment(day: datetime, minute: int, zone: tzinfo) -> float:
    """That minute of that day by its clocks; where they are put forward over it, just after."""
    if minute == _MIDNIGHT:
        day, minute = day + timedelta(days=1), 0
    moment = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone)
    return moment.timestamp()
