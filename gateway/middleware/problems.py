"""Turns errors into problem documents: the edge that must never fail.

Everything raised below becomes RFC 9457 here. After a response has begun nothing can be said any
more, and the error goes on to the server, which cuts the connection.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import Problem
from core.telemetry import REFUSALS, SILENT, Telemetry
from gateway import problems

MEDIA_TYPE = "application/problem+json"


def respond(problem: Problem) -> JSONResponse:
    """The response for a problem."""
    headers = {"cache-control": "no-store", **problem.headers}
    return JSONResponse(problem.document(), problem.status, headers, media_type=MEDIA_TYPE)


async def refused_by_router(request: Request, error: Exception) -> Response:
    """The response for what the router itself refuses: no such address, or another method."""
    headers = getattr(error, "headers", None) or {}
    if "Allow" in headers:
        return respond(problems.method_not_allowed(headers["Allow"]))
    return respond(problems.not_found("address"))


class ProblemsMiddleware:
    """Wraps the whole app."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry = SILENT) -> None:
        self._app = app
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watch)
        # The outermost edge: whatever else goes wrong is logged and told as `internal`.
        except Exception as error:
            if started:
                raise
            # A route that learnt which turn it is about has put it there.
            problem = problems.of(error, scope.get("state", {}).get("turn"))
            self._telemetry.count(REFUSALS, type=problem.name)
            await respond(problem)(scope, receive, send)
