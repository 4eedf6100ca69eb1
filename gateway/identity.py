"""Signed-in visitors: whether a site's own word for who this is may be believed.

`identity_jwt` is a JWT that the site's server signs (ES256, one of the keys that the settings name)
for one browser's key, for five minutes at most, used once. It decides the session's subject and
nothing else. Each refusal says what is wrong, so that the site's engineer can mend it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from core import jose
from core.ports import Cache, Clock, Verifier
from core.scope import Scope, signed_in
from gateway import problems
from gateway.settings import IdentitySettings, SiteSettings

LONGEST_S: Final = 300
SKEW_S: Final = 60
"""How much a site's clock may differ from ours."""

_TYP: Final = "JWT"
_MAX_TEXT: Final = 200


class Identities:
    """Reads what sites say of their visitors."""

    def __init__(self, verifier: Verifier, cache: Cache, clock: Clock) -> None:
        self._verifier = verifier
        self._cache = cache
        self._clock = clock

    async def vouched(self, site: SiteSettings, token: str, keyid: str) -> Scope:
        """The scope of the visitor that the site vouches for; raises `Problem`.

        `keyid` is the thumbprint of the key that opens the session.
        """
        if site.identity is None:
            raise problems.bad_identity("This site has no key for signed-in visitors.")
        claims = await self._verified(site.identity, token)
        now = self._clock()
        flaw = (
            _addressing_flaw(claims, site, site.identity, keyid)
            or _time_flaw(claims, now)
            or _text_flaw(claims)
        )
        if flaw is not None:
            raise problems.bad_identity(flaw)
        ttl_s = float(claims["exp"]) + SKEW_S - now + 1
        if not await self._cache.claim(f"identity:{site.key}:{claims['jti']}", ttl_s):
            raise problems.bad_identity("It was used before: jti is known.")
        return signed_in(site.key, site.identity.issuer, claims["sub"])

    async def _verified(self, identity: IdentitySettings, token: str) -> Mapping[str, Any]:
        try:
            parts = jose.split(token)
        except ValueError as exc:
            raise problems.bad_identity(f"It is no compact ES256 JWT: {exc}.") from exc
        if parts.typ != _TYP:
            raise problems.bad_identity(f"Its header's typ must be {_TYP}.")
        key = identity.keys.get(parts.kid)
        if key is None:
            raise problems.bad_identity("Its kid is none of the site's keys in the settings.")
        if not await self._verifier.verify(key, parts.signed, parts.signature):
            raise problems.bad_identity("Its signature does not hold under the key of its kid.")
        return parts.payload


def _addressing_flaw(
    claims: Mapping[str, Any], site: SiteSettings, identity: IdentitySettings, keyid: str
) -> str | None:
    """Whether it is this site's word, for this gateway's site and this browser."""
    if claims.get("iss") != identity.issuer:
        return "iss is not the site's identity_issuer."
    if claims.get("aud") not in (site.key, [site.key]):
        return "aud is not the site key."
    cnf = claims.get("cnf")
    if not isinstance(cnf, dict) or cnf.get("jkt") != keyid:
        return "cnf.jkt is not the thumbprint of the browser's key."
    return None


def _time_flaw(claims: Mapping[str, Any], now: float) -> str | None:
    for name in ("exp", "iat", "nbf"):
        value = claims.get(name)
        if name == "nbf" and value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"{name} must be a number of seconds."
        if not math.isfinite(value):
            return f"{name} must be a number of seconds."
    if claims["exp"] <= now - SKEW_S:
        return "It has expired: exp is past."
    if claims["iat"] > now + SKEW_S:
        return "iat lies in the future: put the site's clock right."
    if claims.get("nbf", now) > now + SKEW_S:
        return "It does not hold yet: nbf lies in the future."
    if not 0 < claims["exp"] - claims["iat"] <= LONGEST_S:
        return f"exp must be at most {LONGEST_S} s after iat."
    return None


def _text_flaw(claims: Mapping[str, Any]) -> str | None:
    for name in ("sub", "jti"):
        value = claims.get(name)
        # Unprintable text would look like another's in a log or a list.
        if not isinstance(value, str) or not 0 < len(value) <= _MAX_TEXT or not value.isprintable():
            return f"{name} must be a text of 1 to {_MAX_TEXT} printable characters."
    return None
