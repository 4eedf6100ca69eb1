"""Challenges and sessions: proof of work, proof of the key, and a token of ten minutes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.encoding import b64url_encode
from core.jose import public_jwk, thumbprint
from core.revocation import LONGEST_SESSION_S
from core.scope import Scope, anonymous
from gateway import problems, wire
from gateway.bell import conversation_topic
from gateway.front import Front
from gateway.integrity import Caller
from gateway.middleware.integrity import IntegrityMiddleware, call_of
from gateway.quota import Standing, fields
from gateway.tokens import ACCESS, LONGEST_TOKEN_S

TOKEN_S = LONGEST_TOKEN_S


def address_of(request: Request) -> str:
    """The sender's address, as far as it is known."""
    return request.client.host if request.client else ""


class Sessions:
    """The endpoints over one front."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._services = front.services
        self._limits = front.services.settings.limits

    async def challenge(self, request: Request) -> Response:
        """`POST /v1/challenges`: a stateless challenge for one site and key."""
        body = await wire.read_json(request, wire.ChallengeBody, self._limits.body_bytes)
        standing = await self._limit_address(request)
        site = self._front.site(body.site_key)
        document = await self._front.challenges.make(
            site, body.thumbprint, address_of(request), without_turnstile=body.without is not None
        )
        return JSONResponse(document, headers=fields(standing))

    async def open(self, request: Request) -> Response:
        """`POST /v1/sessions`: a token for a key that the sender shows to have."""
        wire.check_media_type(request.headers.get("content-type", ""))
        raw = await wire.read_body(request, self._limits.body_bytes)
        standing = await self._limit_address(request)
        body = wire.parse(wire.SessionBody, raw)
        if body.consent.merge and body.identity_jwt is None:
            raise problems.invalid(
                "consent.merge",
                "There is nobody signed in to merge with.",
                "Send it together with identity_jwt, or leave it out.",
            )
        try:
            jwk = public_jwk(body.jwk.model_dump())
        except ValueError as exc:
            raise problems.invalid(
                "jwk", str(exc), "Send the public key as WebCrypto exports it."
            ) from exc
        await self._front.integrity.admit_new_key(call_of(request.scope, raw), jwk)
        site, keyid = self._front.site(body.site_key), thumbprint(jwk)
        await self._front.challenges.check(site, keyid, body.challenge, body.solution)
        # After the challenge, or the quota of all could be spent without any work.
        await self._front.integrity.limit_site(
            "session", site.key, self._limits.sessions_per_site_per_minute
        )
        scope, merged = anonymous(site.key, keyid), None
        if body.identity_jwt is not None:
            scope = await self._front.identities.vouched(site, body.identity_jwt, keyid)
            if body.consent.merge:
                merged = await self._merge(anonymous(site.key, keyid), scope)
        claims = {
            "aud": self._services.settings.public_url,
            "sid": b64url_encode(self._services.random(16)),
            "site": scope.site,
            "subject": scope.subject,
            "cnf": {"jkt": keyid, "jwk": jwk},
            "scope": "visitor" if body.identity_jwt is None else "user",
            "consent": body.consent.model_dump(exclude={"merge"}),
            "began": self._services.clock(),
        }
        await self._front.challenges.opened(site, address_of(request))
        return await self._issue(claims, 201, standing, merged=merged)

    async def renew(self, request: Request) -> Response:
        """`POST /v1/sessions/renew`: ten more minutes, and no more than twelve hours in all."""
        caller: Caller = request.state.caller
        wire.parse(wire.EmptyBody, request.state.call.body)
        kept = ("aud", "sid", "site", "subject", "cnf", "scope", "consent", "began")
        return await self._issue({name: caller.claims[name] for name in kept}, 200)

    async def revoke(self, request: Request) -> Response:
        """`POST /v1/sessions/revoke`: the visitor ends this session, before it runs out."""
        caller: Caller = request.state.caller
        wire.parse(wire.EmptyBody, request.state.call.body)
        await self._front.revocations.end(caller.sid)
        return JSONResponse({"revoked": True}, headers={"cache-control": "no-store"})

    async def _merge(self, before: Scope, into: Scope) -> Mapping[str, int]:
        """Make what this key's anonymous visitor has the signed-in one's; how many conversations.

        The key signed this call, so both are one browser; that both are one person is the
        visitor's word.
        """
        merged = await self._services.truth.subjects.merge(before, into)
        for place in merged.moved:
            self._services.bell.ring(conversation_topic(before.site, place))
        return {"conversations": len(merged.moved), "stayed": len(merged.stayed)}

    async def _limit_address(self, request: Request) -> Standing:
        return await self._front.integrity.limit_address(
            "session", address_of(request), self._limits.sessions_per_address_per_minute * 2
        )

    async def _issue(
        self,
        claims: Mapping[str, Any],
        status: int,
        *standings: Standing,
        merged: Mapping[str, int] | None = None,
    ) -> Response:
        unique = {**claims, "jti": b64url_encode(self._services.random(16))}
        left_s = int(claims["began"] + LONGEST_SESSION_S - self._services.clock())
        lifetime_s = min(TOKEN_S, left_s)
        token = await self._front.tokens.issue(ACCESS, unique, lifetime_s)
        document = {
            "access_token": token,
            "expires_in": lifetime_s,
            "subject": claims["subject"],
            "sid": claims["sid"],
            "quota": {"calls_per_minute": self._limits.session_per_minute},
        }
        if merged is not None:
            document["merged"] = merged
        told = fields(*standings) if standings else {}
        return JSONResponse(document, status, headers={"cache-control": "no-store", **told})


def session_routes(front: Front) -> list[Route]:
    """The routes of this resource."""
    sessions = Sessions(front)
    limit = front.services.settings.limits.body_bytes
    signed = [Middleware(IntegrityMiddleware, front.integrity, limit)]
    return [
        Route("/v1/challenges", sessions.challenge, methods=["POST"]),
        Route("/v1/sessions", sessions.open, methods=["POST"]),
        Route("/v1/sessions/renew", sessions.renew, methods=["POST"], middleware=signed),
        Route("/v1/sessions/revoke", sessions.revoke, methods=["POST"], middleware=signed),
    ]
