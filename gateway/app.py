"""The app: routes and middleware over services that it is given.

Two origins live in one process: the gateway's, for visitors, and the console's, for operators. A
request reaches the console only under the console's own host, so that a flaw in the panel makes
nobody an operator.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.context import Services
from gateway.escalation.outbox import OutboxWorker
from gateway.front import Front, build_front
from gateway.middleware.headers import SecurityHeadersMiddleware
from gateway.middleware.origin import OwnOriginMiddleware
from gateway.middleware.problems import ProblemsMiddleware, refused_by_router
from gateway.routes.chat import chat_routes
from gateway.routes.documents import console_document_routes, document_routes
from gateway.routes.escalations import escalation_routes
from gateway.routes.events import event_routes
from gateway.routes.health import health_routes
from gateway.routes.openapi import openapi_routes
from gateway.routes.operator import operator_routes
from gateway.routes.sessions import session_routes

log = logging.getLogger("fanlight")

LAST_TURNS_S = 6.0
"""Longer than a delivery's and a turn's own last seconds."""


class ByHost:
    """Sends a request to the console when it was asked for under the console's host."""

    def __init__(self, app: ASGIApp, console: ASGIApp, authority: str) -> None:
        self._app = app
        self._console = console
        self._authority = authority

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        is_http = scope["type"] == "http"
        at_console = is_http and Headers(scope=scope).get("host", "").lower() == self._authority
        await (self._console if at_console else self._app)(scope, receive, send)


def create_app(services: Services, *, outbox: bool = True) -> Starlette:
    """The gateway as an ASGI app; its lifespan runs the outbox.

    Without `outbox` the lifespan does nothing: for hosts that begin and end one with each request.
    """
    settings = services.settings
    front = build_front(services)
    worker = _outbox(services) if outbox else None
    visitor = Router(
        [
            *session_routes(front),
            *chat_routes(front),
            *escalation_routes(front),
            *event_routes(front),
            *health_routes(services, worker),
            *openapi_routes(settings),
            *document_routes(services),
        ]
    )
    operator = Router([*operator_routes(services), *console_document_routes(services)])
    visitor_app = OwnOriginMiddleware(visitor, settings.public_url)
    app = Starlette(
        middleware=[
            Middleware(SecurityHeadersMiddleware, https=settings.public_url.startswith("https://")),
            Middleware(ProblemsMiddleware),
        ],
        exception_handlers={HTTPException: refused_by_router},
        lifespan=(lambda _: _live(front, worker)) if worker else None,
    )
    app.mount("/", ByHost(visitor_app, operator, settings.console_authority))
    return app


def _outbox(services: Services) -> OutboxWorker:
    return OutboxWorker(
        services.truth,
        services.targets,
        clock=services.clock,
        random=services.random,
        bell=services.bell,
    )


@asynccontextmanager
async def _live(front: Front, worker: OutboxWorker) -> AsyncIterator[None]:
    """Run the outbox; at the end let turns and deliveries under way finish before stores close."""
    delivering = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        front.services.bell.close()
        _, late = await asyncio.wait({delivering, *front.running}, timeout=LAST_TURNS_S)
        for task in late:
            log.warning("stopping: cut off what was under way")
            task.cancel()
        await asyncio.gather(delivering, *late, return_exceptions=True)
