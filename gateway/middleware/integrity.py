"""Admits signed calls only, and puts the caller and the call into the request's state."""

from __future__ import annotations

from contextlib import nullcontext

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import Problem
from gateway.capacity import Capacity
from gateway.integrity import Call, Integrity, unique_fields
from gateway.quota import fields
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
    """Wraps a signed route: `state.caller` and `state.call` are set inside it.

    Where there is a `capacity`, a call takes a place (`state.place`) once its body is there and
    before it costs a signature: a body that never comes holds none.
    """

    def __init__(
        self,
        app: ASGIApp,
        integrity: Integrity,
        body_limit: int,
        capacity: Capacity | None = None,
    ) -> None:
        self._app = app
        self._capacity = capacity
        self._integrity = integrity
        self._body_limit = body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        body = await receive_body(scope, receive, self._body_limit)
        with self._capacity.place() if self._capacity else nullcontext() as place:
            scope.setdefault("state", {}).update(place=place)
            await self._admitted(scope, receive, send, body)

    async def _admitted(self, scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
        call = call_of(scope, body)
        caller = await self._integrity.admit(call)
        scope["state"].update(caller=caller, call=call)
        standing = fields(*caller.standings)
        raw = [(name.encode(), value.encode()) for name, value in standing.items()]

        async def send_with_standing(message: Message) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", []).extend(raw)
            await send(message)

        try:
            await self._app(scope, receive, send_with_standing)
        except Problem as problem:  # a refusal has cost a call as well
            problem.headers = {**standing, **problem.headers}
            raise
