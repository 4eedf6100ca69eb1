"""How sites' chats speak, on the console's origin: read, write, choose, and try.

Who may do any of it is `operator_sessions`' decision, what becomes of it the desk's. A try goes
through the whole pipeline, is paid from the site's budget as an operator's question, and leaves
nothing behind: no turn, no escalation, nothing to learn from. Every refusal is a `Problem`.
"""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.encoding import new_id
from gateway import problems
from gateway.capacity import Capacity
from gateway.front import Front
from gateway.personality.desk import PersonalityDesk
from gateway.personality.serving import SitePersonalities
from gateway.pipeline.answer import Answered
from gateway.pipeline.personality.form import LIMITS, MOST_ITEMS, examine
from gateway.problems import SHORTER_TEXTS
from gateway.routes.operator_sessions import OperatorSessions
from gateway.routes.personality_wire import (
    BODY_BYTES,
    ChangedPersonalityBody,
    ChoiceBody,
    PersonalityBody,
    TryPersonalityBody,
    UndoPersonalityBody,
    choice_document,
    history_document,
    item_document,
    preview_document,
    tried_document,
)
from gateway.routing import question_about, supposed
from gateway.settings import SiteSettings
from gateway.wire import read_json

NO_STORE = {"cache-control": "no-store"}
PATH = "/v1/personalities"
SITE = f"{PATH}/{{site}}"
ITEMS = f"{SITE}/items"
ITEM = f"{ITEMS}/{{name}}"
CHOICE, TOLD, TRY = f"{SITE}/choice", f"{SITE}/told", f"{SITE}/try"
TRIES_AT_ONCE = 4


def personality_routes(front: Front, spoken: SitePersonalities) -> list[Route]:
    """The routes of this resource."""
    own = _Personalities(front, spoken)
    return [
        Route(PATH, own.sites, methods=["GET"]),
        Route(SITE, own.site, methods=["GET"]),
        Route(ITEMS, own.create, methods=["POST"]),
        Route(ITEM, own.item, methods=["GET"]),
        Route(ITEM, own.change, methods=["PUT"]),
        Route(ITEM, own.remove, methods=["DELETE"]),
        Route(f"{ITEM}/undo", own.undo, methods=["POST"]),
        Route(CHOICE, own.use, methods=["PUT"]),
        Route(CHOICE, own.reset, methods=["DELETE"]),
        Route(TOLD, own.told, methods=["POST"]),
        Route(TRY, own.attempt, methods=["POST"]),
    ]


class _Personalities:
    def __init__(self, front: Front, spoken: SitePersonalities) -> None:
        services = front.services
        self._front = front
        self._spoken = spoken
        self._sessions = OperatorSessions(services)
        self._desk = PersonalityDesk(
            spoken, services.truth.personalities, services.clock, services.bell
        )
        limits = services.settings.limits
        self._tries = Capacity("tries", min(TRIES_AT_ONCE, limits.turns_at_once), limits.queue_s)

    async def sites(self, request: Request) -> Response:
        """`GET /v1/personalities`."""
        await self._sessions.reader(request)
        sites = self._front.services.settings.sites
        return _json({"sites": [await self._site_document(site) for site in sites]})

    async def site(self, request: Request) -> Response:
        """`GET /v1/personalities/<site>`: the site, and every personality that it may use."""
        await self._sessions.reader(request)
        site = self._site(request)
        document = await self._site_document(site)
        items = await self._desk.items(site.key)
        in_use = self._spoken.in_use(site.key)
        shown = [item_document(item, in_use) for item in items]
        return _json({**document, "limits": LIMITS, "most_texts": MOST_ITEMS, "items": shown})

    async def create(self, request: Request) -> Response:
        """`POST /v1/personalities/<site>/items`."""
        session = await self._sessions.writer(request)
        site = self._site(request)
        body = await read_json(request, PersonalityBody, BODY_BYTES, SHORTER_TEXTS)
        item = await self._desk.create(site.key, body.personality, session.operator)
        return _json(item_document(item, None), status=201)

    async def item(self, request: Request) -> Response:
        """`GET /v1/personalities/<site>/items/<name>`."""
        await self._sessions.reader(request)
        site, name = self._site(request), request.path_params["name"]
        item = await self._desk.item(site.key, name)
        shown = item_document(item, self._spoken.in_use(site.key))
        history = history_document(await self._desk.history(site.key, name))
        return _json({**shown, "history": history})

    async def change(self, request: Request) -> Response:
        """`PUT /v1/personalities/<site>/items/<name>`."""
        session = await self._sessions.writer(request)
        site, name = self._site(request), request.path_params["name"]
        body = await read_json(request, ChangedPersonalityBody, BODY_BYTES, SHORTER_TEXTS)
        item = await self._desk.change(
            site.key, name, body.personality, session.operator, based_on=body.based_on
        )
        return _json(item_document(item, self._spoken.in_use(site.key)))

    async def remove(self, request: Request) -> Response:
        """`DELETE /v1/personalities/<site>/items/<name>`."""
        session = await self._sessions.writer(request)
        site = self._site(request)
        await self._desk.remove(site.key, request.path_params["name"], session.operator)
        return Response(status_code=204, headers=NO_STORE)

    async def undo(self, request: Request) -> Response:
        """`POST /v1/personalities/<site>/items/<name>/undo`."""
        session = await self._sessions.writer(request)
        site, name = self._site(request), request.path_params["name"]
        body = await read_json(request, UndoPersonalityBody, BODY_BYTES, SHORTER_TEXTS)
        item = await self._desk.undo(site.key, name, session.operator, based_on=body.based_on)
        if item is None:
            return Response(status_code=204, headers=NO_STORE)
        return _json(item_document(item, self._spoken.in_use(site.key)))

    async def use(self, request: Request) -> Response:
        """`PUT /v1/personalities/<site>/choice`."""
        session = await self._sessions.writer(request)
        site = self._site(request)
        body = await read_json(request, ChoiceBody, BODY_BYTES, SHORTER_TEXTS)
        return _json(choice_document(await self._desk.use(site.key, body.name, session.operator)))

    async def reset(self, request: Request) -> Response:
        """`DELETE /v1/personalities/<site>/choice`: the configuration chooses again."""
        session = await self._sessions.writer(request)
        site = self._site(request)
        return _json(choice_document(await self._desk.reset(site.key, session.operator)))

    async def told(self, request: Request) -> Response:
        """`POST /v1/personalities/<site>/told`: what a model would be told; nothing is kept."""
        await self._sessions.writer(request)
        site = self._site(request)
        body = await read_json(request, PersonalityBody, BODY_BYTES, SHORTER_TEXTS)
        return _json(preview_document(self._desk.preview(body.personality, site.locales)))

    async def attempt(self, request: Request) -> Response:
        """`POST /v1/personalities/<site>/try`."""
        await self._sessions.writer(request)
        site = self._site(request)
        body = await read_json(request, TryPersonalityBody, BODY_BYTES, SHORTER_TEXTS)
        answered = await self._answered(site, body)
        return _json(tried_document(answered, site.confidence_threshold))

    async def _answered(self, site: SiteSettings, body: TryPersonalityBody) -> Answered:
        services = self._front.services
        await self._spoken.look(site.key)
        pipeline = self._front.pipeline(site.key)
        if body.personality is not None:
            tried, _ = examine(body.personality)
            told = replace(
                pipeline.site, manner=lambda locale: self._spoken.files.said(tried, locale)
            )
            pipeline = replace(pipeline, site=told)
        asked = question_about(body.question, body.locale or site.default_locale, services.settings)
        # Money is held by the turn's id: each try needs its own.
        turn = new_id("t", int(services.clock() * 1000), services.random(10))
        asked = replace(asked, turn_id=turn)
        hurry = pipeline.hurry()
        with self._tries.place() as place, services.bell.last_words(lambda: hurry.cut(0)):
            caller = supposed(site.key, "console")
            return await pipeline.answer(asked, _ignore, hurry, place.through, caller)

    async def _site_document(self, site: SiteSettings) -> dict[str, object]:
        return {
            "site": site.key,
            "name": site.name,
            "locales": list(site.locales),
            "default_locale": site.default_locale,
            "models": bool(self._front.services.models),
            **choice_document(await self._desk.choice(site.key)),
        }

    def _site(self, request: Request) -> SiteSettings:
        """The site of the address; raises `Problem`."""
        found = self._front.services.settings.site(request.path_params["site"])
        if found is None:
            raise problems.not_found("site")
        return found


def _ignore(_text: str) -> None:
    """The reply is read whole."""


def _json(document: object, status: int = 200) -> JSONResponse:
    return JSONResponse(document, status_code=status, headers=NO_STORE)
