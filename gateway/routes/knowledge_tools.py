"""The knowledge desk's tools on the console's origin.

Try a question, see what was not answered and what should be mended, mark, declare, import. Who may
do any of it is `operator_sessions`' decision; every refusal is a `Problem`.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.context import Services
from gateway.knowledge.desk import Desk
from gateway.knowledge.trial import tried
from gateway.problems import SHORTER_TEXTS
from gateway.routes.knowledge import NO_STORE, SITE, json_response, site_document
from gateway.routes.knowledge_shown import (
    finding_documents,
    import_document,
    mark_document,
    missed_document,
    tried_document,
    untried_document,
)
from gateway.routes.knowledge_wire import (
    BODY_BYTES,
    IMPORT_BYTES,
    IMPORT_IN_PARTS,
    ImportBody,
    MarkBody,
    PriorBody,
    TryBody,
    missed_query,
)
from gateway.routes.operator_sessions import OperatorSessions
from gateway.wire import read_json

DAY_S = 24 * 3600.0


def knowledge_tool_routes(services: Services, desk: Desk) -> list[Route]:
    """The routes of this resource."""
    tools = _Tools(services, desk)
    findings, marks, imports = f"{SITE}/findings", f"{SITE}/marks", f"{SITE}/imports"
    return [
        Route(f"{SITE}/try", tools.attempt, methods=["POST"]),
        Route(findings, tools.findings, methods=["GET"]),
        Route(findings, tools.check, methods=["POST"]),
        Route(f"{SITE}/unanswered", tools.unanswered, methods=["GET"]),
        Route(marks, tools.marks, methods=["GET"]),
        Route(marks, tools.mark, methods=["POST"]),
        Route(f"{marks}/{{mark}}", tools.unmark, methods=["DELETE"]),
        Route(f"{SITE}/prior", tools.prior, methods=["PUT"]),
        Route(imports, tools.gather, methods=["POST"]),
        Route(f"{imports}/{{import_id}}", tools.take, methods=["POST"]),
    ]


class _Tools:
    def __init__(self, services: Services, desk: Desk) -> None:
        self._desk = desk
        self._clock = services.clock
        self._sessions = OperatorSessions(services)

    async def attempt(self, request: Request) -> Response:
        """`POST /v1/knowledge/<site>/try`."""
        await self._sessions.writer(request)
        site = self._site(request)
        body = await read_json(request, TryBody, BODY_BYTES, SHORTER_TEXTS)
        threshold, index = self._desk.site(site).confidence_threshold, self._desk.live(site)
        if body.draft:
            draft = await self._desk.draft(site)
            made = await self._desk.trials.index(site, draft, index)
            if made is None:
                return json_response(untried_document(body.question, threshold))
            index = made
        today = self._desk.today(site)
        response, outcome = tried(index, body.question, body.locale, threshold, today)
        return json_response(
            tried_document(body.question, response, outcome, threshold, is_draft=body.draft)
        )

    async def findings(self, request: Request) -> Response:
        """`GET /v1/knowledge/<site>/findings`: what was found last."""
        await self._sessions.reader(request)
        return json_response(finding_documents(self._desk.checks, self._site(request)))

    async def check(self, request: Request) -> Response:
        """`POST /v1/knowledge/<site>/findings`: looks at the draft anew."""
        await self._sessions.writer(request)
        site = self._site(request)
        await self._desk.check(site)
        return json_response(finding_documents(self._desk.checks, site), status=202)

    async def unanswered(self, request: Request) -> Response:
        """`GET /v1/knowledge/<site>/unanswered`: the most asked first."""
        await self._sessions.reader(request)
        site, days = self._site(request), missed_query(request.query_params).days
        groups = await self._desk.missed(site, self._clock() - days * DAY_S)
        return json_response({"items": [missed_document(group) for group in groups], "days": days})

    async def marks(self, request: Request) -> Response:
        """`GET /v1/knowledge/<site>/marks`: oldest first."""
        await self._sessions.reader(request)
        marks = await self._desk.store.marks(self._site(request))
        return json_response({"items": [mark_document(mark) for mark in marks]})

    async def mark(self, request: Request) -> Response:
        """`POST /v1/knowledge/<site>/marks`."""
        session = await self._sessions.writer(request)
        site = self._site(request)
        body = await read_json(request, MarkBody, BODY_BYTES, SHORTER_TEXTS)
        made = await self._desk.mark(site, body.question, body.entry_id, session.operator)
        return json_response(mark_document(made), status=201)

    async def unmark(self, request: Request) -> Response:
        """`DELETE /v1/knowledge/<site>/marks/<mark>`."""
        await self._sessions.writer(request)
        await self._desk.unmark(self._site(request), request.path_params["mark"])
        return Response(status_code=204, headers=NO_STORE)

    async def prior(self, request: Request) -> Response:
        """`PUT /v1/knowledge/<site>/prior`."""
        await self._sessions.writer(request)
        site = self._site(request)
        body = await read_json(request, PriorBody, BODY_BYTES, SHORTER_TEXTS)
        await self._desk.declare_prior(site, body.out_of_scope)
        return json_response(await site_document(self._desk, site))

    async def gather(self, request: Request) -> Response:
        """`POST /v1/knowledge/<site>/imports`: what an import would change."""
        await self._sessions.writer(request)
        site = self._site(request)
        body = await read_json(request, ImportBody, IMPORT_BYTES, IMPORT_IN_PARTS)
        return json_response(import_document(await self._desk.gather(site, body.source())))

    async def take(self, request: Request) -> Response:
        """`POST /v1/knowledge/<site>/imports/<import>`: makes it a part of the draft."""
        session = await self._sessions.writer(request)
        site = self._site(request)
        left = await self._desk.take(site, request.path_params["import_id"], session.operator)
        left_out = [{"entry_id": entry_id, "locale": locale} for entry_id, locale in left]
        return json_response({**await site_document(self._desk, site), "left_out": left_out})

    def _site(self, request: Request) -> str:
        return self._desk.site(request.path_params["site"]).key
