"""The Worker's entry: hands each request to the gateway's own app.

The app is built at the first request, since nothing may be read while a Worker is loaded. A start
that failed is tried again at the next request, and says what is missing.
"""

from __future__ import annotations

from typing import Any

from workers import Response, WorkerEntrypoint
from workers.asgi import fetch as serve

from core.errors import Unavailable
from edge.services import open_services
from gateway.app import create_app
from gateway.middleware.problems import MEDIA_TYPE

_apps: dict[str, Any] = {}


class Default(WorkerEntrypoint):
    """Answers the Worker's requests."""

    async def fetch(self, request: Any) -> Any:
        """One request in, one response out."""
        try:
            if "app" not in _apps:
                _apps["app"] = create_app(await open_services(self.env))
        except Unavailable as exc:
            document = {
                "type": "https://fanlight.dev/problems/not-configured",
                "title": "The Worker is not configured",
                "status": 503,
                "detail": str(exc),
            }
            return Response.json(document, status=503, headers={"content-type": MEDIA_TYPE})
        return await serve(_apps["app"], request, self.env, self.ctx)
