"""Who is an operator: log-in by the one token, the cookie, and the proof that a change is meant.

It decides whether a request comes from a logged-in operator's own console. It refuses requests of
another origin, changes without the session's `X-CSRF-Token`, and more tries at logging in than
the settings allow one address in a minute. It never tells a wrong token from a missing one by
how long it takes, and keeps no cookie: the cache knows sessions by a hash of it and of the operator
token, so that none outlives that token.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import asdict, dataclass

from starlette.requests import Request
from starlette.responses import Response

from core.digest import sha256_hex
from core.encoding import b64url_encode
from gateway import problems
from gateway.context import Services
from gateway.integrity import address_prefix

COOKIE = "__Host-fanlight_operator"
CSRF_HEADER = "x-csrf-token"
SESSION_S = 12 * 3600
OPERATOR = "operator"
"""The one identity there is while there is one token."""


@dataclass(frozen=True, slots=True)
class OperatorSession:
    """A logged-in operator and the token that each change must carry."""

    operator: str
    csrf: str


class OperatorSessions:
    """The operators' sessions of one gateway."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._cache = services.cache

    async def log_in(self, token: str) -> str:
        """The value of a new session's cookie; raises `Problem` for a wrong token."""
        expected = self._services.settings.operator_token.reveal()
        if not expected or not hmac.compare_digest(_digest(token), _digest(expected)):
            raise problems.unauthorised("This is not the operator token.")
        value = b64url_encode(self._services.random(32))
        session = OperatorSession(OPERATOR, b64url_encode(self._services.random(16)))
        await self._cache.put(self._key(value), json.dumps(asdict(session)), SESSION_S)
        return value

    async def limit_tries(self, request: Request) -> None:
        """Count a try to log in; raises `Problem` when this address has had its share."""
        address = address_prefix(request.client.host if request.client else "")
        tries, left_s = await self._cache.count(f"operator_log_in:{address}", 60)
        if tries > self._services.settings.limits.login_tries_per_minute:
            raise problems.too_many(left_s)

    async def log_out(self, request: Request) -> None:
        """End the request's session."""
        # The cache has no delete: an empty value means that nobody is logged in.
        await self._cache.put(self._key(request.cookies[COOKIE]), "", SESSION_S)

    async def find(self, cookie: str | None) -> OperatorSession | None:
        """The session that this cookie stands for."""
        stored = await self._cache.get(self._key(cookie)) if cookie else None
        return OperatorSession(**json.loads(stored)) if stored else None

    async def reader(self, request: Request) -> OperatorSession:
        """The session of a request that reads; raises `Problem` where there is none."""
        self.check_origin(request)
        session = await self.find(request.cookies.get(COOKIE))
        if session is None:
            raise problems.unauthorised("Log in with the operator token.")
        return session

    async def writer(self, request: Request) -> OperatorSession:
        """The session of a request that changes something, which must carry its CSRF token."""
        session = await self.reader(request)
        given = request.headers.get(CSRF_HEADER, "")
        if not hmac.compare_digest(given.encode(), session.csrf.encode()):
            raise problems.forbidden("csrf", "X-CSRF-Token is not this session's token.")
        return session

    def check_origin(self, request: Request) -> None:
        """Raise `Problem` when the browser names another origin than the console's own."""
        origin = request.headers.get("origin")
        own = self._services.settings.console_url.rstrip("/").lower()
        if origin is not None and origin.lower() != own:
            raise problems.wrong_origin(origin)

    def _key(self, cookie: str) -> str:
        # Under the token that it was opened with: whoever changes that ends every session.
        token = self._services.settings.operator_token.reveal()
        return f"operator:{sha256_hex(_digest(token) + _digest(cookie))}"


def set_cookie(response: Response, value: str) -> None:
    """Give the browser its session; no script can read it and no other site can send it."""
    response.set_cookie(
        COOKIE,
        value,
        max_age=SESSION_S,
        path="/",
        secure=True,
        httponly=True,
        samesite="strict",
    )


def clear_cookie(response: Response) -> None:
    """Take the session back from the browser."""
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")


def _digest(text: str) -> bytes:
    # Of equal length whatever was sent, so that the comparison tells nothing of the length.
    return sha256_hex(text.encode("utf-8", "surrogatepass")).encode("ascii")
