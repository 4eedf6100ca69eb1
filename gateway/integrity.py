"""Integrity: admits a signed call, or says which check it failed.

The checks run in the order of the wire contract, each with its own problem type: size (before this
module), address limit, freshness, token, signature and digest, whether the session was ended,
nonce, quota. It shows that a
request was not altered or replayed and whose quota it spends. It does not show a human.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from core.digest import content_digest
from core.errors import Problem, Unavailable
from core.jose import thumbprint
from core.ports import Cache, Clock, Verifier
from core.scope import Scope
from core.signatures import (
    MAX_LIFETIME_S,
    Message,
    SignatureError,
    SignedRequest,
    read_profile,
    signature_base,
)
from gateway import problems
from gateway.quota import Quotas, Standing
from gateway.revocation import Revocations
from gateway.settings import LimitSettings
from gateway.tokens import ACCESS, Tokens

SKEW_S = 5


@dataclass(frozen=True, slots=True)
class Call:
    """A request as integrity sees it; `fields` are lower-case and free of duplicates."""

    method: str
    path: str
    query: str
    fields: Mapping[str, str]
    body: bytes
    address: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent an admitted call."""

    scope: Scope
    sid: str
    keyid: str
    claims: Mapping[str, Any]
    standings: tuple[Standing, ...] = ()


@lru_cache(maxsize=16_384)
def address_prefix(address: str) -> str:
    """What one household or phone has: the IPv4 address, or the first 64 bits of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped or ipaddress.ip_network((parsed, 64), strict=False).network_address)
    return str(parsed)


class Integrity:
    """The checks over one gateway's cache, keys and clock."""

    def __init__(
        self,
        *,
        tokens: Tokens,
        verifier: Verifier,
        cache: Cache,
        clock: Clock,
        authority: str,
        limits: LimitSettings,
        revocations: Revocations,
    ) -> None:
        self._tokens = tokens
        self._verifier = verifier
        self._cache = cache
        self._quotas = Quotas(cache)
        self._clock = clock
        self._authority = authority
        self._limits = limits
        self._revocations = revocations

    async def admit(self, call: Call) -> Caller:
        """Admit a call under an access token; raises `Problem`."""
        limits = self._limits
        by_address = await self.limit_address("call", call.address, limits.address_per_minute)
        signed = self._fresh(call, opens_session=False)
        claims = await self._token(call, signed)
        await self._check_signature(call, signed, claims["cnf"]["jwk"])
        scope = Scope(claims["site"], claims["subject"])
        await self._revocations.check(scope, claims["sid"], claims["began"])
        await self._use_nonce(signed)
        standings = (
            by_address,
            await self._quotas.spend("session", claims["sid"], limits.session_per_minute),
            await self._quotas.spend("subject", _name(scope), limits.subject_per_minute),
        )
        # What is left of the whole site's is nobody's business but in a refusal.
        await self._quotas.spend("site", scope.site, limits.site_per_minute)
        return Caller(scope, claims["sid"], signed.keyid, claims, standings)

    async def admit_new_key(self, call: Call, jwk: Mapping[str, str]) -> str:
        """Admit the call that opens a session: it proves that the sender has `jwk`'s key.

        Returns the key's thumbprint; raises `Problem`.
        """
        signed = self._fresh(call, opens_session=True)
        if signed.keyid != thumbprint(dict(jwk)):
            raise problems.bad_signature("keyid is not the thumbprint of jwk.")
        await self._check_signature(call, signed, jwk)
        await self._use_nonce(signed)
        return signed.keyid

    async def limit_address(self, what: str, address: str, per_minute: int) -> Standing:
        """Count one event of an address prefix; raises `Problem` over the limit."""
        whose = f"{what}:{address_prefix(address)}"
        return await self._quotas.spend("address", whose, per_minute)

    async def limit_site(self, what: str, site: str, per_minute: int) -> Standing:
        """Count one event of a site; raises `Problem` over the limit."""
        return await self._quotas.spend("site", f"{what}:{site}", per_minute)

    def _fresh(self, call: Call, *, opens_session: bool) -> SignedRequest:
        try:
            signed = read_profile(call.fields, opens_session=opens_session)
        except SignatureError as exc:
            raise problems.bad_signature(f"{exc}.") from exc
        if self._cache.since > self._clock():
            raise Unavailable("What was signed a moment ago cannot be told from what is new.")
        flaw = self._staleness(signed)
        if flaw is not None:
            raise problems.stale(flaw, self._clock())
        return signed

    def _staleness(self, signed: SignedRequest) -> str | None:
        now = self._clock()
        if not 0 < signed.expires - signed.created <= MAX_LIFETIME_S:
            return f"expires must be at most {MAX_LIFETIME_S} s after created."
        if signed.created > now + SKEW_S:
            return "created lies in the future."
        if signed.expires <= now:
            return "The signature has expired."
        if signed.created < self._cache.since:
            return "created lies before this gateway began."
        return None

    async def _token(self, call: Call, signed: SignedRequest) -> Mapping[str, Any]:
        scheme, _, token = call.fields.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise problems.unauthorised("Authorization must be a Bearer token.")
        try:
            claims = await self._tokens.read(ACCESS, token)
        except ValueError as exc:
            raise problems.unauthorised(f"The access token is not valid: {exc}.") from exc
        if claims["cnf"]["jkt"] != signed.keyid:
            raise problems.bad_signature("The token was issued to another key.")
        return claims

    async def _check_signature(
        self, call: Call, signed: SignedRequest, jwk: Mapping[str, str]
    ) -> None:
        if call.fields.get("content-digest") != content_digest(call.body):
            raise problems.bad_signature("Content-Digest is not that of the body.")
        message = Message(call.method, self._authority, call.path, call.query, call.fields)
        try:
            base = signature_base(signed.covered, message)
        except SignatureError as exc:  # a line break in a field, which not every server refuses
            raise problems.bad_signature(f"{exc}.") from exc
        if not await self._verifier.verify(jwk, base, signed.signature):
            raise problems.bad_signature("The signature is not this key's over this request.")

    async def _use_nonce(self, signed: SignedRequest) -> None:
        ttl_s = signed.expires - self._clock() + 1
        if not await self._cache.claim(f"nonce:{signed.keyid}:{signed.nonce}", ttl_s):
            raise problems.replayed()
        # The claim may have been how the cache learned that it has forgotten.
        if signed.created < self._cache.since:
            raise problems.stale("created lies before this gateway began.", self._clock())


def _name(scope: Scope) -> str:
    return f"{scope.site}:{scope.subject}"


def unique_fields(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Header fields by lower-case name; raises `Problem` where one that matters came twice."""
    fields: dict[str, str] = {}
    for name_bytes, value in raw:
        name = name_bytes.decode("latin-1").lower()
        if name in fields and name in _SINGLE:
            raise _twice(name)
        fields[name] = value.decode("latin-1")
    return fields


_SINGLE = frozenset(
    (
        "authorization",
        "content-digest",
        "content-type",
        "host",
        "idempotency-key",
        "origin",
        "signature",
        "signature-input",
        "x-integrity",
    )
)


def _twice(name: str) -> Problem:
    return problems.bad_signature(f"The field {name} came twice.")
