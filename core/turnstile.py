"""Cloudflare Turnstile as the gateway sees it: its verdict, and how it is asked, as a port.

It decides what a widget is told to bind its tokens to: the site, as `action`, and the browser's
key, as `cdata`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final, Protocol

MAX_TOKEN: Final = 2_048

_ACTION: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What siteverify said of a token; `errors` are its own codes."""

    success: bool
    hostname: str
    action: str
    cdata: str
    errors: tuple[str, ...]


class Turnstile(Protocol):
    """The service that knows whether a token was given to a visitor."""

    async def verify(self, secret: str, token: str) -> Verdict:
        """The verdict on a token; raises `Unavailable` when there is none."""


def action(site_key: str) -> str:
    """The site as a Turnstile action, which may have 32 characters of a few kinds."""
    if _ACTION.fullmatch(site_key):
        return site_key
    return hashlib.sha256(site_key.encode()).hexdigest()[:32]
