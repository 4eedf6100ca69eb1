"""The documents and files that browsers load: loader, panel, chat page, assets, knowledge base.

The panel may be embedded by its site's origins only; the chat page by nobody. What a document must
know of its site stands in it as JSON, put there by the server and never taken from the page.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from hashlib import sha256
from html import escape
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway import __version__, problems
from gateway.attendance import openings
from gateway.context import PackedEmbedding, Services, WebFile
from gateway.days import day_in
from gateway.loader import Loader, Loaders
from gateway.middleware.headers import permissions_policy
from gateway.routes import greetings, models, web_app
from gateway.settings import SiteSettings
from gateway.shelf import Shelf
from kb import Index

FOREVER = "public, max-age=31536000, immutable"
REVALIDATED = "no-cache"
LOADER_AGE = "public, max-age=300"
EMBEDDABLE = {
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "cross-origin",
}
ISOLATED = {"document-isolation-policy": "isolate-and-require-corp"}
STARTER = "starter"
STARTERS = 4
LEAST_PATIENCE_MS = 5_000
TURNSTILE_ORIGIN = "https://challenges.cloudflare.com"


def content_security_policy(
    frame_ancestors: str, *, turnstile: bool = False, frames: str = ""
) -> str:
    """The policy of our own pages: nothing but our own files, and no inline code.

    With `turnstile` its script and its frame are let in too, with `frames` what those name.
    """
    script = ""
    if turnstile:
        script, frames = f" {TURNSTILE_ORIGIN}", f"{frames} {TURNSTILE_ORIGIN}".strip()
    frame = f"frame-src {frames}; " if frames else ""
    return (
        f"default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{script}; worker-src 'self'; "
        f"{frame}"
        "connect-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
        "manifest-src 'self'; base-uri 'none'; form-action 'none'; "
        f"frame-ancestors {frame_ancestors}; require-trusted-types-for 'script'; "
        "trusted-types default"
    )


class Documents:
    """The endpoints over one gateway's services and what it serves."""

    def __init__(self, services: Services, shelf: Shelf) -> None:
        self._services = services
        self._shelf = shelf
        self._settings = services.settings
        self._clock = services.clock
        self._build = _build_of(services)
        greeting = (site.key for site in self._settings.sites if site.greetings)
        self._loaders = Loaders(services.web, self._settings.public_url, greeting)

    async def loader(self, request: Request) -> Response:
        """`GET /loader.js`: what a host page embeds, with this gateway's origin in it."""
        if self._loaders.served is None:
            raise problems.unavailable("The web assets are not built: run `make run`.")
        return send_loader(request, self._loaders.served, LOADER_AGE)

    async def pinned_loader(self, request: Request) -> Response:
        """`GET /loader.<hash>.js`: the same bytes for good, for a page that pins them."""
        found = self._loaders.named(f"loader.{request.path_params['hash']}.js")
        if found is None:
            raise problems.not_found("loader")
        return send_loader(request, found, FOREVER)

    async def panel(self, request: Request) -> Response:
        """`GET /panel/<site>`: the document of the iframe."""
        site = self.site(request)
        response = self.document(request, site, "panel", _ancestors(site))
        if site.turnstile is None:
            # A cross-origin isolated page shows only frames that ask the same of all they load.
            response.headers.update(EMBEDDABLE)
        response.headers.update(_isolation(site))
        return response

    async def chat(self, request: Request) -> Response:
        """`GET /chat/<site>`: the panel on a page of its own."""
        site = self.site(request)
        response = self.document(request, site, "chat", "'none'")
        response.headers.update(_isolation(site))
        return response

    async def greeter(self, request: Request) -> Response:
        """`GET /greet/<site>`: the document of the bubble beside the launcher."""
        site = self.site(request)
        html = with_config(self._page("greeter.html").content.decode(), greetings.config(site))
        headers = {
            "cache-control": LOADER_AGE,
            "content-security-policy": content_security_policy(_ancestors(site)),
            **EMBEDDABLE,
        }
        return send_packed(request, html.encode(), "text/html; charset=utf-8", headers)

    async def app_manifest(self, request: Request) -> Response:
        """`GET /chat/<site>/app.webmanifest`: what installs the chat page as an app."""
        site = self.site(request)
        page = self._page().content.decode()
        headers = {"cache-control": REVALIDATED}
        return send_packed(request, web_app.manifest(site, page), web_app.MEDIA_TYPE, headers)

    def _page(self, name: str = "panel.html") -> WebFile:
        page = self._services.web.get(name)
        if page is None:
            raise problems.unavailable("The web assets are not built: run `make run`.")
        return page

    def document(
        self,
        request: Request,
        site: SiteSettings,
        mode: str,
        ancestors: str,
        own: Mapping[str, object] = MappingProxyType({}),
    ) -> Response:
        """The panel's document for this site; `own` stands in place of the configuration's."""
        html = with_config(self._page().content.decode(), {**self._config(site, mode), **own})
        if mode == "chat":
            link = f'<link rel="manifest" href="{web_app.manifest_path(site)}">'
            html = html.replace("</head>", f"{link}</head>", 1)
        html = html.replace("<title>Fanlight</title>", f"<title>{escape(site.name)}</title>", 1)
        headers = {
            "cache-control": REVALIDATED,
            "content-security-policy": content_security_policy(
                ancestors, turnstile=site.turnstile is not None
            ),
            "permissions-policy": permissions_policy(microphone=site.voice),
        }
        return send_packed(request, html.encode(), "text/html; charset=utf-8", headers)

    def _config(self, site: SiteSettings, mode: str) -> dict[str, object]:
        knowledge = self._shelf[site.key]
        index, release = knowledge.index, knowledge.index.release
        today = day_in(site.time_zone, self._clock())
        greeting = {at: index.text("greeting", at, today=today) for at in site.locales}
        return {
            "site_key": site.key,
            "mode": mode,
            "gateway": self._settings.public_url,
            "authority": self._settings.authority,
            "host_origins": list(site.origins),
            "name": site.name,
            "accent": site.accent,
            "theme": site.theme,
            "locales": list(site.locales),
            "default_locale": site.default_locale,
            "confidence_threshold": site.confidence_threshold,
            "first_word_ms": _patience_ms(self._settings.limits.first_token_s),
            "time_zone": site.time_zone,
            "hours": openings(site, self._clock()),
            "greeting": greeting,
            "greetings": greetings.texts(site),
            "voice": site.voice,
            "starters": {locale: _starters(index, locale, today) for locale in site.locales},
            "kb": {
                "url": f"/kb/{site.key}/{release}.idx",
                "release": release,
                "bytes": len(knowledge.packed),
                "embedding": _embedding(knowledge.embedding),
            },
            "local_models": models.offered(site, self._services.local_models),
            **self._seldom(site),
            "version": __version__,
            "build": self._build,
        }

    def _seldom(self, site: SiteSettings) -> dict[str, object]:
        """What few sites have; the others' first screen is spared it."""
        seldom: dict[str, object] = {
            "risk_topics": {topic.name: list(topic.words) for topic in site.risk_topics},
            "encoder": models.encoder(site, self._services.local_models),
        }
        return {name: value for name, value in seldom.items() if value}

    async def knowledge(self, request: Request) -> Response:
        """`GET /kb/<site>/<release>.idx`: the index as the browser's own copy of it."""
        site = self.site(request)
        knowledge = self._shelf.release(site.key, request.path_params["release"])
        if knowledge is None:
            raise problems.not_found("release")
        return _immutable(request, knowledge.packed, knowledge.index.release)

    async def embedding(self, request: Request) -> Response:
        """`GET /kb/embedding/<release>.bin`: the embedding that indexes were built with."""
        release = request.path_params["release"]
        for knowledge in self._shelf.values():
            found = knowledge.embedding
            if found is not None and found.table.release == release:
                return _immutable(request, found.packed, release)
        raise problems.not_found("release")

    def site(self, request: Request) -> SiteSettings:
        """The site that the address names; raises `Problem`."""
        site = self._settings.site(request.path_params["site_key"])
        if site is None:
            raise problems.unknown_site()
        return site


def _ancestors(site: SiteSettings) -> str:
    """Who may put a document of this site into a frame."""
    return " ".join(site.origins) or "'none'"


def _isolation(site: SiteSettings) -> dict[str, str]:
    """What a page needs in which a model may use several threads, where its browser knows it.

    Turnstile's frame would not be shown in it.
    """
    return {} if site.turnstile or not site.local_models else ISOLATED


def _embedding(found: PackedEmbedding | None) -> dict[str, object] | None:
    if found is None:
        return None
    release = found.table.release
    url = f"/kb/embedding/{release}.bin"
    return {"url": url, "release": release, "bytes": len(found.packed)}


def _immutable(request: Request, content: bytes, release: str) -> Response:
    """A file that its address names by its content: kept for good, and not sent twice."""
    headers = {"cache-control": FOREVER, "etag": f'"{release}"'}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="application/octet-stream", headers=headers)


def with_config(page: str, config: Mapping[str, object]) -> str:
    """The page, with what it must know as JSON in its head."""
    text = json.dumps(config, ensure_ascii=False).replace("<", "\\u003c")
    block = f'<script type="application/json" id="fanlight-config">{text}</script>'
    return page.replace("</head>", f"{block}</head>", 1)


def send_loader(request: Request, loader: Loader, cache_control: str) -> Response:
    """A loader, under brotli where it is there and the browser takes it."""
    headers = {
        "cache-control": cache_control,
        "cross-origin-resource-policy": "cross-origin",
        # A browser checks the bytes of another origin's script only where it may read them.
        "access-control-allow-origin": "*",
    }
    media_type = "text/javascript; charset=utf-8"
    if loader.brotli is None or "br" not in request.headers.get("accept-encoding", ""):
        return send_packed(request, loader.content, media_type, headers)
    headers |= {"content-encoding": "br", "vary": "accept-encoding"}
    return Response(loader.brotli, media_type=media_type, headers=headers)


def send_packed(
    request: Request, content: bytes, media_type: str, headers: dict[str, str]
) -> Response:
    """A small text made by the server, under gzip where the browser takes it."""
    if "gzip" in request.headers.get("accept-encoding", ""):
        content = gzip.compress(content, mtime=0)
        headers["content-encoding"] = "gzip"
    headers["vary"] = "accept-encoding"
    return Response(content, media_type=media_type, headers=headers)


def _patience_ms(first_token_s: float) -> int:
    """How long a panel waits for a first word: as long as the gateway does, and for the way."""
    return max(LEAST_PATIENCE_MS, round((first_token_s + 1) * 1000))


def _starters(index: Index, locale: str, today: str) -> list[str]:
    """The questions that the owner tagged `starter`: offered before the visitor has asked."""
    tagged = (entry for entry in index.entries if STARTER in entry.tags)
    shown = (entry for entry in tagged if index.slots.is_shown(entry, today))
    return [entry.question for entry in shown if entry.locale == locale][:STARTERS]


def _build_of(services: Services) -> str:
    """The hash that names this build of the web assets."""
    listed = services.web.get("precache.json")
    if listed is None:
        return "none"
    try:
        return str(json.loads(listed.content)["build"])
    except (ValueError, LookupError, TypeError):
        return sha256(listed.content).hexdigest()[:12]


class Assets:
    """Static files of the build; the same for the gateway's origin and the console's."""

    def __init__(self, services: Services) -> None:
        self._web = services.web

    async def asset(self, request: Request) -> Response:
        """`GET /assets/<name>`: a file whose name holds its hash."""
        return self.file(request, f"assets/{request.path_params['name']}", FOREVER)

    async def service_worker(self, request: Request) -> Response:
        """`GET /sw.js`."""
        response = self.file(request, "sw.js", REVALIDATED)
        response.headers["service-worker-allowed"] = "/"
        return response

    def file(self, request: Request, name: str, cache_control: str) -> Response:
        """One built file, under brotli where the browser takes it; raises `Problem`."""
        found = self._web.get(name)
        if found is None:
            raise problems.not_found("file")
        headers = {"cache-control": cache_control, "vary": "accept-encoding"}
        content = found.content
        if found.brotli is not None and "br" in request.headers.get("accept-encoding", ""):
            content = found.brotli
            headers["content-encoding"] = "br"
        # A worker has the policy of its own response, so scripts carry the panel's.
        if found.media_type.startswith("text/javascript"):
            headers["content-security-policy"] = content_security_policy("'none'")
            headers |= EMBEDDABLE
        return Response(content, media_type=found.media_type, headers=headers)


def document_routes(services: Services, shelf: Shelf) -> list[Route]:
    """The routes of the gateway's origin."""
    documents, assets = Documents(services, shelf), Assets(services)
    return [
        Route("/loader.js", documents.loader),
        Route("/loader.{hash}.js", documents.pinned_loader),
        Route("/panel/{site_key}", documents.panel),
        Route("/chat/{site_key}", documents.chat),
        Route("/greet/{site_key}", documents.greeter),
        Route("/chat/{site_key}/app.webmanifest", documents.app_manifest),
        Route("/kb/{site_key}/{release}.idx", documents.knowledge),
        Route("/kb/embedding/{release}.bin", documents.embedding),
        Route("/sw.js", assets.service_worker),
        Route("/assets/{name:path}", assets.asset),
        *models.model_routes(services),
    ]


def console_document_routes(services: Services) -> list[Route]:
    """The routes of the console's origin that serve files."""
    assets = Assets(services)
    # The builder frames its preview, which stands on the visitors' origin.
    policy = content_security_policy("'none'", frames=services.settings.public_url)
    policy = policy.replace(" 'wasm-unsafe-eval'", "")

    async def console(request: Request) -> Response:
        """`GET /`: the operator's console."""
        response = assets.file(request, "console.html", REVALIDATED)
        response.headers["content-security-policy"] = policy
        return response

    return [Route("/", console), Route("/assets/{name:path}", assets.asset)]
