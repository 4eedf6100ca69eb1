"""`GET /health`: whether this gateway can answer, part by part; and its public keys."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.errors import Unavailable
from gateway import __version__
from gateway.context import Services
from gateway.escalation.outbox import OutboxWorker


def health_routes(services: Services, outbox: OutboxWorker | None) -> list[Route]:
    """The routes of this resource; `outbox` is None where another process delivers."""

    async def health(request: Request) -> Response:
        try:
            await services.truth.ping()
            truth = "ok"
        except Unavailable:
            truth = "unavailable"
        delivery = "elsewhere" if outbox is None else "ok" if outbox.healthy else "unavailable"
        well = truth == "ok" and delivery != "unavailable"
        document = {
            "status": "ok" if well else "degraded",
            "version": __version__,
            "truth": truth,
            "delivery": delivery,
            "model": "configured" if services.transport else "none",
            "sites": len(services.knowledge),
        }
        status = 200 if well else 503
        return JSONResponse(document, status, headers={"cache-control": "no-store"})

    async def keys(request: Request) -> Response:
        key = {**services.signer.jwk, "kid": services.kid, "alg": "ES256", "use": "sig"}
        return JSONResponse({"keys": [key]}, headers={"cache-control": "public, max-age=300"})

    return [
        Route("/health", health),
        Route("/.well-known/fanlight-keys.json", keys),
    ]
