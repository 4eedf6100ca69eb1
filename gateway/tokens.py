"""Tokens that the gateway signs for itself: challenges, access tokens, receipts.

All are compact JWS under the gateway's own ES256 key, told apart by `typ`. A token of another type,
issuer or key, or past its `exp`, is refused with `ValueError`. Tokens that verified are remembered
for as long as they live, so that a session's calls pay for one verification.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from core import jose
from core.ports import Clock, Signer, Verifier

ACCESS = "fanlight-access+jwt"
CHALLENGE = "fanlight-challenge+jwt"
_REMEMBERED = 4_096


class Tokens:
    """Issues and reads the gateway's own tokens."""

    def __init__(self, signer: Signer, verifier: Verifier, clock: Clock, issuer: str) -> None:
        self._signer = signer
        self._verifier = verifier
        self._clock = clock
        self._issuer = issuer
        self._jwk = dict(signer.jwk)
        self.kid = jose.thumbprint(self._jwk)
        self._verified: OrderedDict[tuple[str, str], Mapping[str, Any]] = OrderedDict()

    async def sign(self, signed: bytes) -> str:
        """A compact JWS over a signing input made for this key."""
        return jose.join(signed, await self._signer.sign(signed))

    async def issue(self, typ: str, claims: Mapping[str, object], lifetime_s: int) -> str:
        """A token of this type with `iss`, `iat` and `exp` set."""
        now = int(self._clock())
        payload = {**claims, "iss": self._issuer, "iat": now, "exp": now + lifetime_s}
        return await self.sign(jose.signing_input(payload, self.kid, typ))

    async def read(self, typ: str, token: str) -> Mapping[str, Any]:
        """The claims of a valid token; raises `ValueError` saying what is wrong with it."""
        claims = self._verified.get((typ, token))
        if claims is None:
            claims = await self._verify(typ, token)
        if claims["exp"] <= self._clock():
            self._verified.pop((typ, token), None)
            raise ValueError("the token has expired")
        return claims

    async def _verify(self, typ: str, token: str) -> Mapping[str, Any]:
        parts = jose.split(token)
        if parts.typ != typ or parts.kid != self.kid:
            raise ValueError("the token is of another type or key")
        if not await self._verifier.verify(self._jwk, parts.signed, parts.signature):
            raise ValueError("the token's signature does not hold")
        if parts.payload.get("iss") != self._issuer:
            raise ValueError("the token is of another gateway")
        self._verified[(typ, token)] = parts.payload
        if len(self._verified) > _REMEMBERED:
            self._verified.popitem(last=False)
        return parts.payload
