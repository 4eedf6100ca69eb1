"""Who calls: the address that Cloudflare saw, where the gateway's limits look for it.

A Worker has no socket, so the ASGI scope comes without a client, and all visitors would share one
limit. Cloudflare sets `CF-Connecting-IP` itself on every request, and lets no visitor choose it.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send


class CallerAddressMiddleware:
    """Sets the scope's client from `CF-Connecting-IP`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] == "http":
            address = Headers(scope=scope).get("cf-connecting-ip")
            scope["client"] = (address, 0) if address else None
        await self._app(scope, receive, send)
