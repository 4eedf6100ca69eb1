"""The Worker's entry: hands each request to the gateway's own app.

The app is built at the first request, since nothing may be read while a Worker is loaded. A start
that failed is tried again at the next request, and says what is missing.
"""

from __future__ import annotations

from typing import Any

from starlette.types import ASGIApp
from workers import Response, WorkerEntrypoint
from workers.asgi import fetch as serve

from core.errors import Problem, Unavailable
from edge.address import CallerAddressMiddleware
from edge.services import open_services
from gateway.app import create_app
from gateway.configuration import ConfigurationError
from gateway.middleware.problems import MEDIA_TYPE

_apps: dict[str, ASGIApp] = {}
"""The app of this isolate, once it could be built."""


class Default(WorkerEntrypoint):  # type: ignore[misc]  # the platform's class has no types here
    """Answers the Worker's requests."""

    async def fetch(self, request: Any) -> Any:
        """One request in, one response out."""
        try:
            app = _apps.get("app") or await _open(self.env)
        except (ConfigurationError, Unavailable) as exc:
            return _refusal(exc)
        return await serve(app, request, self.env, self.ctx)


async def _open(env: object) -> ASGIApp:
    # The platform begins and ends a lifespan with each request, so no outbox can live in one.
    app = create_app(await open_services(env), outbox=False)
    # Requests that came meanwhile have opened their own. The first one stays, as it may already
    # hold a session; waiting for one another is what a Worker's requests may not do.
    return _apps.setdefault("app", CallerAddressMiddleware(app))


def _refusal(exc: ConfigurationError | Unavailable) -> Any:
    problem = Problem("not-configured", 503, "The Worker cannot start", str(exc))
    headers = {"content-type": MEDIA_TYPE, "cache-control": "no-store"}
    return Response.json(problem.document(), status=problem.status, headers=headers)
