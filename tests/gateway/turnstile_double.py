"""Cloudflare's siteverify on this machine: a real server that answers as its documentation says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.gateway.serving import served

SECRET = "0x4AAAAAAA-secret-for-tests"


@dataclass
class Double:
    """Knows the tokens that its widget gave, each good once; `broken` stands for its answers."""

    url: str = ""
    tokens: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    broken: Response | None = None

    async def siteverify(self, request: Request) -> Response:
        form = {
            name: values[0] for name, values in parse_qs((await request.body()).decode()).items()
        }
        self.asked.append(form)
        if self.broken is not None:
            return self.broken
        if form.get("secret") != SECRET:
            return _refused("invalid-input-secret")
        token = form.get("response", "")
        if not token:
            return _refused("missing-input-response")
        if token in self.used:
            return _refused("timeout-or-duplicate")
        if token not in self.tokens:
            return _refused("invalid-input-response")
        self.used.add(token)
        given = {"challenge_ts": "2026-11-28T10:00:00.000Z", "error-codes": []}
        return JSONResponse({"success": True, **given, **self.tokens[token]})


def _refused(code: str) -> Response:
    return JSONResponse({"success": False, "error-codes": [code], "messages": []})


@contextmanager
def siteverify() -> Iterator[Double]:
    """The double, while it answers."""
    double = Double()
    app = Starlette(routes=[Route("/turnstile/v0/siteverify", double.siteverify, methods=["POST"])])
    with served(app) as origin:
        double.url = f"{origin}/turnstile/v0/siteverify"
        yield double
