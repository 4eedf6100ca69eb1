"""Challenges and sessions: proof of work, proof of the key, and a token of ten minutes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.encoding import b64url_encode, timestamp
from core.jose import public_jwk, thumbprint
from core.pow import is_solution
from core.scope import anonymous
from gateway import problems, wire
from gateway.front import Front
from gateway.integrity import Caller
from gateway.middleware.integrity import IntegrityMiddleware, call_of
from gateway.tokens import ACCESS, CHALLENGE

CHALLENGE_S = 120
TOKEN_S = 600
LONGEST_S = 12 * 3600


class Sessions:
    """The endpoints over one front."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._services = front.services
        self._limits = front.services.settings.limits

    async def challenge(self, request: Request) -> Response:
        """`POST /v1/challenges`: a stateless challenge for one site and key."""
        body = await wire.read_json(request, wire.ChallengeBody, self._limits.body_bytes)
        await self._limit_address(request)
        self._front.site(body.site_key)
        claims = {
            "site": body.site_key,
            "jkt": body.thumbprint,
            "difficulty": self._limits.pow_difficulty,
            "jti": b64url_encode(self._services.random(16)),
        }
        token = await self._front.tokens.issue(CHALLENGE, claims, CHALLENGE_S)
        document = {
            "challenge": token,
            "kind": "pow",
            "difficulty": self._limits.pow_difficulty,
            "expires_at": timestamp(self._services.clock() + CHALLENGE_S),
        }
        return JSONResponse(document)

    async def open(self, request: Request) -> Response:
        """`POST /v1/sessions`: a token for a key that the sender shows to have."""
        wire.check_media_type(request.headers.get("content-type", ""))
        raw = await wire.read_body(request, self._limits.body_bytes)
        await self._limit_address(request)
        body = wire.parse(wire.SessionBody, raw)
        try:
            jwk = public_jwk(body.jwk.model_dump())
        except ValueError as exc:
            raise problems.invalid(
                "jwk", str(exc), "Send the public key as WebCrypto exports it."
            ) from exc
        await self._front.integrity.admit_new_key(call_of(request.scope, raw), jwk)
        self._front.site(body.site_key)
        await self._check_challenge(body, thumbprint(jwk))
        scope = anonymous(body.site_key, thumbprint(jwk))
        claims = {
            "aud": self._services.settings.public_url,
            "sid": b64url_encode(self._services.random(16)),
            "site": scope.site,
            "subject": scope.subject,
            "cnf": {"jkt": thumbprint(jwk), "jwk": jwk},
            "scope": "visitor",
            "consent": body.consent.model_dump(),
            "began": int(self._services.clock()),
        }
        return await self._issue(claims, status=201)

    async def renew(self, request: Request) -> Response:
        """`POST /v1/sessions/renew`: ten more minutes, and no more than twelve hours in all."""
        caller: Caller = request.state.caller
        wire.parse(wire.EmptyBody, request.state.call.body)
        kept = ("aud", "sid", "site", "subject", "cnf", "scope", "consent", "began")
        return await self._issue({name: caller.claims[name] for name in kept}, status=200)

    async def _limit_address(self, request: Request) -> None:
        address = request.client.host if request.client else ""
        await self._front.integrity.limit_address(
            "session", address, self._limits.sessions_per_address_per_minute * 2
        )

    async def _check_challenge(self, body: wire.SessionBody, jkt: str) -> None:
        try:
            claims = await self._front.tokens.read(CHALLENGE, body.challenge)
        except ValueError as exc:
            raise problems.bad_challenge(f"{exc}.") from exc
        if claims["site"] != body.site_key or claims["jkt"] != jkt:
            raise problems.bad_challenge("The challenge is for another site or key.")
        if not is_solution(body.challenge, body.solution, claims["difficulty"]):
            raise problems.bad_challenge("The solution does not solve it.")
        if not await self._services.cache.claim(f"challenge:{claims['jti']}", CHALLENGE_S + 1):
            raise problems.bad_challenge("The challenge has been used.")

    async def _issue(self, claims: Mapping[str, Any], status: int) -> Response:
        unique = {**claims, "jti": b64url_encode(self._services.random(16))}
        left_s = int(claims["began"] + LONGEST_S - self._services.clock())
        lifetime_s = min(TOKEN_S, left_s)
        token = await self._front.tokens.issue(ACCESS, unique, lifetime_s)
        document = {
            "access_token": token,
            "expires_in": lifetime_s,
            "subject": claims["subject"],
            "sid": claims["sid"],
            "quota": {"calls_per_minute": self._limits.session_per_minute},
        }
        return JSONResponse(document, status, headers={"cache-control": "no-store"})


def session_routes(front: Front) -> list[Route]:
    """The routes of this resource."""
    sessions = Sessions(front)
    limit = front.services.settings.limits.body_bytes
    signed = [Middleware(IntegrityMiddleware, front.integrity, limit)]
    return [
        Route("/v1/challenges", sessions.challenge, methods=["POST"]),
        Route("/v1/sessions", sessions.open, methods=["POST"]),
        Route("/v1/sessions/renew", sessions.renew, methods=["POST"], middleware=signed),
    ]
