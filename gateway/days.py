"""The day that it is for a site, which decides what its answers say.

Refuses nothing: where the machine has no time zones, as in a Worker, a day is that of UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def day_in(time_zone: str, at: float) -> str:
    """Give the day (ISO 8601) that it is in a time zone (IANA's name) at a time in Unix seconds."""
    return datetime.fromtimestamp(at, zone_of(time_zone)).date().isoformat()


def is_time_zone(name: str) -> bool:
    """Say whether this is the name of a time zone."""
    if name == "UTC":
        return True
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


@cache
def zone_of(name: str) -> tzinfo:
    """Give the clocks of a time zone (IANA's name)."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC
