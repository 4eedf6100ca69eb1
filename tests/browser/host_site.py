"""Websites that embed the widget: pages that a test writes, under a policy that it chooses."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tests.browser.product import FANLIGHT, Product
from tests.gateway.serving import free_port, served

WEB = Path(__file__).resolve().parents[2] / "web"
PAGE = "<!doctype html><html lang=en><head><title>Shop</title></head><body>{body}</body></html>"


@dataclass
class HostSite:
    """A website. `pages` holds a body for each path; `policy` goes with every page.

    `documents` holds whole documents, each with headers of its own.
    """

    port: int = field(default_factory=free_port)
    pages: dict[str, str] = field(default_factory=dict)
    policy: str = ""
    files: Path | None = None
    documents: dict[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """As browsers say it."""
        return f"http://localhost:{self.port}"

    def show(self, body: str, path: str = "/", policy: str = "") -> str:
        """Put a page there; its address."""
        self.pages[path] = body
        self.policy = policy
        return self.origin + path

    def put(self, document: str, path: str, headers: Mapping[str, str] | None = None) -> str:
        """Put a whole document there, doctype and all or without; its address."""
        self.documents[path] = (document, headers or {})
        return self.origin + path

    async def _page(self, request: Request) -> Response:
        if whole := self.documents.get(request.url.path):
            return HTMLResponse(whole[0], headers=whole[1])
        body = self.pages.get(request.url.path)
        if body is None:
            return Response(status_code=204 if request.url.path == "/favicon.ico" else 404)
        headers = {"content-security-policy": self.policy} if self.policy else {}
        return HTMLResponse(PAGE.format(body=body), headers=headers)

    @contextmanager
    def open(self) -> Iterator[HostSite]:
        """Serve it."""
        packages = StaticFiles(directory=WEB / "packages", check_dir=False)
        routes: list[Route | Mount] = [Mount("/packages", packages)]
        if self.files is not None:
            routes.append(Mount("/files", StaticFiles(directory=self.files)))
        routes.append(Route("/{path:path}", self._page))
        with served(Starlette(routes=routes), self.port):
            yield self


async def embedded(product: Product, site: str) -> dict[str, Any]:
    """What `fanlight embed` prints for a site."""
    arguments = ["embed", site, "--config", str(product.config), "--json"]
    shown: dict[str, Any] = json.loads(await output(str(FANLIGHT), *arguments, env=product.environ))
    return shown


async def output(
    *command: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> bytes:
    """What a command prints, once it has succeeded."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return out
