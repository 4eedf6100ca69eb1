"""`GET /metrics`: the figures of this process, for Prometheus and whoever else has the token.

Decides who may read them: nobody where no token is set. What is in the outbox and how full the disk
is are looked at when they are asked for, at most every ten seconds.
"""

from __future__ import annotations

import hmac
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.errors import Unavailable
from core.telemetry import DISK, OUTBOX, OUTBOX_AGE
from core.truth import WAITING
from gateway import problems
from gateway.context import Services

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
LOOK_S: Final = 10.0


class Metrics:
    """The endpoint over one gateway's services."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._looked = 0.0

    async def metrics(self, request: Request) -> Response:
        """`GET /metrics`."""
        token = self._services.settings.telemetry.metrics_token.reveal()
        given = request.headers.get("authorization", "").partition(" ")[2]
        if not token or not hmac.compare_digest(given.encode(), token.encode()):
            raise problems.not_found("address")
        await self._look()
        figures = self._services.telemetry.exposition()
        return Response(figures, media_type=MEDIA_TYPE, headers={"cache-control": "no-store"})

    async def _look(self) -> None:
        now = self._services.clock()
        if now - self._looked < LOOK_S:
            return
        self._looked = now
        telemetry = self._services.telemetry
        space = self._services.disk()
        if space is not None:
            telemetry.hold(DISK, space.free / max(1, space.total))
        try:
            backlog = await self._services.truth.backlog()
        except Unavailable:
            return  # the last figures stand; `/health` says that the truth is down
        for state in WAITING:
            telemetry.hold(OUTBOX, backlog.states.get(state, 0), state=state)
        due = backlog.oldest_due
        telemetry.hold(OUTBOX_AGE, max(0.0, now - due) if due is not None else 0.0)


def metric_routes(services: Services) -> list[Route]:
    """The route of this resource."""
    return [Route("/metrics", Metrics(services).metrics, methods=["GET"])]
