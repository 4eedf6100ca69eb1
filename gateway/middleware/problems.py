"""Turns errors into problem documents: the edge that must never fail.

Everything raised below becomes RFC 9457 here. After a response has begun nothing can be said any
more, and the error goes on to the server, which cuts the connection.
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import Problem
from gateway import problems

MEDIA_TYPE = "application/problem+json"


def respond(problem: Problem) -> JSONResponse:
    """The response for a problem."""
    headers = {"cache-control": "no-store", **problem.headers}
    return JSONResponse(problem.document(), problem.status, headers, media_type=MEDIA_TYPE)


def of_http(error: HTTPException) -> Problem:
    """The problem for what the router itself refuses."""
    if error.status_code == 405:
        return problems.method_not_allowed((error.headers or {}).get("Allow", ""))
    if error.status_code == 404:
        return problems.not_found("address")
    return Problem("refused", error.status_code, "Refused", str(error.detail))


class ProblemsMiddleware:
    """Wraps the whole app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

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
            problem = of_http(error) if isinstance(error, HTTPException) else problems.of(error)
            await respond(problem)(scope, receive, send)
