"""`POST /v1/escalations` and the visitor's event stream.

An escalation is acknowledged only once it is committed. The gateway's own escalation of the same
turn and the browser's are one: the browser's adds what only it knows.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.digest import sha256_hex
from core.encoding import is_id
from core.escalation import escalation_id
from core.messages import EscalationRequest
from core.ports import Finished, OpenEscalation
from gateway import problems, sse, wire
from gateway.bell import Listener, conversation_topic
from gateway.front import Front
from gateway.idempotency import check_key
from gateway.integrity import Call, Caller
from gateway.ledger import Record
from gateway.middleware.integrity import IntegrityMiddleware


class Escalations:
    """The endpoints over one front."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._truth = front.services.truth

    async def escalate(self, request: Request) -> Response:
        """Take an escalation: 202 with its id once it is on disk."""
        call: Call = request.state.call
        caller: Caller = request.state.caller
        wire.check_media_type(call.fields.get("content-type", ""))
        asked = wire.parse(wire.EscalationBody, call.body).value()
        key = check_key(call.fields.get("idempotency-key"))
        self._front.site(caller.scope.site)
        idempotency = self._front.idempotency
        stored = await idempotency.begin(caller.scope, key, sha256_hex(call.body))
        if stored is None:
            try:
                record = self._record(caller, call, key, asked)
                stored = await self._front.ledger.record(caller, record)
            finally:
                await idempotency.end(caller.scope, key)
        return _acknowledgement(stored)

    def _record(self, caller: Caller, call: Call, key: str, asked: EscalationRequest) -> Record:
        chosen = escalation_id(caller.scope, asked.turn_id)
        body = {"escalated": True, "escalation_id": chosen, "status": "queued"}
        return Record(
            key=key,
            body_sha256=sha256_hex(call.body),
            presented=call.fields.get("x-integrity"),
            turn_id=asked.turn_id,
            conversation_id=asked.conversation_id,
            question=asked.question,
            answer=asked.fallback_text,
            confidence=asked.confidence,
            escalate=True,
            provenance="client",
            locale=asked.locale,
            status=202,
            body=json.dumps(body),
            escalation=OpenEscalation(
                id=chosen,
                request=asked,
                targets=self._front.targets(caller.scope.site),
                by_gateway=False,
            ),
        )

    async def events(self, request: Request) -> Response:
        """`GET /v1/conversations/<id>/events`: what happened to the visitor's escalations."""
        caller: Caller = request.state.caller
        conversation_id = request.path_params["conversation_id"]
        after = _last_event_id(request.headers.get("last-event-id", ""))
        owned = await self._truth.conversation_owned(caller.scope, conversation_id)
        if not is_id(conversation_id, "c") or not owned:
            raise problems.not_found("conversation")
        waiting = await self._truth.open_escalations(caller.scope, conversation_id)
        if not waiting and not await self._truth.events(caller.scope, conversation_id, after):
            return Response(status_code=204, headers={"cache-control": "no-store"})
        return sse.stream(self._events(caller, conversation_id, after))

    async def _events(
        self, caller: Caller, conversation_id: str, after: int
    ) -> AsyncIterator[bytes]:
        topic = conversation_topic(caller.scope.site, conversation_id)
        bell = self._front.services.bell
        with bell.listen(topic) as listener:
            yield sse.HEARTBEAT
            while True:
                for happened in await self._truth.events(caller.scope, conversation_id, after):
                    after = happened.id
                    yield sse.event(happened.name, happened.data, happened.id)
                if bell.closed:
                    yield sse.event("bye", {})
                    return
                if not await self._truth.open_escalations(caller.scope, conversation_id):
                    return
                async for beat in self._wait(listener, caller):
                    yield beat
                    if beat != sse.HEARTBEAT:
                        return

    async def _wait(self, listener: Listener, caller: Caller) -> AsyncIterator[bytes]:
        """Heartbeats until the bell rings; `reauth` when the caller's token runs out first."""
        while True:
            left_s = caller.claims["exp"] - self._front.services.clock()
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


def _acknowledgement(finished: Finished) -> Response:
    headers = {"x-integrity": finished.receipt or "", "cache-control": "no-store"}
    return Response(finished.body, finished.status, media_type="application/json", headers=headers)


def escalation_routes(front: Front) -> list[Route]:
    """The routes of this resource."""
    escalations = Escalations(front)
    limit = front.services.settings.limits.body_bytes
    signed = [Middleware(IntegrityMiddleware, front.integrity, limit)]
    path = "/v1/conversations/{conversation_id}/events"
    return [
        Route("/v1/escalations", escalations.escalate, methods=["POST"], middleware=signed),
        Route(path, escalations.events, methods=["GET"], middleware=signed),
    ]
