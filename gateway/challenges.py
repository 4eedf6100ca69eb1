"""Challenges: what a browser must do before it gets a session, and whether it did.

A proof of work, or Turnstile where the site has set it up. A challenge is a token of the gateway,
bound to one site and key, good for two minutes, once. The proof is harder the more sessions were
opened in the last minute, by this address prefix and for this site, up to a cap: it makes opening
many sessions cost more, and locks nobody out.

Turnstile out of reach locks nobody out either (ADR 19): while its verdicts do not come, challenges
are proofs of work; a browser that cannot show the widget may ask for one too, and gets the hardest.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from core import turnstile
from core.digest import sha256_hex
from core.encoding import b64url_encode, timestamp
from core.errors import Unavailable
from core.pow import is_solution
from gateway import problems
from gateway.context import Services
from gateway.integrity import address_prefix
from gateway.quota import MINUTE_S
from gateway.settings import SiteSettings
from gateway.tokens import CHALLENGE, Tokens

log = logging.getLogger("fanlight")

CHALLENGE_S: Final = 120
OUTAGE_S: Final = 30.0
"""After Turnstile gave no verdict it is left alone for this long."""

_EASY_SHARE: Final = 8
"""Below an eighth of its limit nothing gets harder; each doubling beyond adds two bits."""

_TOKEN_KEPT_S: Final = 600
"""Turnstile's tokens last 300 s; a second use is refused for longer than that."""


class Challenges:
    """Makes and judges challenges over one gateway's services."""

    def __init__(self, services: Services, tokens: Tokens) -> None:
        self._services = services
        self._tokens = tokens
        self._cache = services.cache
        self._limits = services.settings.limits
        self._hostname = urlsplit(services.settings.public_url).hostname or ""
        self._out_until: dict[str, float] = {}

    async def make(
        self, site: SiteSettings, keyid: str, address: str, *, without_turnstile: bool
    ) -> dict[str, object]:
        """The document of a new challenge for a key."""
        widget = None if self._out(site) else site.turnstile
        kind = "pow" if widget is None or without_turnstile else "turnstile"
        difficulty = await self._difficulty(site, address)
        if site.turnstile is not None and without_turnstile and not self._out(site):
            difficulty = self._hardest
        claims: dict[str, object] = {
            "site": site.key,
            "jkt": keyid,
            "kind": kind,
            "difficulty": difficulty if kind == "pow" else 0,
            "jti": b64url_encode(self._services.random(16)),
        }
        document: dict[str, object] = {
            "challenge": await self._tokens.issue(CHALLENGE, claims, CHALLENGE_S),
            "kind": kind,
            "difficulty": claims["difficulty"],
            "expires_at": timestamp(self._services.clock() + CHALLENGE_S),
        }
        if kind == "turnstile" and widget is not None:
            document["turnstile"] = {
                "sitekey": widget.site_key,
                "action": turnstile.action(site.key),
                "cdata": keyid,
            }
        return document

    async def check(self, site: SiteSettings, keyid: str, challenge: str, solution: str) -> None:
        """Raise `Problem` unless the challenge is this site's and key's, solved, and new."""
        try:
            claims = await self._tokens.read(CHALLENGE, challenge)
        except ValueError as exc:
            raise problems.bad_challenge(f"{exc}.") from exc
        if claims["site"] != site.key or claims["jkt"] != keyid:
            raise problems.bad_challenge("The challenge is for another site or key.")
        by_turnstile = claims.get("kind") == "turnstile"
        if not by_turnstile and not is_solution(challenge, solution, claims["difficulty"]):
            raise problems.bad_challenge("The solution does not solve it.")
        await self._use(claims)
        if by_turnstile:
            await self._check_turnstile(site, keyid, solution)

    async def opened(self, site: SiteSettings, address: str) -> None:
        """Count a session that was opened, for the difficulty of the next challenges."""
        for name in _load_names(site, address):
            count, _ = await self._cache.count(f"opened:{name}", MINUTE_S)
            await self._cache.put(f"load:{name}", str(count), MINUTE_S)

    async def _use(self, claims: Mapping[str, Any]) -> None:
        if not await self._cache.claim(f"challenge:{claims['jti']}", CHALLENGE_S + 1):
            raise problems.bad_challenge("The challenge has been used.")

    @property
    def _hardest(self) -> int:
        return max(self._limits.pow_difficulty, self._limits.pow_difficulty_most)

    async def _difficulty(self, site: SiteSettings, address: str) -> int:
        limits = self._limits
        most = (limits.sessions_per_address_per_minute, limits.sessions_per_site_per_minute)
        harder = 0
        for name, limit in zip(_load_names(site, address), most, strict=True):
            load = int(await self._cache.get(f"load:{name}") or "0")
            harder = max(harder, harder_by(load, limit))
        return min(limits.pow_difficulty + harder, self._hardest)

    def _out(self, site: SiteSettings) -> bool:
        """Whether it gave no verdict a moment ago. Each site has a secret of its own, which may be
        wrong."""
        until = self._out_until.get(site.key, 0.0)
        return self._services.turnstile is None or self._services.clock() < until

    async def _check_turnstile(self, site: SiteSettings, keyid: str, token: str) -> None:
        if self._services.turnstile is None or site.turnstile is None:
            raise problems.bad_challenge("This site does not use Turnstile.")
        if not await self._cache.claim(f"turnstile:{sha256_hex(token)}", _TOKEN_KEPT_S):
            raise problems.bad_challenge("The Turnstile token has been used.")
        verdict = await self._verdict(self._services.turnstile, site, token)
        if not verdict.success:
            codes = ", ".join(verdict.errors)[:200] or "no reason given"
            raise problems.bad_challenge(f"Turnstile refuses the token ({codes}).")
        bound = (self._hostname, turnstile.action(site.key), keyid)
        if (verdict.hostname, verdict.action, verdict.cdata) != bound:
            raise problems.bad_challenge("The Turnstile token is for another host, site or key.")

    async def _verdict(
        self, service: turnstile.Turnstile, site: SiteSettings, token: str
    ) -> turnstile.Verdict:
        secret = site.turnstile.secret.reveal() if site.turnstile else ""
        try:
            return await service.verify(secret, token)
        except Unavailable as exc:
            log.warning("challenges are proofs of work for %g s: %s", OUTAGE_S, exc)
            self._out_until[site.key] = self._services.clock() + OUTAGE_S
            detail = "Turnstile cannot be asked now; the next challenge will be a proof of work."
            raise problems.bad_challenge(detail) from exc


def harder_by(load: int, limit: int) -> int:
    """How many bits harder a proof is when this many sessions were opened in the last minute."""
    share = load * _EASY_SHARE / limit
    return 2 * math.floor(math.log2(share) + 1) if share >= 1 else 0


def _load_names(site: SiteSettings, address: str) -> tuple[str, str]:
    return f"address:{address_prefix(address)}", f"site:{site.key}"
