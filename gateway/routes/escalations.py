"""`POST /v1/escalations`: a browser asks for a person.

An escalation is acknowledged only once it is committed. The gateway's own escalation of the same
turn and the browser's are one: the browser's adds what only it knows.
"""

from __future__ import annotations

import json
from dataclasses import replace

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.digest import sha256_hex
from core.encoding import timestamp
from core.escalation import escalation_id
from core.messages import EscalationRequest
from core.truth import Committed, Finished, OpenEscalation
from gateway import wire
from gateway.attendance import back_at
from gateway.front import Front
from gateway.idempotency import check_key
from gateway.integrity import Call, Caller
from gateway.ledger import Record, Recorded
from gateway.middleware.integrity import IntegrityMiddleware


class Escalations:
    """The endpoints over one front."""

    def __init__(self, front: Front) -> None:
        self._front = front

    async def escalate(self, request: Request) -> Response:
        """Take an escalation: 202 with its id once it is on disk."""
        call: Call = request.state.call
        caller: Caller = request.state.caller
        wire.check_media_type(call.fields.get("content-type", ""))
        asked = self._heard(wire.parse(wire.EscalationBody, call.body).value())
        request.state.turn = asked.turn_id
        key = check_key(call.fields.get("idempotency-key"))
        self._front.site(caller.scope.site)
        idempotency = self._front.idempotency
        stored = await idempotency.begin(caller.scope, key, sha256_hex(call.body))
        if stored is not None:
            return _acknowledgement(stored, stored.body)
        try:
            recorded = await self._take(caller, self._record(caller, call, key, asked))
        finally:
            await idempotency.end(caller.scope, key)
        made = recorded.escalation
        body = self._body(caller, made) if made else recorded.finished.body
        return _acknowledgement(recorded.finished, body)

    def _heard(self, asked: EscalationRequest) -> EscalationRequest:
        """A consent is dated by the clock here, not by a browser's."""
        if asked.consent is None:
            return asked
        now = timestamp(self._front.services.clock())
        return replace(asked, consent=replace(asked.consent, at=now))

    def _body(self, caller: Caller, made: Committed) -> str:
        """What is acknowledged: the escalation, and when people are back if nobody is there."""
        back = back_at(self._front.site(caller.scope.site), self._front.services.clock())
        return json.dumps(
            {
                "escalated": True,
                "escalation_id": made.id,
                "status": made.status,
                "back_at": back,
            }
        )

    async def _take(self, caller: Caller, record: Record) -> Recorded:
        telemetry, turn = self._front.services.telemetry, record.turn_id
        with telemetry.span("escalation", turn=turn, site=caller.scope.site):
            recorded = await self._front.ledger.record(caller, record)
            made = recorded.escalation
            if made is not None:
                telemetry.line(
                    "escalation", turn=turn, escalation=made.id, site=caller.scope.site,
                    status=made.status,
                )  # fmt: skip
            return recorded

    def _record(self, caller: Caller, call: Call, key: str, asked: EscalationRequest) -> Record:
        chosen = escalation_id(caller.scope, asked.turn_id)
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
            body=self._body(caller, Committed(chosen, "queued")),
            escalation=OpenEscalation(
                id=chosen,
                request=asked,
                targets=self._front.targets(caller.scope.site),
                by_gateway=False,
            ),
        )


def _acknowledgement(finished: Finished, body: str) -> Response:
    headers = {"x-integrity": finished.receipt or "", "cache-control": "no-store"}
    return Response(body, finished.status, media_type="application/json", headers=headers)


def escalation_routes(front: Front) -> list[Route]:
    """The route of this resource."""
    escalations = Escalations(front)
    limit = front.services.settings.limits.body_bytes
    signed = [Middleware(IntegrityMiddleware, front.integrity, limit)]
    return [Route("/v1/escalations", escalations.escalate, methods=["POST"], middleware=signed)]
