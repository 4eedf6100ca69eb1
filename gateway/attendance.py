"""Whether somebody is there for a site's visitors, by the site's working hours.

It decides which targets wait for them: those with `hours_only`, and the others never. A site
without hours is always attended.
"""

from __future__ import annotations

from gateway.days import zone_of
from gateway.escalation.outbox import Opens
from gateway.settings import Settings, SiteSettings


def attended(site: SiteSettings, at: float) -> bool:
    """Whether it is within the site's working hours."""
    return site.hours is None or site.hours.open_at(at, zone_of(site.time_zone))


def opens(settings: Settings) -> Opens:
    """When a target takes a site's escalations."""
    waiting = {target.name for target in settings.targets if target.hours_only}

    def when(target: str, site_key: str, at: float) -> float:
        site = settings.site(site_key)
        if target not in waiting or site is None or site.hours is None:
            return at
        return site.hours.next_open(at, zone_of(site.time_zone))

    return when
