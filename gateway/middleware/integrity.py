"""Admits signed calls only, and puts the caller and the call into the request's state."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.integrity import Call, Integrity, unique_fields
from gateway.wire import receive_body


def call_of(scope: Scope, body: bytes) -> Call:
    """The request as integrity sees it: the path and query exactly as they were sent."""
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
    client = scope.get("client")
    return Call(
        method=scope["method"],
        path=raw_path.partition(b"?")[0].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        fields=unique_fields(scope["headers"]),
        body=body,
        address=client[0] if client else "",
    )


class IntegrityMiddleware:
    """Wraps a signed route: `state.caller` and `state.call` are set inside it."""

    def __init__(self, app: ASGIApp, integrity: Integrity, body_limit: int) -> None:
        self._app = app
        self._integrity = integrity
        self._body_limit = body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        body = await receive_body(scope, receive, self._body_limit)
        call = call_of(scope, body)
        caller = await self._integrity.admit(call)
        scope.setdefault("state", {}).update(caller=caller, call=call)
        await self._app(scope, receive, send)
