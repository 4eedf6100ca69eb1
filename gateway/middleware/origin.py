"""Refuses a browser's call from any origin but the one it is served on.

An `Origin` that is absent is let through: clients that are no browser send none, and their calls
are signed all the same. So is one that `ApiOriginsMiddleware` has let through.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway import problems


class OwnOriginMiddleware:
    """Lets calls of `origin`'s own pages through."""

    def __init__(self, app: ASGIApp, origin: str) -> None:
        self._app = app
        self._origin = origin.lower().rstrip("/").encode("latin-1")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        shared = "api_origin" in scope.get("state", {})
        if scope["type"] == "http" and not shared and scope["path"].startswith("/v1/"):
            # Servers give names in lower case. Each such field must be right, not one of them.
            for name, value in scope["headers"]:
                if name == b"origin" and value.lower() != self._origin:
                    raise problems.wrong_origin(value.decode("latin-1"))
        await self._app(scope, receive, send)
