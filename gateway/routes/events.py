"""`GET /v1/conversations/<id>/events`: what happened to a visitor's escalations, as it happens.

Only while an escalation is open, and one stream a browser: a newer one ends the older. It may tell
of a few more of the visitor's conversations (`also`), and of each event in which it happened. What
admitted the call must still hold before anything more is said: once the token has run out, its
key's tokens are refused or the session was ended, the stream ends with `reauth`. It ends with
`bye` when the process stops. A store that does not answer delays it and does not end it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.encoding import is_id
from core.errors import Unavailable
from core.messages import VisitorEvent
from core.scope import Scope
from gateway import problems, sse
from gateway.bell import conversation_topic
from gateway.front import Front
from gateway.integrity import Call, Caller
from gateway.middleware.integrity import IntegrityMiddleware
from gateway.tokens import ACCESS


class _Over(Exception):
    """What admitted a stream holds no more."""


@dataclass(frozen=True, slots=True)
class _Admitted:
    """Who listens to which conversations, and the token that admitted them."""

    caller: Caller
    token: str
    places: tuple[str, ...]

    @property
    def topics(self) -> list[str]:
        """What rings when something happens in one of the conversations."""
        return [conversation_topic(self.caller.scope.site, place) for place in self.places]


type _Browser = tuple[Scope, str]
"""A visitor and the key that the browser signs with."""

_MOST_ALSO = 15


class Events:
    """The endpoint over one front."""

    def __init__(self, front: Front) -> None:
        self._truth = front.services.truth
        self._bell = front.services.bell
        self._clock = front.services.clock
        self._most = front.services.settings.limits.streams_at_once
        self._tokens = front.tokens
        self._revocations = front.revocations
        # By browser: a signed-in visitor may have several.
        self._streams: dict[_Browser, tuple[str, object]] = {}

    async def events(self, request: Request) -> Response:
        """The conversations' events after `Last-Event-ID`; 204 when there are and will be none."""
        call: Call = request.state.call
        caller: Caller = request.state.caller
        conversation_id = request.path_params["conversation_id"]
        owned = await self._truth.conversation_owned(caller.scope, conversation_id)
        if not is_id(conversation_id, "c") or not owned:
            raise problems.not_found("conversation")
        also = [
            place
            for place in _also(request.query_params.get("also", ""))
            # One that has become another's must not silence the rest.
            if await self._truth.conversation_owned(caller.scope, place)
        ]
        after = dict.fromkeys([conversation_id, *also], _last_event_id(request))
        happened, waiting = await self._look(caller.scope, after)
        if not waiting and not happened:
            return Response(status_code=204, headers={"cache-control": "no-store"})
        if (caller.scope, caller.keyid) not in self._streams and len(self._streams) >= self._most:
            raise problems.busy("streams")
        token = call.fields["authorization"].partition(" ")[2]
        return sse.stream(self._stream(_Admitted(caller, token, tuple(after)), after))

    async def _stream(self, admitted: _Admitted, after: dict[str, int]) -> AsyncIterator[bytes]:
        scope = admitted.caller.scope
        browser = (scope, admitted.caller.keyid)
        mine = self._take_over(browser, admitted.topics[0])
        try:
            with self._bell.listen(*admitted.topics) as listener:
                yield sse.HEARTBEAT
                while self._streams.get(browser) == mine:
                    waiting = True
                    try:
                        await self._check(admitted)
                        happened, waiting = await self._look(scope, after)
                        for place, one in happened:
                            # A slow reader may be here long after the look.
                            await self._check(admitted)
                            after[place] = one.id
                            data = {**one.data, "conversation_id": place}
                            yield sse.event(one.name, data, one.id)
                    except _Over:
                        yield sse.event("reauth", {})
                        return
                    except Unavailable:
                        waiting = True  # the next look tells what this one could not
                    if self._bell.closed:
                        yield sse.event("bye", {})
                        return
                    if not waiting:
                        return
                    # After a heartbeat comes a look all the same: a ring of another process may
                    # have been lost.
                    if not await listener.wait(self._patience_s(admitted)):
                        yield sse.HEARTBEAT
        finally:
            if self._streams.get(browser) == mine:
                del self._streams[browser]

    def _take_over(self, browser: _Browser, topic: str) -> tuple[str, object]:
        """Make this the browser's one stream; the one before it wakes and ends."""
        before = self._streams.get(browser)
        mine = (topic, object())
        self._streams[browser] = mine
        if before is not None:
            self._bell.ring(before[0])
        return mine

    async def _check(self, admitted: _Admitted) -> None:
        """Raise `_Over` when the call would be admitted no more, `Unavailable` when unknown."""
        caller = admitted.caller
        try:
            await self._tokens.read(ACCESS, admitted.token)
        except ValueError as exc:
            raise _Over from exc
        if await self._revocations.ended(caller.scope, caller.sid, caller.claims["began"]):
            raise _Over

    async def _look(
        self, scope: Scope, after: Mapping[str, int]
    ) -> tuple[list[tuple[str, VisitorEvent]], bool]:
        """What is new in which conversation, oldest first, and whether more may come."""
        happened: list[tuple[str, VisitorEvent]] = []
        waiting = False
        for place, last in after.items():
            # In this order: what ends the last one between the two looks is among the events.
            waiting = bool(await self._truth.open_escalations(scope, place)) or waiting
            events = await self._truth.events(scope, place, last)
            happened += [(place, event) for event in events]
        return sorted(happened, key=lambda one: one[1].id), waiting

    def _patience_s(self, admitted: _Admitted) -> float:
        """How long a stream waits before it looks again, at the latest when its token runs out."""
        left_s: float = admitted.caller.claims["exp"] - self._clock()
        return max(0.0, min(sse.HEARTBEAT_S, left_s))


def _also(text: str) -> list[str]:
    places = text.split(",") if text else []
    if len(places) > _MOST_ALSO or not all(is_id(place, "c") for place in places):
        raise problems.invalid(
            "also",
            f"also must be at most {_MOST_ALSO} conversations' ids, with commas between.",
            "Leave out what is no id, and the oldest.",
        )
    return places


def _last_event_id(request: Request) -> int:
    text = request.headers.get("last-event-id", "")
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
