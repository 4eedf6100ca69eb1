"""`GET /v1/routing/explain`, on the console's origin: why this model, step by step.

For operators. No model is asked, no money held, no rate counted, and nothing kept.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.encoding import canonical_json
from gateway import problems, wire
from gateway.front import Front
from gateway.pipeline.explain import explain
from gateway.routes.operator_sessions import OperatorSessions
from gateway.routing import Channel, question_about, supposed
from gateway.settings import SiteSettings

PATH = "/v1/routing/explain"


class ExplainQuery(wire.Body):
    """`GET /v1/routing/explain?…`; `site` may be left out where there is one.

    `channel` and `user` (`<issuer>|<sub>`) say who would ask.
    """

    question: wire.Question
    site: Annotated[str, StringConstraints(max_length=64)] = ""
    locale: Annotated[str, StringConstraints(pattern=r"^([a-z]{2,3})?$")] = ""
    channel: Channel = "widget"
    user: Annotated[str, StringConstraints(max_length=400)] = ""


def routing_routes(front: Front) -> list[Route]:
    """The routes of this resource."""
    return [Route(PATH, _Explainer(front).explain, methods=["GET"])]


class _Explainer:
    def __init__(self, front: Front) -> None:
        self._front = front
        self._sessions = OperatorSessions(front.services)

    async def explain(self, request: Request) -> Response:
        """`GET /v1/routing/explain`."""
        await self._sessions.reader(request)
        query = wire.parse(ExplainQuery, canonical_json(dict(request.query_params)))
        site = self._site(query.site)
        asked = question_about(
            query.question, query.locale or site.default_locale, self._front.services.settings
        )
        caller = supposed(site.key, query.channel, query.user or None)
        found = await explain(self._front.pipeline(site.key), asked, caller)
        document = {"site": site.key, "channel": query.channel, **found.document()}
        return JSONResponse(document, headers={"cache-control": "no-store"})

    def _site(self, key: str) -> SiteSettings:
        """The site of this key, or the only one; raises `Problem`."""
        settings = self._front.services.settings
        if key:
            found = settings.site(key)
            if found is None:
                raise problems.not_found("site")
            return found
        if len(settings.sites) != 1:
            raise problems.invalid("site", "There is more than one site.", "Name one of them.")
        return settings.sites[0]
