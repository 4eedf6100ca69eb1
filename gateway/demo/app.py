"""A host page for the widget, as a site owner's server would serve it: one script tag.

Decides the page's own Content-Security-Policy, which is strict and names the gateway in
`script-src` and `frame-src` alone: what the README promises to site owners is what this page lives
by. It refuses everything but its few files.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from importlib import resources
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.loader import policy_lines

PAGES: Final = {"/": "index.html", "/es": "es.html", "/he": "he.html"}
FILES: Final = {"/style.css": "text/css", "/fanlight.svg": "image/svg+xml"}


def content_security_policy(gateway: str) -> str:
    """The page's policy; only the gateway may run a script or fill a frame."""
    return "; ".join(
        (
            "default-src 'none'",
            *(f"{directive} {source}" for directive, source in policy_lines(gateway).items()),
            "style-src 'self'",
            "img-src 'self' data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def create_demo(gateway: str, site: str) -> Starlette:
    """The page in three languages, embedding `site` from the gateway's public address."""
    headers = {
        "content-security-policy": content_security_policy(gateway),
        "cache-control": "no-cache",
        "referrer-policy": "strict-origin-when-cross-origin",
        "x-content-type-options": "nosniff",
    }
    words = {"__FANLIGHT_GATEWAY__": escape(gateway), "__FANLIGHT_SITE__": escape(site)}
    pages = [
        _route(path, _filled(_static(name), words), "text/html", headers)
        for path, name in PAGES.items()
    ]
    files = [
        _route(path, _static(path.removeprefix("/")), media_type, headers)
        for path, media_type in FILES.items()
    ]
    return Starlette(routes=[*pages, *files])


def _route(path: str, content: str, media_type: str, headers: Mapping[str, str]) -> Route:
    async def answer(_: Request) -> Response:
        return Response(content, headers=headers, media_type=media_type)

    return Route(path, answer)


def _static(name: str) -> str:
    return resources.files("gateway.demo").joinpath("static", name).read_text(encoding="utf-8")


def _filled(page: str, words: Mapping[str, str]) -> str:
    for token, word in words.items():
        page = page.replace(token, word)
    return page
