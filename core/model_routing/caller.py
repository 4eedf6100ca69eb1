"""Whom a turn is for, as the gateway found out by itself.

Nothing here is read from a request's body: a level that a client claims would be one that anybody
can claim.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.scope import Scope

WIDGET: Final = "widget"
"""The chat on a site's pages, by a signed session."""

API: Final = "api"
"""A site's own server, by the site's API key."""

CONSOLE: Final = "console"
"""An operator who tries a question."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A site's visitor, server or operator on one channel.

    `subject` is the scope's subject, and "" for a site's own server; `user` is who the site's
    signed identity says the visitor is, as `<issuer>|<sub>`, else None.
    """

    site: str
    subject: str
    channel: str
    user: str | None = None

    @property
    def level(self) -> int:
        """0 for somebody unknown, 1 for somebody known to the site, 2 for an operator."""
        if self.channel == CONSOLE:
            return 2
        return 1 if self.channel == API or self.user else 0


def visitor(scope: Scope) -> Caller:
    """Whoever holds a session of a site's widget."""
    return Caller(scope.site, scope.subject, WIDGET, scope.user)


def server(site: str) -> Caller:
    """A site's own server, which has its API key."""
    return Caller(site, "", API)
