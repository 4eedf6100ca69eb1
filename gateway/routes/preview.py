"""The builder's preview: the real loader and the real panel, on a page of the gateway's own.

Decides who may frame it: the console, and nobody else. It has a page of its own, rather than one of
the console's, so that no script of the visitors' origin runs where operators are logged in. Nobody
need be logged in to see it: it shows what every visitor of the site is shown, and its panel keeps
and sends nothing. The theme is part of the address, as the loader takes the panel from below it.
"""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway import problems
from gateway.configuration.rules import THEMES
from gateway.context import Services
from gateway.loader import CURRENT, make_loader
from gateway.routes.documents import (
    REVALIDATED,
    Documents,
    content_security_policy,
    send_loader,
    send_packed,
    with_config,
)
from gateway.settings import Settings, SiteSettings
from gateway.shelf import Shelf

PAGE = "preview.html"


def preview_url(settings: Settings, site: SiteSettings) -> str:
    """Where the builder finds it."""
    return f"{settings.public_url}/preview/{site.key}"


def preview_routes(services: Services, shelf: Shelf) -> list[Route]:
    """The routes of the gateway's origin that the builder frames."""
    previews = _Previews(services, shelf)
    return [
        Route("/preview/{site_key}", previews.page),
        Route("/preview/{theme}/loader.js", previews.loader),
        Route("/preview/{theme}/panel/{site_key}", previews.panel),
    ]


class _Previews:
    def __init__(self, services: Services, shelf: Shelf) -> None:
        self._services = services
        self._settings = services.settings
        self._documents = Documents(services, shelf)

    async def page(self, request: Request) -> Response:
        """`GET /preview/<site>`: a host page, as a website would be."""
        site = self._documents.site(request)
        page = self._services.web.get(PAGE)
        if page is None:
            raise problems.unavailable("The web assets are not built: run `make run`.")
        config = {
            "site_key": site.key,
            "console": self._settings.console_url,
            "locale": site.default_locale,
            "theme": site.theme,
        }
        policy = content_security_policy(self._settings.console_url, frames="'self'")
        headers = {"cache-control": REVALIDATED, "content-security-policy": policy}
        html = with_config(page.content.decode(), config).encode()
        return send_packed(request, html, "text/html; charset=utf-8", headers)

    async def loader(self, request: Request) -> Response:
        """`GET /preview/<theme>/loader.js`: today's, for a gateway below this address."""
        theme, built = _theme(request), self._services.web.get(CURRENT)
        if built is None:
            raise problems.unavailable("The web assets are not built: run `make run`.")
        made = make_loader(built, f"{self._settings.public_url}/preview/{theme}")
        return send_loader(request, made, REVALIDATED)

    async def panel(self, request: Request) -> Response:
        """`GET /preview/<theme>/panel/<site>`: the panel, in a frame of the page above."""
        site = replace(
            self._documents.site(request), theme=_theme(request), turnstile=None, encoder=None
        )
        # Every window around it counts: the page, and the console around that.
        ancestors = f"'self' {self._settings.console_url}"
        own = {
            "preview": True,
            "host_origins": [self._settings.public_url],
            "local_models": [],
        }
        return self._documents.document(request, site, "panel", ancestors, own)


def _theme(request: Request) -> str:
    theme: str = request.path_params["theme"]
    if theme not in THEMES:
        raise problems.not_found("theme")
    return theme
