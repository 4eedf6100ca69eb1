"""Whether somebody is there for a site's visitors, by the site's working hours.

It decides which targets wait for them: those with `hours_only`, and the others never; and what a
visitor is told of when people are back. A site without hours is always attended.
"""

from __future__ import annotations

from typing import Final

from core.encoding import timestamp
from gateway.days import zone_of
from gateway.escalation.outbox import Opens
from gateway.settings import Settings, SiteSettings

DAYS_TOLD: Final = 15
"""A panel that is open, or offline, for longer than this knows no hours any more."""


def attended(site: SiteSettings, at: float) -> bool:
    """Whether it is within the site's working hours."""
    return site.hours is None or site.hours.open_at(at, zone_of(site.time_zone))


def back_at(site: SiteSettings, at: float) -> str | None:
    """When people are there again (RFC 3339, UTC); None where somebody is there at `at`."""
    if site.hours is None or attended(site, at):
        return None
    return timestamp(site.hours.next_open(at, zone_of(site.time_zone)))


def openings(site: SiteSettings, at: float) -> list[tuple[str, str]] | None:
    """When people are there in the days to come, from and until; None for a site without hours."""
    if site.hours is None:
        return None
    found = site.hours.openings(at, DAYS_TOLD, zone_of(site.time_zone))
    return [(timestamp(opens), timestamp(closes)) for opens, closes in found]


def opens(settings: Settings) -> Opens:
    """When a target takes a site's escalations."""
    waiting = {target.name for target in settings.targets if target.hours_only}

    def when(target: str, site_key: str, at: float) -> float:
        site = settings.site(site_key)
        if target not in waiting or site is None or site.hours is None:
            return at
        return site.hours.next_open(at, zone_of(site.time_zone))

    return when
