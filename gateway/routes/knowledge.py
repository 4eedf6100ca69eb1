"""The knowledge desk on the console's origin: read, write and publish a site's entries.

Who may do any of it is `operator_sessions`' decision, what becomes of it the desk's. Every refusal
is a `Problem`; nothing may be kept by a browser or on the way.
"""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.encoding import timestamp
from core.knowledge import Key
from core.workshop import WorkFailed
from gateway.context import Services
from gateway.knowledge.desk import Desk
from gateway.knowledge.draft import Draft, Item
from gateway.knowledge.listing import Wanted, listed
from gateway.knowledge.publishing import published_recipe, recipe_of
from gateway.problems import SHORTER_TEXTS
from gateway.routes.knowledge_wire import (
    BODY_BYTES,
    EditBody,
    NewEntryBody,
    building_document,
    cursor,
    entries_query,
    entry_document,
    fields,
    history_document,
)
from gateway.routes.operator_sessions import OperatorSessions
from gateway.wire import read_json

NO_STORE = {"cache-control": "no-store"}
SITE = "/v1/knowledge/{site}"


def knowledge_routes(services: Services, desk: Desk) -> list[Route]:
    """The routes of this resource."""
    own = _Entries(services, desk)
    entries, one = f"{SITE}/entries", f"{SITE}/entries/{{entry_id}}/{{locale}}"
    return [
        Route("/v1/knowledge", own.sites, methods=["GET"]),
        Route(entries, own.entries, methods=["GET"]),
        Route(entries, own.create, methods=["POST"]),
        Route(one, own.entry, methods=["GET"]),
        Route(one, own.change, methods=["PUT"]),
        Route(one, own.remove, methods=["DELETE"]),
        Route(f"{one}/undo", own.undo, methods=["POST"]),
        Route(f"{SITE}/publish", own.publish, methods=["POST"]),
    ]


class _Entries:
    def __init__(self, services: Services, desk: Desk) -> None:
        self._desk = desk
        self._sessions = OperatorSessions(services)
        self._sites = [site.key for site in services.settings.sites]

    async def sites(self, request: Request) -> Response:
        """`GET /v1/knowledge`."""
        await self._sessions.reader(request)
        return json_response(
            {"sites": [await site_document(self._desk, key) for key in self._sites]}
        )

    async def entries(self, request: Request) -> Response:
        """`GET /v1/knowledge/<site>/entries`: a page; `next` is where the following one begins."""
        await self._sessions.reader(request)
        site, query = self._site(request), entries_query(request.query_params)
        wanted = Wanted(query.q, query.locale, query.state, query.beyond(), query.limit)
        items = (await self._desk.draft(site)).items(self._desk.live(site))
        # A search through thousands of entries: visitors do not wait for it.
        page = await asyncio.to_thread(listed, items, wanted)
        return json_response(
            {
                "items": [entry_document(item) for item in page.items],
                "next": cursor(page.items[-1].entry) if page.more else None,
                "total": page.total,
            }
        )

    async def create(self, request: Request) -> Response:
        """`POST /v1/knowledge/<site>/entries`."""
        session = await self._sessions.writer(request)
        site = self._site(request)
        body = await read_json(request, NewEntryBody, BODY_BYTES, SHORTER_TEXTS)
        entry = body.entry(body.id or "", body.locale)
        translates = body.id is not None
        item = await self._desk.create(site, entry, session.operator, translates=translates)
        return json_response(entry_document(item), status=201)

    async def entry(self, request: Request) -> Response:
        """`GET /v1/knowledge/<site>/entries/<id>/<locale>`."""
        await self._sessions.reader(request)
        site, key = self._site(request), _key(request)
        item, draft = await self._desk.item(site, key), await self._desk.draft(site)
        file = draft.files.get(key)
        more = {
            "history": history_document(draft.history(key)),
            "file": None if file is None else fields(file),
        }
        return json_response(entry_document(item) | more)

    async def change(self, request: Request) -> Response:
        """`PUT /v1/knowledge/<site>/entries/<id>/<locale>`."""
        session = await self._sessions.writer(request)
        site, key = self._site(request), _key(request)
        was = (await self._desk.item(site, key)).entry
        body = await read_json(request, EditBody, BODY_BYTES, SHORTER_TEXTS)
        entry = body.entry(*key, was)
        item = await self._desk.change(site, entry, session.operator, based_on=body.based_on)
        return json_response(entry_document(item))

    async def remove(self, request: Request) -> Response:
        """`DELETE /v1/knowledge/<site>/entries/<id>/<locale>`."""
        session = await self._sessions.writer(request)
        site, key = self._site(request), _key(request)
        return _left(await self._desk.remove(site, key, session.operator))

    async def undo(self, request: Request) -> Response:
        """`POST /v1/knowledge/<site>/entries/<id>/<locale>/undo`."""
        session = await self._sessions.writer(request)
        site, key = self._site(request), _key(request)
        return _left(await self._desk.undo(site, key, session.operator))

    async def publish(self, request: Request) -> Response:
        """`POST /v1/knowledge/<site>/publish`."""
        session = await self._sessions.writer(request)
        building = await self._desk.publish(self._site(request), session.operator)
        return json_response({"building": building_document(building)}, status=202)

    def _site(self, request: Request) -> str:
        return self._desk.site(request.path_params["site"]).key


def _key(request: Request) -> Key:
    return request.path_params["entry_id"], request.path_params["locale"]


def _left(item: Item | None) -> Response:
    """What is left of an entry; nothing, where it was never live."""
    if item is None:
        return Response(status_code=204, headers=NO_STORE)
    return json_response(entry_document(item))


async def site_document(desk: Desk, key: str) -> dict[str, Any]:
    """A site as the console reads it; raises `Problem` and `Unavailable`.

    One whose files cannot be read now is shown as it is live, with the reason.
    """
    site, unread = desk.site(key), None
    try:
        draft = await desk.draft(key)
    except WorkFailed as error:
        draft, unread = Draft(desk.live(key).entries, ()), str(error)
    marks = await desk.store.marks(key)
    recipe = await recipe_of(desk.store, key, draft)
    # From here on nothing waits for the store: what is live, when it was published, and whether a
    # build is over go together.
    published = await desk.publisher.published(key)
    live = desk.live(key)
    return {
        "site": key,
        "name": site.name,
        "locales": list(site.locales),
        "default_locale": site.default_locale,
        "entries": len(draft.entries),
        "release": live.release,
        "published_at": timestamp(published.at) if published else None,
        "changes": draft.changes(live),
        "unpublished": not unread and recipe != published_recipe(draft, published),
        "threshold": site.confidence_threshold,
        "out_of_scope": recipe.out_of_scope,
        "marks": len(marks),
        "building": building_document(desk.publisher.building(key)),
        "failed": unread or desk.publisher.failed(key),
    }


def json_response(document: object, status: int = 200) -> JSONResponse:
    """A response that nobody keeps."""
    return JSONResponse(document, status_code=status, headers=NO_STORE)
