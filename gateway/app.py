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
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.attendance import opens
from gateway.context import Services
from gateway.escalation.outbox import OutboxWorker
from gateway.front import Front, build_front
from gateway.knowledge.desk import Desk
from gateway.knowledge.following import Follower
from gateway.middleware.api_origins import ApiOriginsMiddleware
from gateway.middleware.headers import SecurityHeadersMiddleware
from gateway.middleware.origin import OwnOriginMiddleware
from gateway.middleware.problems import ProblemsMiddleware, refused_by_router
from gateway.middleware.telemetry import TelemetryMiddleware
from gateway.retention import Retention
from gateway.routes.bank import bank_routes
from gateway.routes.chat import chat_routes
from gateway.routes.commands import command_routes
from gateway.routes.completions import completion_routes
from gateway.routes.console_openapi import There, console_openapi_routes
from gateway.routes.documents import console_document_routes, document_routes
from gateway.routes.embed import embed_routes
from gateway.routes.escalations import escalation_routes
from gateway.routes.events import event_routes
from gateway.routes.figures import figure_routes
from gateway.routes.health import health_routes
from gateway.routes.knowledge import knowledge_routes
from gateway.routes.knowledge_tools import knowledge_tool_routes
from gateway.routes.metrics import metric_routes
from gateway.routes.openapi import openapi_routes
from gateway.routes.operator import operator_routes
from gateway.routes.personalities import personality_routes
from gateway.routes.preview import preview_routes
from gateway.routes.routing import routing_routes
from gateway.routes.sessions import session_routes
from gateway.routes.slack import slack_routes
from gateway.routes.subjects import subject_routes
from gateway.routes.usage import console_usage_routes, usage_routes
from gateway.settings import Settings
from gateway.shelf import Shelf

log = logging.getLogger("fanlight")

LAST_TURNS_S = 6.0
"""Longer than a delivery's and a turn's own last seconds."""

LAST_BILLS_S = 2.0
"""What the last turns cost is counted; what the store does not take then is given back later."""


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


def create_app(services: Services, *, outbox: bool = True, edits: bool = True) -> Starlette:
    """The gateway as an ASGI app; its lifespan runs the outbox.

    Without `outbox` the lifespan does nothing: for hosts that begin and end one with each request.
    Without a workshop among the services, or without `edits`, there is no knowledge desk.
    """
    settings = services.settings
    shelf = Shelf(services.knowledge, services.clock)
    front = build_front(services, shelf)
    desk = Desk(services, shelf, services.workshop) if edits and services.workshop else None
    worker = _outbox(services) if outbox else None
    follower = _follower(services, shelf, desk)
    retention = _retention(services)
    visitor = Router(
        [
            *_front_routes(front),
            *slack_routes(services),
            *health_routes(services, worker),
            *metric_routes(services),
            *openapi_routes(settings),
            *document_routes(services, shelf),
            *preview_routes(services, shelf),
        ]
    )
    operator = Router(_operator_routes(front, desk))
    visitor_app = OwnOriginMiddleware(visitor, settings.public_url)
    routes = [*visitor.routes, *operator.routes]
    app = Starlette(
        middleware=[
            Middleware(TelemetryMiddleware, services.telemetry, routes),
            Middleware(SecurityHeadersMiddleware, https=settings.public_url.startswith("https://")),
            *_api_origins(settings),
            Middleware(ProblemsMiddleware, services.telemetry),
        ],
        exception_handlers={HTTPException: refused_by_router},
        lifespan=(lambda _: _live(front, worker, desk, follower, retention)) if worker else None,
    )
    app.mount("/", ByHost(visitor_app, operator, settings.console_authority))
    return app


def _api_origins(settings: Settings) -> list[Middleware]:
    """Outside of problems, so that a page reads those too; none where no site names an origin."""
    origins = [origin for site in settings.sites for origin in site.api_origins]
    return [Middleware(ApiOriginsMiddleware, origins)] if origins else []


def _front_routes(front: Front) -> list[Route]:
    """What visitors, and a site's own server, are answered by."""
    return [
        *session_routes(front),
        *chat_routes(front),
        *completion_routes(front),
        *usage_routes(front),
        *escalation_routes(front),
        *event_routes(front),
        *subject_routes(front),
    ]


def _operator_routes(front: Front, desk: Desk | None) -> list[Route]:
    """What the console's origin has."""
    services = front.services
    return [
        *operator_routes(front, desk),
        *console_usage_routes(services, front.spending),
        *(_desk_routes(services, desk) if desk else ()),
        *embed_routes(services),
        *figure_routes(services),
        *routing_routes(front),
        *bank_routes(front),
        *_personality_routes(front),
        *_described(services, desk),
        *console_document_routes(services),
    ]


def _desk_routes(services: Services, desk: Desk) -> list[Route]:
    return [*knowledge_routes(services, desk), *knowledge_tool_routes(services, desk)]


def _personality_routes(front: Front) -> list[Route]:
    """How sites speak, where personalities are at hand."""
    spoken = front.personalities
    return [] if spoken is None else personality_routes(front, spoken)


def _described(services: Services, desk: Desk | None) -> list[Route]:
    """What is there only with its service, and the document that says so."""
    commands = services.commands
    return [
        *(command_routes(services, commands) if commands else ()),
        *console_openapi_routes(
            services.settings,
            There(desk is not None, commands is not None, services.personalities is not None),
        ),
    ]


def _follower(services: Services, shelf: Shelf, desk: Desk | None) -> Follower | None:
    """Where other processes may publish, this one follows."""
    if services.workshop is None or not services.settings.redis_url:
        return None
    told = desk.publisher.followed if desk else None
    return Follower(services, shelf, services.workshop, told)


def _retention(services: Services) -> Retention:
    return Retention(
        services.truth,
        services.cache,
        services.settings.retention,
        services.clock,
        services.telemetry,
    )


def _outbox(services: Services) -> OutboxWorker:
    return OutboxWorker(
        services.truth,
        services.targets,
        clock=services.clock,
        random=services.random,
        bell=services.bell,
        telemetry=services.telemetry,
        opens=opens(services.settings),
    )


@asynccontextmanager
async def _live(
    front: Front,
    worker: OutboxWorker,
    desk: Desk | None,
    follower: Follower | None,
    retention: Retention,
) -> AsyncIterator[None]:
    """Run the outbox; at the end let turns and deliveries under way finish before stores close."""
    delivering = asyncio.create_task(worker.run())
    aside = [asyncio.create_task(retention.run())]
    if front.learners is not None:
        aside.append(asyncio.create_task(front.learners.run()))
    if front.bank is not None:
        aside.append(asyncio.create_task(front.bank.run(front.services.bell)))
    if front.personalities is not None:
        await front.personalities.look_around()  # the first visitor hears what was chosen, too
        aside.append(asyncio.create_task(front.personalities.run()))
    if follower is not None:
        aside.append(asyncio.create_task(follower.run()))
    try:
        yield
    finally:
        front.services.bell.close()
        for one in aside:
            one.cancel()
        await asyncio.gather(*aside, return_exceptions=True)
        if desk is not None:
            await desk.close()
        _, late = await asyncio.wait({delivering, *front.running}, timeout=LAST_TURNS_S)
        for task in late:
            log.warning("stopping: cut off what was under way")
            task.cancel()
        await asyncio.gather(delivering, *late, return_exceptions=True)
        await front.spending.settled(LAST_BILLS_S)
