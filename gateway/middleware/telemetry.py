"""Counts and times every request, by the route that it matched.

Decides how a request is named: by its route's template, never by its path, which holds ids and
would make as many names as there are visitors. What matches no route is `other`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from time import perf_counter
from typing import Final

from starlette.datastructures import Headers
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.telemetry import REQUESTS, RESPONSE, STREAMS, Telemetry

OTHER: Final = "other"
_PATHS: Final = 1_024
METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"})
_TRACEPARENT: Final = re.compile("00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
"""W3C Trace Context, version 0; what is anything else begins a trace of its own."""
_STREAM: Final = b"text/event-stream"


class TelemetryMiddleware:
    """Wraps the whole app; `routes` are all that it has."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry, routes: Iterable[BaseRoute]) -> None:
        self._app = app
        self._telemetry = telemetry
        plain = (route for route in routes if isinstance(route, Route))
        self._routes = [(route.path_regex, route.path) for route in plain]
        self._route = lru_cache(_PATHS)(self._matched)
        self._streams = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        route = self._route(scope["path"])
        method = scope["method"] if scope["method"] in METHODS else OTHER
        began, status, streams = perf_counter(), "none", False

        async def watch(message: Message) -> None:
            nonlocal status, streams
            if message["type"] == "http.response.start":
                status = str(message["status"])
                self._telemetry.observe(RESPONSE, perf_counter() - began, route=route)
                kind = dict(message.get("headers", ())).get(b"content-type", b"")
                streams = kind.startswith(_STREAM)
                self._opened(1 if streams else 0)
            await send(message)

        parent = Headers(scope=scope).get("traceparent", "")
        known = parent if _TRACEPARENT.fullmatch(parent) else None
        try:
            with self._telemetry.span(f"{method} {route}", parent=known, route=route):
                await self._app(scope, receive, watch)
        finally:
            self._opened(-1 if streams else 0)
            self._telemetry.count(REQUESTS, route=route, method=method, status=status)

    def _matched(self, path: str) -> str:
        return next((name for regex, name in self._routes if regex.match(path)), OTHER)

    def _opened(self, more: int) -> None:
        if more:
            self._streams += more
            self._telemetry.hold(STREAMS, self._streams)
