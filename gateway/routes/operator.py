"""The console's API, on the console's own origin: log in, read, reply, resolve, send again, watch.

Every refusal is a `Problem`. A reply is stored before it is acknowledged; the bell then tells the
visitor's stream and the other consoles. Who may do any of it is `operator_sessions`' decision.
"""

from __future__ import annotations

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.encoding import is_id, new_id, timestamp
from core.messages import Escalation, Reply
from gateway import problems, sse
from gateway.bell import OPERATORS, OUTBOX, conversation_topic
from gateway.front import Front
from gateway.knowledge.desk import Desk
from gateway.routes import operator_events
from gateway.routes.operator_sessions import (
    COOKIE,
    OperatorSessions,
    clear_cookie,
    set_cookie,
)
from gateway.routes.operator_wire import LogInBody, ReplyBody, ResolveBody, listing
from gateway.wire import read_json

NO_STORE = {"cache-control": "no-store"}


def operator_routes(front: Front, desk: Desk | None = None) -> list[Route]:
    """The routes of the console's origin; what happens at the desk, budgets that run low, and how
    sites speak are among the events."""
    console = _Console(front, desk)
    session, one = "/v1/operator/session", "/v1/escalations/{escalation_id}"
    return [
        Route(session, console.log_in, methods=["POST"]),
        Route(session, console.who, methods=["GET"]),
        Route(session, console.log_out, methods=["DELETE"]),
        Route("/v1/escalations", console.escalations, methods=["GET"]),
        Route(one, console.escalation, methods=["GET"]),
        Route(f"{one}/replies", console.reply, methods=["POST"]),
        Route(f"{one}/resolve", console.resolve, methods=["POST"]),
        Route(f"{one}/resend", console.resend, methods=["POST"]),
        Route("/v1/events", console.events, methods=["GET"]),
    ]


class _Console:
    def __init__(self, front: Front, desk: Desk | None) -> None:
        services = front.services
        self._services = services
        self._spending = front.spending
        self._spoken = front.personalities
        self._desk = desk
        self._truth = services.truth
        self._bell = services.bell
        self._sessions = OperatorSessions(services)

    async def log_in(self, request: Request) -> Response:
        """`POST /v1/operator/session`."""
        self._sessions.check_origin(request)
        await self._sessions.limit_tries(request)
        body = await read_json(
            request, LogInBody, self._services.settings.limits.body_bytes, problems.SHORTER_TEXTS
        )
        response = Response(status_code=204, headers=NO_STORE)
        set_cookie(response, await self._sessions.log_in(body.token))
        return response

    async def who(self, request: Request) -> Response:
        """`GET /v1/operator/session`."""
        return _json(asdict(await self._sessions.reader(request)))

    async def log_out(self, request: Request) -> Response:
        """`DELETE /v1/operator/session`."""
        await self._sessions.writer(request)
        await self._sessions.log_out(request)
        self._bell.ring(OPERATORS)  # the session's streams look again, and end
        response = Response(status_code=204, headers=NO_STORE)
        clear_cookie(response)
        return response

    async def escalations(self, request: Request) -> Response:
        """`GET /v1/escalations`: a page, newest first; `next` is the id to read on before."""
        await self._sessions.reader(request)
        query = listing(request.query_params)
        rows = await self._truth.escalations(
            status=query.status, before=query.before, limit=query.limit + 1
        )
        page = rows[: query.limit]
        more = page[-1].id if len(rows) > len(page) else None
        return _json({"items": [row.document() for row in page], "next": more})

    async def escalation(self, request: Request) -> Response:
        """`GET /v1/escalations/<id>`."""
        await self._sessions.reader(request)
        return _json((await self._find(request)).document())

    async def reply(self, request: Request) -> Response:
        """`POST /v1/escalations/<id>/replies`."""
        session = await self._sessions.writer(request)
        body = await read_json(
            request, ReplyBody, self._services.settings.limits.body_bytes, problems.SHORTER_TEXTS
        )
        body.check()
        escalation = await self._find(request)
        at = self._services.clock()
        reply = Reply(
            id=new_id("h", int(at * 1000), self._services.random(10)),
            escalation_id=escalation.id,
            turn_id=escalation.newest_turn_id,
            author=session.operator,
            content=body.content,
            created_at=timestamp(at),
        )
        resolved = await self._truth.reply(reply, resolve=body.resolve, at=at, seen=body.seen)
        self._tell(escalation)
        return _json({**asdict(reply), "resolved": resolved}, status=201)

    async def resolve(self, request: Request) -> Response:
        """`POST /v1/escalations/<id>/resolve`: unless a turn came that was not seen."""
        await self._sessions.writer(request)
        body = await read_json(
            request, ResolveBody, self._services.settings.limits.body_bytes, problems.SHORTER_TEXTS
        )
        escalation = await self._find(request)
        at = self._services.clock()
        if not await self._truth.resolve(escalation.id, at, seen=body.seen):
            raise problems.asked_since()
        self._tell(escalation)
        return Response(status_code=204, headers=NO_STORE)

    async def resend(self, request: Request) -> Response:
        """`POST /v1/escalations/<id>/resend`: what is not delivered yet is due now."""
        await self._sessions.writer(request)
        escalation = await self._find(request)
        resent = await self._truth.resend(escalation.id, self._services.clock())
        self._bell.ring(OUTBOX)
        self._tell(escalation)
        return _json({"resent": resent}, status=202)

    async def events(self, request: Request) -> Response:
        """`GET /v1/events`."""
        await self._sessions.reader(request)
        cookie = request.cookies[COOKIE]
        desk = self._desk
        watch = operator_events.Watch(
            self._truth,
            lambda: desk.versions if desk else {},
            self._reached,
            lambda: self._spoken.versions if self._spoken else {},
        )
        # Before the response begins: what changes after the console reads its list is an event.
        await watch.look()
        await watch.budgets()

        async def logged_in() -> bool:
            return await self._sessions.find(cookie) is not None

        return sse.stream(operator_events.changes(self._bell, watch, logged_in))

    async def _reached(self) -> operator_events.Budgeted:
        sites = [site.key for site in self._services.settings.sites]
        return await self._spending.use.reached(sites)

    async def _find(self, request: Request) -> Escalation:
        name = request.path_params["escalation_id"]
        if not is_id(name, "e"):
            raise problems.not_found("escalation")
        return await self._truth.escalation(name)

    def _tell(self, escalation: Escalation) -> None:
        self._bell.ring(OPERATORS)
        self._bell.ring(conversation_topic(escalation.site, escalation.conversation_id))


def _json(document: object, status: int = 200) -> JSONResponse:
    return JSONResponse(document, status_code=status, headers=NO_STORE)
