"""The builder on the console's origin: which sites there are, and what embeds one as chosen.

Reads only. Who may is `operator_sessions`' decision, what comes out `snippets`'. Every refusal is a
`Problem` that names the choice.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import StringConstraints
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.encoding import canonical_json
from gateway import problems, wire
from gateway.context import Services
from gateway.loader import Loader, Loaders
from gateway.routes.operator_sessions import OperatorSessions
from gateway.routes.preview import preview_url
from gateway.settings import Settings, SiteSettings
from gateway.snippets import Choices, snippets

NO_STORE = {"cache-control": "no-store"}
LONGEST_PAGE = 2_000


class EmbedQuery(wire.Body):
    """`GET /v1/embed/<site>?…`: how the chat shall be."""

    locale: Annotated[str, StringConstraints(max_length=40)] = ""
    position: Literal["", "left", "right"] = ""
    accent: Annotated[str, StringConstraints(max_length=7)] = ""
    theme: Literal["", "auto", "light", "dark", "contrast"] = ""
    page: Annotated[str, StringConstraints(max_length=LONGEST_PAGE)] = ""

    def choices(self) -> Choices:
        """The same for `snippets`."""
        return Choices(self.locale, self.position, self.accent, self.theme, self.page)


def embed_routes(services: Services) -> list[Route]:
    """The routes of this resource."""
    builder = _Builder(services)
    return [
        Route("/v1/embed", builder.sites, methods=["GET"]),
        Route("/v1/embed/{site}", builder.snippets, methods=["GET"]),
    ]


class _Builder:
    def __init__(self, services: Services) -> None:
        self._settings = services.settings
        self._sessions = OperatorSessions(services)
        self._loaders = Loaders(services.web, services.settings.public_url)

    async def sites(self, request: Request) -> Response:
        """`GET /v1/embed`."""
        await self._sessions.reader(request)
        sites = [site_document(self._settings, site) for site in self._settings.sites]
        return JSONResponse({"sites": sites}, headers=NO_STORE)

    async def snippets(self, request: Request) -> Response:
        """`GET /v1/embed/<site>`."""
        await self._sessions.reader(request)
        site = self._settings.site(request.path_params["site"])
        if site is None:
            raise problems.not_found("site")
        query = wire.parse(EmbedQuery, canonical_json(dict(request.query_params)))
        made = snippets(self._settings.public_url, site, query.choices(), self._loader())
        return JSONResponse(made.document(), headers=NO_STORE)

    def _loader(self) -> Loader:
        if self._loaders.current is None:
            raise problems.unavailable("The web assets are not built: run `make run`.")
        return self._loaders.current


def site_document(settings: Settings, site: SiteSettings) -> dict[str, Any]:
    """What there is to choose from, and what is so where nothing is chosen."""
    return {
        "site": site.key,
        "name": site.name,
        "locales": list(site.locales),
        "default_locale": site.default_locale,
        "accent": site.accent,
        "theme": site.theme,
        "origins": list(site.origins),
        "preview": preview_url(settings, site),
    }
