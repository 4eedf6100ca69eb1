"""Tokens that the gateway signs for itself: challenges, access tokens, receipts.

All are compact JWS under the gateway's own ES256 keys, told apart by `typ`. A token of another type
or issuer, of no key of this gateway, of one that was retired too long ago, past its `exp`, or that
claims a longer life than any is given, is refused with `ValueError`. Tokens that verified are
remembered for as long as they live, so that a session's calls pay for one verification.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Final

from core import jose
from core.ports import Clock, KeyRing, PublicKey, Verifier

ACCESS = "fanlight-access+jwt"
CHALLENGE = "fanlight-challenge+jwt"

LONGEST_TOKEN_S: Final = 600
"""No token lives longer than this."""

SKEW_S: Final = 60
"""For processes that learn of a new key late, and for clocks that differ."""

GRACE_S: Final = LONGEST_TOKEN_S + SKEW_S
"""A retired key's tokens are read for as long as any lives."""

_REMEMBERED = 4_096


class Tokens:
    """Issues and reads the gateway's own tokens."""

    def __init__(self, keys: KeyRing, verifier: Verifier, clock: Clock, issuer: str) -> None:
        self._keys = keys
        self._verifier = verifier
        self._clock = clock
        self._issuer = issuer
        self._verified: OrderedDict[tuple[str, str], tuple[str, Mapping[str, Any]]] = OrderedDict()

    async def sign(self, signing_input: Callable[[str], bytes]) -> str:
        """A compact JWS under the key that signs now; `signing_input` is told its `kid`."""
        kid, signer = self._keys.signing
        signed = signing_input(kid)
        return jose.join(signed, await signer.sign(signed))

    async def issue(self, typ: str, claims: Mapping[str, object], lifetime_s: int) -> str:
        """A token of this type with `iss`, `iat` and `exp` set.

        Raises `ValueError` when it is to live longer than the grace of retired keys allows for.
        """
        if lifetime_s > LONGEST_TOKEN_S:
            raise ValueError(f"a token lives {LONGEST_TOKEN_S} s at most")
        now = int(self._clock())
        payload = {**claims, "iss": self._issuer, "iat": now, "exp": now + lifetime_s}
        return await self.sign(lambda kid: jose.signing_input(payload, kid, typ))

    async def read(self, typ: str, token: str) -> Mapping[str, Any]:
        """The claims of a valid token; raises `ValueError` saying what is wrong with it."""
        kid, claims = self._verified.get((typ, token)) or await self._verify(typ, token)
        if claims["exp"] <= self._clock():
            self._verified.pop((typ, token), None)
            raise ValueError("the token has expired")
        self._key(kid)
        return claims

    def _key(self, kid: str) -> PublicKey:
        key = self._keys.find(kid)
        if key is None:
            raise ValueError("the token is of another type or key")
        if key.tokens_until is not None and key.tokens_until <= self._clock():
            raise ValueError("the token is of a key that was retired")
        return key

    def _check_life(self, claims: Mapping[str, Any]) -> None:
        """Raise `ValueError` for a life that no gateway gives: whoever has a key can write any."""
        begins, ends = claims.get("iat"), claims.get("exp")
        if not isinstance(begins, int) or not isinstance(ends, int):
            raise ValueError("the token does not say how long it lives")
        if ends - begins > LONGEST_TOKEN_S or begins > self._clock() + SKEW_S:
            raise ValueError("the token lives longer than any that is issued")

    async def _verify(self, typ: str, token: str) -> tuple[str, Mapping[str, Any]]:
        parts = jose.split(token)
        if parts.typ != typ:
            raise ValueError("the token is of another type or key")
        key = self._key(parts.kid)
        if not await self._verifier.verify(key.jwk, parts.signed, parts.signature):
            raise ValueError("the token's signature does not hold")
        if parts.payload.get("iss") != self._issuer:
            raise ValueError("the token is of another gateway")
        self._check_life(parts.payload)
        self._verified[(typ, token)] = parts.kid, parts.payload
        if len(self._verified) > _REMEMBERED:
            self._verified.popitem(last=False)
        return parts.kid, parts.payload
