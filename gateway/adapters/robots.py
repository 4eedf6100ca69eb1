"""What a site's robots.txt lets Fanlight read (RFC 9309), and how fast.

Decides by the status that the file came with: none means that all is allowed, a server's error that
nothing is, since the site's wish is not known. Fetches nothing.
"""

from __future__ import annotations

from typing import Final
from urllib.robotparser import RobotFileParser

USER_AGENT: Final = "Fanlight"
MAX_BYTES: Final = 512 * 1024
"""Bytes of the file that count; RFC 9309 asks for 500 KiB at least."""


class Robots:
    """The rules of one origin. Raises `ValueError` for a file that cannot be understood."""

    def __init__(self, text: str) -> None:
        self._rules = RobotFileParser()
        self._rules.parse(text.splitlines())

    def allows(self, url: str) -> bool:
        """Whether Fanlight may read this address."""
        return self._rules.can_fetch(USER_AGENT, url)

    def delay_s(self) -> float:
        """The seconds that the site asks for between two requests; 0 when it asks for none."""
        return float(self._rules.crawl_delay(USER_AGENT) or 0)


ALLOW_ALL: Final = Robots("")
