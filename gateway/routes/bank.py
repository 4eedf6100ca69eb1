"""`/v1/bank/<site>` on the console's origin: which answers are lent to other visitors' models.

Who may look and take one out is `operator_sessions`' decision; what is in it, `core.bank`'s. Every
refusal is a `Problem`.
"""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.bank import bank_id
from core.encoding import timestamp
from gateway import problems
from gateway.front import Front
from gateway.routes.operator_sessions import OperatorSessions

NO_STORE: Final = {"cache-control": "no-store"}
BANK: Final = "/v1/bank/{site}"
ITEM: Final = "/v1/bank/{site}/{item}"


def bank_routes(front: Front) -> list[Route]:
    """The routes of this resource; where nothing is lent the list is empty."""
    own = _Bank(front)
    return [
        Route(BANK, own.answers, methods=["GET"]),
        Route(ITEM, own.leave_out, methods=["DELETE"]),
    ]


class _Bank:
    def __init__(self, front: Front) -> None:
        self._bank = front.bank
        self._settings = front.services.settings
        self._sessions = OperatorSessions(front.services)

    async def answers(self, request: Request) -> Response:
        """`GET /v1/bank/<site>`: newest first, each as models are given it."""
        await self._sessions.reader(request)
        site = self._site(request)
        found = await self._bank.answers(site) if self._bank else []
        items = [
            {
                "id": bank_id(site, one.turn_id),
                "question": one.question,
                "answer": one.answer,
                "by": one.by,
                "locale": one.locale,
                "at": timestamp(one.at),
            }
            for one in found
        ]
        lends = self._settings.bank.answers if self._bank else "off"
        return JSONResponse({"lends": lends, "items": items}, headers=NO_STORE)

    async def leave_out(self, request: Request) -> Response:
        """`DELETE /v1/bank/<site>/<id>`: it is lent no more, from now on and for good."""
        session = await self._sessions.writer(request)
        site, name = self._site(request), request.path_params["item"]
        if not self._bank or not await self._bank.leave_out(site, name, session.operator):
            raise problems.not_found("answer")
        return Response(status_code=204, headers=NO_STORE)

    def _site(self, request: Request) -> str:
        site: str = request.path_params["site"]
        if self._settings.site(site) is None:
            raise problems.not_found("site")
        return site
