"""`POST /v1/chat/completions` and `GET /v1/models`: OpenAI's dialect for a site's own server.

A site's API key says whose call it is; nothing is signed or escalated, only numbers are kept, and
no receipt is given: whoever calls decides what follows from `fanlight.escalate`. A caller that
leaves ends its turn. Words come once they are judged, also in a stream: such a client cannot take
them back.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.errors import Unavailable
from core.messages import ChatRequest
from core.model_routing.caller import server
from gateway import problems, sse, wire
from gateway.capacity import Capacity, Place
from gateway.completions import MODEL, CompletionBody, chunks, completion
from gateway.front import Front
from gateway.pipeline.answer import Answered
from gateway.routes.chat import LAST_WORD_S, kept_of, tell
from gateway.routing import nameable
from gateway.settings import SiteSettings

_log = logging.getLogger(__name__)


class Completions:
    """The endpoints over one front."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._limits = front.services.settings.limits
        self._turns = Capacity("turns", self._limits.turns_at_once, self._limits.queue_s)

    async def complete(self, request: Request) -> Response:
        """Answer the last message."""
        site = await self._site(request)
        body = await wire.read_json(request, CompletionBody, self._limits.body_bytes)
        asked = body.value(site.default_locale, self._limits.max_tokens, self._nameable(site))
        with self._turns.place() as place:
            answered = await self._unless_left(request, self._answer(site, asked, place))
        if answered is None:
            return Response(status_code=499)
        created = int(self._front.services.clock())
        if not body.stream:
            document = completion(answered, created)
            return JSONResponse(document, headers={"cache-control": "no-store"})
        usage = body.stream_options is not None and body.stream_options.include_usage

        async def events() -> AsyncIterator[bytes]:
            for event in chunks(answered, created, usage=usage):
                yield event

        return sse.stream(events())

    async def models(self, request: Request) -> Response:
        """Fanlight as a model, and the models that this key may name."""
        names = (MODEL, *self._nameable(await self._site(request)))
        data = [
            {"id": name, "object": "model", "created": 0, "owned_by": "fanlight"} for name in names
        ]
        document = {"object": "list", "data": data}
        return JSONResponse(document, headers={"cache-control": "no-store"})

    def _nameable(self, site: SiteSettings) -> tuple[str, ...]:
        settings = self._front.services.settings
        return nameable(settings, self._front.resolver, server(site.key))

    async def _site(self, request: Request) -> SiteSettings:
        """The site whose key this is; raises `Problem`."""
        address = request.client.host if request.client else ""
        await self._front.integrity.limit_address("api", address, self._limits.address_per_minute)
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        found = None
        # Every key is compared, so that the time taken says nothing of which is near.
        for site in self._front.services.settings.sites:
            key = site.api_key.reveal().encode()
            same = hmac.compare_digest(given.strip().encode(), key)
            if key and same and scheme.lower() == "bearer":
                found = site
        if found is None:
            raise problems.bad_api_key()
        await self._front.integrity.limit_site("api", found.key, self._limits.site_per_minute)
        return found

    async def _answer(self, site: SiteSettings, asked: ChatRequest, place: Place) -> Answered:
        services = self._front.services
        pipeline = self._front.pipeline(site.key)
        hurry = pipeline.hurry()
        with (
            services.telemetry.span("turn", turn=asked.turn_id, site=site.key),
            services.bell.last_words(lambda: hurry.cut(LAST_WORD_S)),
        ):
            answered = await pipeline.answer(asked, _ignore, hurry, place.through, server(site.key))
        tell(services.telemetry, site.key, answered.turn)
        await self._keep(site.key, answered)
        return answered

    async def _keep(self, site: str, answered: Answered) -> None:
        """Keep the turn's numbers; an answer that is there is given even where that fails."""
        kept = kept_of(answered.trajectory, owned=False)
        if kept is None:
            return
        try:
            await self._front.services.truth.learning.add(site, kept)
        except Unavailable as exc:
            _log.warning("a turn's numbers were not kept: %s", exc)

    async def _unless_left(
        self, request: Request, answering: Coroutine[Any, Any, Answered]
    ) -> Answered | None:
        """The answer; None where the caller left before it, which ends the turn."""
        task = asyncio.ensure_future(answering)
        leaving = asyncio.ensure_future(_left(request))
        try:
            await asyncio.wait((task, leaving), return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            task.cancel()
            leaving.cancel()
            await asyncio.wait((task, leaving))


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _ignore(text: str) -> None:
    """Words are given once they are judged."""


def completion_routes(front: Front) -> list[Route]:
    """The routes of this resource; none where no site has an API key."""
    if not any(site.api_key for site in front.services.settings.sites):
        return []
    made = Completions(front)
    return [
        Route("/v1/chat/completions", made.complete, methods=["POST"]),
        Route("/v1/models", made.models, methods=["GET"]),
    ]
