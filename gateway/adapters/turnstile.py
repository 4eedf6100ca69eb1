"""Turnstile's siteverify, over the guarded way out.

Whatever is no verdict is `Unavailable`: silence, another status, anything but its JSON, an error of
theirs, and a secret that they do not know, which no visitor can help. The secret goes into the body
and nowhere else.
"""

from __future__ import annotations

import json
import logging
from typing import Any, Final
from urllib.parse import urlencode

import httpx

from core.errors import Unavailable
from core.turnstile import Verdict
from gateway.adapters.outbound import Outbound

log = logging.getLogger("fanlight")

SITEVERIFY: Final = "https://challenges.cloudflare.com/turnstile/v0/siteverify"
DEADLINE_S: Final = 4.0

_THEIRS: Final = frozenset(("internal-error",))
_OURS: Final = frozenset(("missing-input-secret", "invalid-input-secret", "bad-request"))


class SiteVerify:
    """A `Turnstile`; `url` is another only in tests."""

    def __init__(self, outbound: Outbound, url: str = SITEVERIFY) -> None:
        self._outbound = outbound
        self._url = url

    async def verify(self, secret: str, token: str) -> Verdict:
        """The verdict on a token; raises `Unavailable` when there is none."""
        form = urlencode({"secret": secret, "response": token}).encode()
        headers = {
            "accept": "application/json",
            "content-type": "application/x-www-form-urlencoded",
            "user-agent": "Fanlight",
        }
        try:
            received = await self._outbound.post(
                self._url, content=form, headers=headers, read_bytes=65_536
            )
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise Unavailable(f"Turnstile does not answer: {type(exc).__name__}") from exc
        verdict = _verdict(received.body)
        if verdict is None:
            raise Unavailable(f"Turnstile gave no verdict, but {received.status}")
        if not verdict.success and _OURS & set(verdict.errors):
            log.error("Turnstile refuses our request: %s", ", ".join(verdict.errors))
            raise Unavailable("Turnstile refuses our request; look at the site's secret")
        if not verdict.success and _THEIRS & set(verdict.errors):
            raise Unavailable("Turnstile has an error of its own")
        return verdict


def _verdict(body: bytes) -> Verdict | None:
    """What the answer says; None for anything but an answer of siteverify."""
    try:
        said = json.loads(body)
    except ValueError:
        return None
    if not isinstance(said, dict) or not isinstance(said.get("success"), bool):
        return None
    errors = said.get("error-codes")
    codes = tuple(map(str, errors)) if isinstance(errors, list) else ()
    return Verdict(
        said["success"], _text(said, "hostname"), _text(said, "action"), _text(said, "cdata"), codes
    )


def _text(said: dict[str, Any], name: str) -> str:
    value = said.get(name)
    return value if isinstance(value, str) else ""
