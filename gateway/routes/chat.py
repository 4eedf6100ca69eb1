"""`POST /v1/chat`: a question in, a judged turn with its receipt out, streamed or whole.

The turn runs in a task of its own: a visitor who leaves loses the stream, not the answer nor the
escalation; and when the process stops, the turn is committed as far as it got. It is acknowledged
(as `done`, or as the response) only once it is committed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.digest import sha256_hex
from core.errors import Problem
from core.escalation import by_gateway, escalation_id
from core.messages import ChatRequest, Turn
from core.model_routing.caller import visitor
from core.telemetry import CONFIDENCE, TURNS, Telemetry, stage
from core.trajectory import Trajectory
from core.truth import Finished, OpenEscalation
from gateway import problems, sse, wire
from gateway.capacity import Capacity, Place
from gateway.front import Front
from gateway.idempotency import check_key
from gateway.integrity import Call, Caller
from gateway.ledger import Record
from gateway.middleware.integrity import IntegrityMiddleware
from gateway.pipeline.answer import Answered, Pipeline
from gateway.pipeline.history import Earlier
from gateway.pipeline.looked import Tell, tell_nobody
from gateway.pipeline.state import Emit

log = logging.getLogger("fanlight")

LAST_WORD_S = 3.0
"""When the process stops a model has this long; then the turn is committed without it."""

_Item = bytes | Finished | Problem


@dataclass(frozen=True, slots=True)
class _Turn:
    """A question on its way: who asked, by which call and place, and who is to answer."""

    caller: Caller
    call: Call
    place: Place
    key: str
    asked: ChatRequest
    pipeline: Pipeline


class Chat:
    """The endpoint over one front."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._bell = front.services.bell
        self._telemetry = front.services.telemetry
        self._most = front.services.settings.limits.turns_at_once

    async def chat(self, request: Request) -> Response:
        """Answer one question."""
        call: Call = request.state.call
        caller: Caller = request.state.caller
        wire.check_media_type(call.fields.get("content-type", ""))
        body = wire.parse(wire.ChatBody, call.body)
        asked = body.value()
        request.state.turn = asked.turn_id
        key = check_key(call.fields.get("idempotency-key"))
        pipeline = self._front.pipeline(caller.scope.site)
        await self._check_ownership(caller, asked)
        stored = await self._front.idempotency.begin(
            caller.scope, key, sha256_hex(call.body), asked.turn_id
        )
        if stored is not None:
            return _again(stored, stream=asked.stream)
        if body.metadata.website:
            # A browser may have filled it in: it is written down, and the answer is the same.
            log.warning("signal honeypot: site %s, session %s", caller.scope.site, caller.sid)
        turn = _Turn(caller, call, request.state.place, key, asked, pipeline)
        if len(self._front.running) >= self._most:
            # Refused rather than piled up behind a slow model. From here on nothing is awaited
            # before the turn has its place.
            await self._front.idempotency.end(caller.scope, key)
            raise problems.busy("turns")
        if asked.stream:
            return sse.stream(self._stream(turn))
        return _whole(await asyncio.shield(self._begin(turn, _ignore, tell_nobody)))

    async def _check_ownership(self, caller: Caller, asked: ChatRequest) -> None:
        """Every id must belong to the caller before anyone works for it."""
        truth = self._front.services.truth
        if not await truth.conversation_owned(caller.scope, asked.conversation_id):
            raise problems.not_found("conversation")

    def _begin(self, turn: _Turn, emit: Emit, look: Tell) -> asyncio.Task[Finished]:
        """Run the turn in a task that outlives its request; the app waits for it when it stops."""
        task = asyncio.create_task(self._run(turn, emit, look))
        self._front.running.add(task)
        task.add_done_callback(self._front.running.discard)
        return task

    async def _run(self, turn: _Turn, emit: Emit, look: Tell) -> Finished:
        with self._telemetry.span("turn", turn=turn.asked.turn_id, site=turn.caller.scope.site):
            return await self._answered(turn, emit, look)

    async def _answered(self, turn: _Turn, emit: Emit, look: Tell) -> Finished:
        try:
            await self._check_new(turn)
            hurry = turn.pipeline.hurry()
            with self._bell.last_words(lambda: hurry.cut(LAST_WORD_S)):
                answered = await turn.pipeline.answer(
                    turn.asked,
                    emit,
                    hurry,
                    turn.place.through,
                    visitor(turn.caller.scope),
                    tell=look,
                    earlier=self._earlier(turn),
                )
            record = self._record(turn, answered)
            with stage(self._telemetry, "commit"):
                recorded = await self._front.ledger.record(turn.caller, record)
            tell(self._telemetry, turn.caller.scope.site, answered.turn)
            return recorded.finished
        finally:
            await self._front.idempotency.end(turn.caller.scope, turn.key)

    def _earlier(self, turn: _Turn) -> Earlier | None:
        """What gives the conversation's earlier turns; None without consent to memory."""
        if not turn.caller.claims["consent"]["memory"]:
            return None
        scope, place = turn.caller.scope, turn.asked.conversation_id
        return partial(self._front.history.before, scope, place)

    async def _check_new(self, turn: _Turn) -> None:
        """A turn is answered once: under another key its id is a mistake of the client's."""
        truth = self._front.services.truth
        if await truth.turn(turn.caller.scope, turn.asked.turn_id) is not None:
            raise problems.turn_exists()

    def _record(self, turn: _Turn, answered: Answered) -> Record:
        made = answered.turn
        # Without consent to memory a turn is kept only for the person who is to answer it.
        agreed = turn.caller.claims["consent"]["memory"]
        return Record(
            key=turn.key,
            body_sha256=sha256_hex(turn.call.body),
            presented=turn.call.fields.get("x-integrity"),
            turn_id=made.id,
            conversation_id=made.conversation_id,
            question=turn.asked.question,
            answer=made.reply,
            confidence=made.confidence,
            escalate=made.escalate,
            provenance="server",
            locale=turn.asked.locale,
            status=200,
            body=json.dumps(made.document(), ensure_ascii=False),
            model=made.model,
            turn=made if made.escalate or agreed else None,
            trajectory=kept_of(answered.trajectory, owned=agreed),
            escalation=self._escalation(turn, answered) if made.escalate else None,
        )

    def _escalation(self, turn: _Turn, answered: Answered) -> OpenEscalation:
        now = self._front.services.clock()
        return OpenEscalation(
            id=escalation_id(turn.caller.scope, turn.asked.turn_id),
            request=by_gateway(answered.turn, turn.asked, answered.fallback_text, now),
            targets=self._front.targets(turn.caller.scope.site),
            by_gateway=True,
        )

    def _stream(self, turn: _Turn) -> AsyncIterator[bytes]:
        """Begin the turn, and give its events as they come."""
        items: asyncio.Queue[_Item] = asyncio.Queue()

        def emit(text: str) -> None:
            items.put_nowait(sse.event("delta", {"text": text}))

        def look(meta: Mapping[str, Any]) -> None:
            items.put_nowait(sse.event("meta", meta))

        task = self._begin(turn, emit, look)
        name = turn.asked.turn_id
        task.add_done_callback(lambda done: items.put_nowait(_result(done, name)))
        return _events(items)


def kept_of(trajectory: Trajectory | None, *, owned: bool) -> Trajectory | None:
    """What may be kept of how a turn was answered: all of it where it is to be `owned`, else its
    numbers, which are nobody's."""
    if trajectory is None or owned:
        return trajectory
    return trajectory.numbers(f"n_{uuid.uuid4().hex}")


def tell(telemetry: Telemetry, site: str, made: Turn) -> None:
    """Count a turn, and say what became of it; not what was asked, nor what was answered."""
    escalated = "yes" if made.escalate else "no"
    telemetry.count(TURNS, site=site, source=made.source, escalated=escalated)
    telemetry.observe(CONFIDENCE, made.confidence, site=site, source=made.source)
    telemetry.line(
        "turn",
        turn=made.id,
        site=site,
        source=made.source,
        model=made.model,
        confidence=round(made.confidence, 3),
        escalated=made.escalate,
        reasons=made.reasons,
    )


async def _events(items: asyncio.Queue[_Item]) -> AsyncIterator[bytes]:
    while True:
        item = await _next_item(items)
        if not isinstance(item, bytes):
            yield _last(item)
            return
        yield item


async def _next_item(items: asyncio.Queue[_Item]) -> _Item:
    """The next item, or a heartbeat when there is none for a while."""
    if not items.empty():
        return items.get_nowait()
    try:
        async with asyncio.timeout(sse.HEARTBEAT_S):
            return await items.get()
    except TimeoutError:
        return sse.HEARTBEAT


def _result(task: asyncio.Task[Finished], turn: str) -> Finished | Problem:
    """What a finished task has to say: its outcome, or the problem that it ended in."""
    if task.cancelled():
        return problems.unavailable("The gateway is stopping; send the same request again.")
    error = task.exception()
    return task.result() if error is None else problems.of(error, turn)


def _last(item: Finished | Problem) -> bytes:
    if isinstance(item, Problem):
        return sse.event("problem", item.document())
    return sse.event("done", {"turn": json.loads(item.body), "receipt": item.receipt})


def _again(stored: Finished, *, stream: bool) -> Response:
    if not stream:
        return _whole(stored)

    async def once() -> AsyncIterator[bytes]:
        yield _last(stored)

    return sse.stream(once())


def _whole(finished: Finished) -> Response:
    headers = {"x-integrity": finished.receipt or "", "cache-control": "no-store"}
    return Response(finished.body, finished.status, media_type="application/json", headers=headers)


def _ignore(text: str) -> None:
    """Nobody reads the pieces of a reply that is sent whole."""


def chat_routes(front: Front) -> list[Route]:
    """The route of this resource."""
    limits = front.services.settings.limits
    turns = Capacity("turns", limits.turns_at_once, limits.queue_s)
    signed = [Middleware(IntegrityMiddleware, front.integrity, limits.body_bytes, turns)]
    return [Route("/v1/chat", Chat(front).chat, methods=["POST"], middleware=signed)]
