"""Lets the pages of some origins use OpenAI's dialect with a site's API key (CORS).

Decides which calls from another origin go on: those to the API's own paths, from an origin that
some site names exactly. Whether it is the site of the key is for the route to say. It never sends
credentials, and grants nothing to an origin that nobody named.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATHS: Final = frozenset({"/v1/chat/completions", "/v1/models"})
METHODS: Final = "GET, POST"
FIELDS: Final = ("authorization", "content-type", "accept")
CLIENTS: Final = "x-stainless-"
"""OpenAI's own client says with such fields what it is."""
SECONDS: Final = "600"


class ApiOriginsMiddleware:
    """Wraps the app; `origins` are those of all sites. What it lets through has `api_origin`."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._app = app
        self._origins = frozenset(each.lower().encode("latin-1") for each in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http" or scope["path"] not in PATHS:
            await self._app(scope, receive, send)
            return
        told = [value for name, value in scope["headers"] if name == b"origin"]
        known = len(told) == 1 and told[0].lower() in self._origins
        allowed = [(b"vary", b"origin")]
        if known:
            allowed.append((b"access-control-allow-origin", told[0]))
            scope.setdefault("state", {})["api_origin"] = told[0].decode("latin-1").lower()

        async def send_allowed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", []).extend(allowed)
            await send(message)

        if known and scope["method"] == "OPTIONS":
            await _preflight(scope)(scope, receive, send_allowed)
        else:
            await self._app(scope, receive, send_allowed)


def _preflight(scope: Scope) -> Response:
    asked = b",".join(
        value for name, value in scope["headers"] if name == b"access-control-request-headers"
    )
    names = [each.strip() for each in asked.decode("latin-1").lower().split(",")]
    more = [each for each in names if each.startswith(CLIENTS) and each.replace("-", "").isalnum()]
    return Response(
        status_code=204,
        headers={
            "access-control-allow-methods": METHODS,
            "access-control-allow-headers": ", ".join((*FIELDS, *more)),
            "access-control-max-age": SECONDS,
        },
    )
