"""`GET /v1/conversations/<id>/events`: what happened to a visitor's escalations, as it happens.

Only while an escalation is open, and one stream a browser: a newer one ends the older. It ends with
`reauth` when the caller's token runs out and with `bye` when the process stops. A store that does
not answer delays it and does not end it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.encoding import is_id
from core.errors import Unavailable
from core.messages import VisitorEvent
from core.scope import Scope
from gateway import problems, sse
from gateway.bell import Listener, conversation_topic
from gateway.front import Front
from gateway.integrity import Caller
from gateway.middleware.integrity import IntegrityMiddleware


class Events:
    """The endpoint over one front."""

    def __init__(self, front: Front) -> None:
        self._truth = front.services.truth
        self._bell = front.services.bell
        self._clock = front.services.clock
        self._streams: dict[Scope, tuple[str, object]] = {}

    async def events(self, request: Request) -> Response:
        """The conversation's events after `Last-Event-ID`; 204 when there are and will be none."""
        caller: Caller = request.state.caller
        conversation_id = request.path_params["conversation_id"]
        after = _last_event_id(request.headers.get("last-event-id", ""))
        owned = await self._truth.conversation_owned(caller.scope, conversation_id)
        if not is_id(conversation_id, "c") or not owned:
            raise problems.not_found("conversation")
        waiting = await self._truth.open_escalations(caller.scope, conversation_id)
        if not waiting and not await self._truth.events(caller.scope, conversation_id, after):
            return Response(status_code=204, headers={"cache-control": "no-store"})
        return sse.stream(self._stream(caller, conversation_id, after))

    async def _stream(
        self, caller: Caller, conversation_id: str, after: int
    ) -> AsyncIterator[bytes]:
        topic = conversation_topic(caller.scope.site, conversation_id)
        mine = self._take_over(caller.scope, topic)
        try:
            with self._bell.listen(topic) as listener:
                yield sse.HEARTBEAT
                while self._streams.get(caller.scope) == mine:
                    happened, waiting = await self._look(caller.scope, conversation_id, after)
                    for one in happened:
                        after = one.id
                        yield sse.event(one.name, one.data, one.id)
                    if self._bell.closed:
                        yield sse.event("bye", {})
                        return
                    if not waiting:
                        return
                    async for beat in self._wait(listener, caller):
                        yield beat
                        if beat != sse.HEARTBEAT:
                            return
        finally:
            if self._streams.get(caller.scope) == mine:
                del self._streams[caller.scope]

    def _take_over(self, scope: Scope, topic: str) -> tuple[str, object]:
        """Make this the browser's one stream; the one before it wakes and ends."""
        before = self._streams.get(scope)
        mine = (topic, object())
        self._streams[scope] = mine
        if before is not None:
            self._bell.ring(before[0])
        return mine

    async def _look(
        self, scope: Scope, conversation_id: str, after: int
    ) -> tuple[list[VisitorEvent], bool]:
        """What is new, and whether more may come; nothing and yes while the store is away."""
        try:
            happened = await self._truth.events(scope, conversation_id, after)
            return happened, bool(await self._truth.open_escalations(scope, conversation_id))
        except Unavailable:
            return [], True

    async def _wait(self, listener: Listener, caller: Caller) -> AsyncIterator[bytes]:
        """Heartbeats until the bell rings; `reauth` when the caller's token runs out first."""
        while True:
            left_s = caller.claims["exp"] - self._clock()
            if left_s <= 0:
                yield sse.event("reauth", {})
                return
            if await listener.wait(min(sse.HEARTBEAT_S, left_s)):
                return
            yield sse.HEARTBEAT


def _last_event_id(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise problems.invalid(
            "last-event-id", "Last-Event-ID must be a number.", "Leave it out to begin anew."
        )
    return int(text)


def event_routes(front: Front) -> list[Route]:
    """The route of this resource."""
    limit = front.services.settings.limits.body_bytes
    signed = [Middleware(IntegrityMiddleware, front.integrity, limit)]
    path = "/v1/conversations/{conversation_id}/events"
    return [Route(path, Events(front).events, methods=["GET"], middleware=signed)]
