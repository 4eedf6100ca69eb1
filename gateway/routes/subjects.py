"""A visitor's rights: a mark on an answer, everything that is held, and its end.

`POST /v1/feedback`, `/v1/export` and `POST /v1/erase`, signed like every other call, and each for
the caller's own subject alone. An export comes a page at a time, however much is held. An erase is
acknowledged once it is committed; the sessions have ended with it, so whoever sends it again does
so under a new one, with the same key.
"""

from __future__ import annotations

import json
from contextlib import suppress

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.digest import sha256_hex
from core.encoding import timestamp
from core.errors import NotFound, Unavailable
from core.model_routing.periods import MICROS
from core.model_routing.spend import Account
from core.subjects import VERDICTS, Feedback
from core.telemetry import FEEDBACK
from core.truth import FINISHED_KEPT_S, Finished, Work
from gateway import problems, wire
from gateway.bell import OPERATORS, OUTBOX, conversation_topic
from gateway.front import Front
from gateway.idempotency import check_key
from gateway.integrity import Call, Caller
from gateway.middleware.integrity import IntegrityMiddleware


class Subjects:
    """The endpoints over one front."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._truth = front.services.truth
        self._clock = front.services.clock

    async def feedback(self, request: Request) -> Response:
        """`POST /v1/feedback`: a mark on an answer; a later one takes its place."""
        call: Call = request.state.call
        caller: Caller = request.state.caller
        wire.check_media_type(call.fields.get("content-type", ""))
        mark = wire.parse(wire.FeedbackBody, call.body).value()
        key = check_key(call.fields.get("idempotency-key"))
        self._front.site(caller.scope.site)
        body = json.dumps({"turn_id": mark.turn_id, "signal": mark.signal})
        work = self._work(caller, call, key, body, mark)
        stored = await self._front.idempotency.begin(caller.scope, key, sha256_hex(call.body))
        if stored is not None:
            return _answer(stored)
        try:
            await self._truth.commit(work)
        except NotFound as exc:
            raise problems.not_found("turn") from exc
        finally:
            await self._front.idempotency.end(caller.scope, key)
        services = self._front.services
        services.telemetry.count(FEEDBACK, site=caller.scope.site, signal=mark.signal)
        if mark.signal in VERDICTS:
            services.bell.ring(OPERATORS)
        return _answer(work.finished)

    async def export(self, request: Request) -> Response:
        """`GET /v1/export`: what is held of this visitor, its first page; `POST`: any page."""
        call: Call = request.state.call
        caller: Caller = request.state.caller
        wanted = wire.ExportBody()
        if request.method == "POST":
            wire.check_media_type(call.fields.get("content-type", ""))
            wanted = wire.parse(wire.ExportBody, call.body)
        now, place = self._clock(), wanted.place()
        held = await self._truth.subjects.export(
            caller.scope, now - FINISHED_KEPT_S, place, wanted.limit
        )
        spent = await self._front.spending.use.of(caller.scope) if place is None else []
        document = {
            "exported_at": timestamp(now),
            **held.document(),
            "spending": [spent_document(account, micros) for account, micros in spent],
        }
        name = {"content-disposition": 'attachment; filename="fanlight-export.json"'}
        return JSONResponse(document, headers={"cache-control": "no-store", **name})

    async def erase(self, request: Request) -> Response:
        """`POST /v1/erase`: all of it goes, and the visitor's sessions end."""
        call: Call = request.state.call
        caller: Caller = request.state.caller
        wire.check_media_type(call.fields.get("content-type", ""))
        wire.parse(wire.EmptyBody, call.body)
        key = check_key(call.fields.get("idempotency-key"))
        stored = await self._front.idempotency.begin(caller.scope, key, sha256_hex(call.body))
        if stored is not None:
            return _answer(stored)
        work = self._work(caller, call, key, json.dumps({"erased": True}))
        try:
            erased = await self._truth.subjects.erase(work)
        finally:
            # Even when the truth was too late to say so, the sessions may have been ended.
            self._front.revocations.look_again()
            await self._front.idempotency.end(caller.scope, key)
        # The truth forgot its part with all else; elsewhere it also goes by itself, in its time.
        with suppress(Unavailable):
            await self._front.spending.forget(caller.scope)
        self._ring(caller.scope.site, erased.conversations)
        return _answer(work.finished)

    def _work(
        self, caller: Caller, call: Call, key: str, body: str, mark: Feedback | None = None
    ) -> Work:
        return Work(
            scope=caller.scope,
            at=self._clock(),
            key=key,
            finished=Finished(sha256_hex(call.body), 200, body, None),
            feedback=mark,
            began=caller.claims["began"],
        )

    def _ring(self, site: str, conversations: tuple[str, ...]) -> None:
        """Streams end, consoles look again, and the outbox finds less to do."""
        bell = self._front.services.bell
        for topic in (OPERATORS, OUTBOX, *(conversation_topic(site, one) for one in conversations)):
            bell.ring(topic)


def spent_document(account: Account, micros: int) -> dict[str, object]:
    """What a visitor has spent and holds in one period, as an export has it."""
    began = timestamp(account.began)
    return {"period": account.period, "began_at": began, "spent_usd": micros / MICROS}


def _answer(finished: Finished) -> Response:
    headers = {"cache-control": "no-store"}
    return Response(finished.body, finished.status, media_type="application/json", headers=headers)


def subject_routes(front: Front) -> list[Route]:
    """The routes of this resource."""
    subjects = Subjects(front)
    limit = front.services.settings.limits.body_bytes
    signed = [Middleware(IntegrityMiddleware, front.integrity, limit)]
    return [
        Route("/v1/feedback", subjects.feedback, methods=["POST"], middleware=signed),
        Route("/v1/export", subjects.export, methods=["GET", "POST"], middleware=signed),
        Route("/v1/erase", subjects.erase, methods=["POST"], middleware=signed),
    ]
