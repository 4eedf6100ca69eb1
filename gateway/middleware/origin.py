"""Refuses a browser's call from any origin but the one it is served on.

An `Origin` that is absent is let through: clients that are no browser send none, and their calls
are signed all the same.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway import problems


class OwnOriginMiddleware:
    """Lets calls of `origin`'s own pages through."""

    def __init__(self, app: ASGIApp, origin: str) -> None:
        self._app = app
        self._origin = origin.lower().rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] == "http" and scope["path"].startswith("/v1/"):
            origin = Headers(scope=scope).get("origin")
            if origin is not None and origin.lower() != self._origin:
                raise problems.wrong_origin(origin)
        await self._app(scope, receive, send)
