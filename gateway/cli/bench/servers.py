"""The servers that the benchmark compares: each an ASGI app on a port that is already bound.

`echo` and `bare` are what anyone would write with Starlette, and with httpx before a model.
`signed` is that echo again behind the gateway's own stack and nothing else, so that the two differ
by what a signature costs. `gateway` is the product as `run` serves it: keys in a file, SQLite
synced at every commit, the outbox running. Quotas and the patience with the model and with a
queue alone are raised; `crowded` has its own patience.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from core.model_routing.decision import Price, Tier
from core.model_routing.resolve import Layers
from gateway.app import ByHost, create_app
from gateway.cli.bench.provider import Provider
from gateway.cli.builders import installed_tools
from gateway.context import SiteKnowledge, load_knowledge
from gateway.front import build_front
from gateway.middleware.headers import SecurityHeadersMiddleware
from gateway.middleware.integrity import IntegrityMiddleware
from gateway.middleware.origin import OwnOriginMiddleware
from gateway.middleware.problems import ProblemsMiddleware
from gateway.middleware.telemetry import TelemetryMiddleware
from gateway.pipeline.prompt import build_prompt
from gateway.routes.sessions import session_routes
from gateway.services import open_services
from gateway.settings import (
    LimitSettings,
    ModelSettings,
    RoutingSettings,
    Secret,
    Settings,
    SiteSettings,
    TelemetrySettings,
)

SITE: Final = "site_bench"
INDEX: Final = "bench.idx"
SIGNED_PATH: Final = "/v1/bench"
QUESTION: Final = "Which gauge of wire suits a garden lamp outdoors in winter"
MODEL: Final = "bench"
MAX_TOKENS: Final = 512
_UNLIMITED: Final = 1_000_000_000
SCRAPE: Final = "nobody-else-scrapes-a-benchmark"
"""The token of the figures of `soaked`."""
_PLENTY_USD: Final = 100_000.0
_HARD: Final = 0.3
"""The complexity from which `soaked` asks the dear model."""
_PATIENT_S: Final = 60.0
"""Where costs are compared the model server shares the cores with all others: slow is not away."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server lives: its port, its folder, and the model server's base address."""

    port: int
    folder: Path
    provider: str


type Opened = AbstractAsyncContextManager[ASGIApp]


@asynccontextmanager
async def echo(_: Place) -> AsyncIterator[ASGIApp]:
    """A bare Starlette app that gives a JSON body back."""

    async def answer(request: Request) -> Response:
        return JSONResponse(await request.json())

    yield Starlette(routes=[Route("/echo", answer, methods=["POST"])])


@asynccontextmanager
async def bare(place: Place) -> AsyncIterator[ASGIApp]:
    """A bare Starlette app that asks the model by httpx and gives the reply."""
    index = _knowledge(place)[SITE].index
    hits = index.search(QUESTION, locale="en")
    limits = httpx.Limits(max_connections=256, max_keepalive_connections=64)
    async with httpx.AsyncClient(limits=limits, timeout=60, trust_env=False) as client:

        async def answer(request: Request) -> Response:
            question = (await request.json())["message"]["content"]
            prompt = build_prompt(
                name="Bench", question=question, hits=hits, memory=(), max_tokens=MAX_TOKENS
            )
            body = {
                "model": MODEL,
                "messages": list(prompt.messages),
                "max_tokens": prompt.max_tokens,
                "stream": True,
                "stream_options": {"include_usage": True},
            }
            url = f"{place.provider}/chat/completions"
            parts: list[str] = []
            async with client.stream("POST", url, json=body) as response:
                response.raise_for_status()
                async for line in response.aiter_lines():
                    if line.startswith("data:") and line != "data: [DONE]":
                        choices = json.loads(line[5:])["choices"]
                        parts += [choice["delta"].get("content", "") for choice in choices]
            return JSONResponse({"reply": "".join(parts)})

        yield Starlette(routes=[Route("/chat", answer, methods=["POST"])])


@asynccontextmanager
async def signed(place: Place) -> AsyncIterator[ASGIApp]:
    """The gateway's stack around the same echo."""
    settings = settings_for(place)
    async with open_services(settings, _knowledge(place)) as services:
        front = build_front(services)

        async def answer(request: Request) -> Response:
            return JSONResponse(json.loads(request.state.call.body))

        admitted = [Middleware(IntegrityMiddleware, front.integrity, settings.limits.body_bytes)]
        visitor = Router(
            [
                *session_routes(front),
                Route(SIGNED_PATH, answer, methods=["POST"], middleware=admitted),
            ]
        )
        app = Starlette(
            middleware=[
                Middleware(TelemetryMiddleware, services.telemetry, visitor.routes),
                Middleware(SecurityHeadersMiddleware, https=False),
                Middleware(ProblemsMiddleware),
            ]
        )
        own = OwnOriginMiddleware(visitor, settings.public_url)
        app.mount("/", ByHost(own, Router(), settings.console_authority))
        yield app


@asynccontextmanager
async def gateway(place: Place) -> AsyncIterator[ASGIApp]:
    """The gateway."""
    async with open_services(settings_for(place), _knowledge(place)) as services:
        yield create_app(services)


@asynccontextmanager
async def crowded(place: Place) -> AsyncIterator[ASGIApp]:
    """The gateway with its own deadlines, for more visitors than it can serve."""
    settings = settings_for(place, patient=False)
    async with open_services(settings, _knowledge(place)) as services:
        yield create_app(services)


@asynccontextmanager
async def soaked(place: Place) -> AsyncIterator[ASGIApp]:
    """The gateway with tiers, prices and budgets, and with figures to look at."""
    async with open_services(tiered_settings(place), _knowledge(place)) as services:
        yield create_app(services)


@asynccontextmanager
async def provider(_: Place) -> AsyncIterator[ASGIApp]:
    """The model server."""
    yield Provider()


ROLES: Final[dict[str, Callable[[Place], Opened]]] = {
    "echo": echo,
    "bare": bare,
    "signed": signed,
    "gateway": gateway,
    "crowded": crowded,
    "soaked": soaked,
    "provider": provider,
}


def settings_for(place: Place, *, patient: bool = True) -> Settings:
    """The gateway's settings: the product's own without quotas; `patient` also with the model."""
    data = place.folder / str(place.port)
    own = LimitSettings()
    return Settings(
        public_url=f"http://localhost:{place.port}",
        console_url=f"http://console.localhost:{place.port}",
        data_dir=data,
        database_url=f"sqlite:///{data / 'bench.db'}",
        web_dir=data / "web",
        # What the scripted model says is no answer to anything; here it is to count as one.
        sites=(SiteSettings(SITE, "Bench", (), kb=(), confidence_threshold=0.2),),
        operator_token=Secret(""),
        port=place.port,
        model=ModelSettings(place.provider, MODEL, Secret("")),
        private_endpoints=(urlsplit(place.provider).netloc,),
        limits=LimitSettings(
            session_per_minute=_UNLIMITED,
            subject_per_minute=_UNLIMITED,
            site_per_minute=_UNLIMITED,
            sessions_per_site_per_minute=_UNLIMITED,
            address_per_minute=_UNLIMITED,
            sessions_per_address_per_minute=_UNLIMITED,
            pow_difficulty=1,
            first_token_s=_PATIENT_S if patient else own.first_token_s,
            between_tokens_s=_PATIENT_S if patient else own.between_tokens_s,
            queue_s=_PATIENT_S if patient else own.queue_s,
        ),
    )


def tiered_settings(place: Place) -> Settings:
    """The same with a cheap tier and a dear one, and budgets that are counted and never spent."""
    plain = settings_for(place)
    cheap = ModelSettings(
        place.provider, MODEL, Secret(""), "cheap", price=Price(read_usd=0.1, written_usd=0.4)
    )
    dear = replace(cheap, name="dear", price=Price(read_usd=3.0, written_usd=15.0))
    stranger = {
        "max_tier": "hard",
        "rate_limit": 0,
        "cost_budget_daily_usd": _PLENTY_USD,
        "cost_budget_monthly_usd": _PLENTY_USD,
    }
    tiers = (Tier("everyday", ("cheap",), 0.0, _HARD), Tier("hard", ("dear",), _HARD, 1.0))
    [site] = plain.sites
    return replace(
        plain,
        sites=(replace(site, daily_usd=_PLENTY_USD, monthly_usd=_PLENTY_USD),),
        model=cheap,
        more_models=(dear,),
        routing=RoutingSettings("tiered", tiers, permissions=Layers({"zero_trust": stranger})),
        telemetry=TelemetrySettings(metrics_token=Secret(SCRAPE)),
    )


def _knowledge(place: Place) -> dict[str, SiteKnowledge]:
    packed = (place.folder / INDEX).read_bytes()
    return {SITE: load_knowledge(packed, installed_tools().embedding)}
