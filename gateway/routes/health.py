"""`GET /health`: whether this gateway can answer, part by part; and its public keys."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Final, Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.encoding import timestamp
from core.errors import Unavailable
from core.ports import PublicKey
from gateway import __version__
from gateway.context import Services, Space
from gateway.escalation.outbox import OutboxWorker

LOOK_S: Final = 1.0
FULL: Final = 500 * 1024**2
LOW: Final = 5 * 1024**3
"""Bytes free: under the first nothing new can be promised, under the second somebody should look.
"""


def room(space: Space | None) -> Literal["ok", "low", "full"]:
    """How much room there is, without saying how much; where there is no disk, enough."""
    if space is None or space.free >= LOW:
        return "ok"
    return "low" if space.free >= FULL else "full"


class _Stores:
    """Whether truth and cache answer; looked at once a second, however often anybody asks."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._looked = -LOOK_S
        self._found: tuple[str, str] = ("ok", "ok")
        self._looking = asyncio.Lock()

    async def look(self) -> tuple[str, str]:
        """What holds for truth and cache."""
        async with self._looking:
            now = self._services.clock()
            if not 0 <= now - self._looked < LOOK_S:
                cache = self._services.cache
                truth, claimed = await asyncio.gather(
                    _answers(self._services.truth.ping()),
                    # What a signed call needs: to read alone would succeed where that does not.
                    _answers(cache.claim("health", LOOK_S)),
                )
                self._looked = now
                self._found = truth, claimed if cache.since <= now else "unavailable"
            return self._found


async def _answers(call: Awaitable[object]) -> Literal["ok", "unavailable"]:
    try:
        await call
    except Unavailable:
        return "unavailable"
    return "ok"


def published_key(key: PublicKey) -> dict[str, object]:
    """A key as a JWK; `retired_at` says since when it signs no more."""
    jwk: dict[str, object] = {**key.jwk, "kid": key.kid, "alg": "ES256", "use": "sig"}
    if key.retired_at is not None:
        jwk["retired_at"] = timestamp(key.retired_at)
    return jwk


def health_routes(services: Services, outbox: OutboxWorker | None) -> list[Route]:
    """The routes of this resource; `outbox` is None where another process delivers."""

    stores = _Stores(services)

    async def health(request: Request) -> Response:
        truth, cache = await stores.look()
        disk = room(services.disk())
        delivery = "elsewhere" if outbox is None else "ok" if outbox.healthy else "unavailable"
        well = truth == cache == "ok" and delivery != "unavailable" and disk != "full"
        document = {
            "status": "ok" if well else "degraded",
            "version": __version__,
            "truth": truth,
            "cache": cache,
            "delivery": delivery,
            "disk": disk,
            "model": "configured" if services.models else "none",
            "sites": len(services.knowledge),
        }
        status = 200 if well else 503
        return JSONResponse(document, status, headers={"cache-control": "no-store"})

    async def keys(request: Request) -> Response:
        document = {"keys": [published_key(key) for key in services.keys.published]}
        return JSONResponse(document, headers={"cache-control": "public, max-age=300"})

    return [
        Route("/health", health),
        Route("/.well-known/fanlight-keys.json", keys),
    ]
