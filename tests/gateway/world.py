"""A whole gateway in memory for tests: real routes, keys and stores; the clock is injected."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
from starlette.applications import Starlette

from core.breaker import Breaker
from core.ports import Clock, KeyRing, Target, Transport
from core.workshop import Workshop
from gateway.adapters.crypto import LocalSigner, LocalVerifier
from gateway.adapters.memory import MemoryTruth
from gateway.adapters.memory_cache import MemoryCache
from gateway.adapters.packaged import packaged_intents
from gateway.adapters.visitor import Visitor
from gateway.app import create_app
from gateway.commands import Classifier
from gateway.context import PackedEmbedding, Services, SiteKnowledge, WebFile, load_knowledge
from gateway.keys import OneKey
from gateway.local_models import ModelFiles
from gateway.pipeline.guard import Guard
from gateway.pipeline.models import Model
from gateway.pipeline.personality.say import Personalities
from gateway.pipeline.stages import Stage
from gateway.settings import LimitSettings, Secret, Settings, SiteSettings
from kb import Entry, Link, build_index

START = 1_790_000_000.0
GATEWAY = "http://localhost:8000"
CONSOLE = "http://console.localhost:8000"
OPERATOR_TOKEN = "operator-token-for-tests-0123456789"

ENTRIES = (
    Entry(
        "returns",
        "en",
        "How do I return an order?",
        "Send it back within **30 days**; the label is in the box.",
        variants=("return policy", "can I send my order back?", "i want to return something"),
        links=(Link("Returns", "https://shop.example/returns"),),
    ),
    Entry(
        "returns",
        "es",
        "¿Cómo devuelvo un pedido?",
        "Devuélvelo en **30 días**; la etiqueta está en la caja.",
        variants=("política de devoluciones", "quiero devolver mi pedido"),
    ),
    Entry(
        "hours",
        "en",
        "When are you open?",
        "Monday to Friday, 9 to 17.",
        variants=("opening hours", "what time do you close?", "are you open on sunday"),
        tags=("starter",),
    ),
    Entry(
        "legal",
        "en",
        "I want to make a legal complaint",
        "A person will take care of this.",
        variants=("legal complaint", "my lawyer will write to you"),
        escalate=True,
    ),
)
PACKED = build_index(ENTRIES)

WEB = {
    "loader.js": WebFile(b"const gateway='__FANLIGHT_GATEWAY__'", "text/javascript; charset=utf-8"),
    "panel.html": WebFile(
        b"<!doctype html><html><head><title>Fanlight</title></head><body></body></html>",
        "text/html; charset=utf-8",
    ),
    "preview.html": WebFile(
        b"<!doctype html><html><head><title>Preview</title></head><body></body></html>",
        "text/html; charset=utf-8",
    ),
    "greeter.html": WebFile(
        b"<!doctype html><html><head></head><body></body></html>", "text/html; charset=utf-8"
    ),
    "console.html": WebFile(b"<!doctype html><title>Console</title>", "text/html; charset=utf-8"),
    "sw.js": WebFile(b"// worker", "text/javascript; charset=utf-8"),
    "assets/a-1.js": WebFile(b"a" * 2000, "text/javascript; charset=utf-8", b"br"),
    "precache.json": WebFile(b'{"build": "b1"}', "application/json"),
}


@dataclass
class Time:
    """A clock that stands still until it is told to go on."""

    now: float = START

    def __call__(self) -> float:
        return self.now


@dataclass
class World:
    """One gateway, its clock, and visitors to it."""

    services: Services
    client: httpx.AsyncClient
    time: Time
    truth: MemoryTruth = field(init=False)

    def __post_init__(self) -> None:
        truth = self.services.truth
        assert isinstance(truth, MemoryTruth)
        self.truth = truth

    def stranger(self, site: str = "site_demo") -> Visitor:
        """A visitor who has no session yet."""
        return Visitor(self.client, GATEWAY, site, clock=self.time)

    async def visitor(self, site: str = "site_demo") -> Visitor:
        """A visitor with a session."""
        visitor = self.stranger(site)
        await visitor.open_session()
        return visitor


def settings(**changes: object) -> Settings:
    """The settings of the test world; two sites, easy work."""
    sites = tuple(
        SiteSettings(key, "Shop", ("http://localhost:8001",), kb=(), targets=())
        for key in ("site_demo", "site_other")
    )
    made = {
        "public_url": GATEWAY,
        "console_url": CONSOLE,
        "data_dir": Path("unused"),
        "database_url": "unused",
        "web_dir": Path("unused"),
        "sites": sites,
        "operator_token": Secret(OPERATOR_TOKEN),
        "limits": LimitSettings(pow_difficulty=4),
        **changes,
    }
    return Settings(**made)  # type: ignore[arg-type]


@asynccontextmanager
async def world(
    *,
    transport: Transport | None = None,
    targets: dict[str, Target] | None = None,
    chosen: Settings | None = None,
    web: Mapping[str, WebFile] = WEB,
    knowledge: SiteKnowledge | None = None,
    patience_s: float = 0.3,
    workshop: Workshop | None = None,
    embedding: PackedEmbedding | None = None,
    keys: KeyRing | None = None,
    time: Time | None = None,
    commands: Classifier | None = None,
    stages: Mapping[str, Stage] | None = None,
    guard: Guard | None = None,
    local_models: ModelFiles | None = None,
    personalities: Personalities | None = None,
) -> AsyncIterator[World]:
    """A running gateway, with its outbox; `patience_s` is how long it waits for its model."""
    time = time or Time()
    limits = LimitSettings(pow_difficulty=4, first_token_s=patience_s, between_tokens_s=patience_s)
    services = make_services(
        chosen or settings(limits=limits),
        time,
        transport,
        targets,
        web,
        knowledge=knowledge,
        keys=keys,
    )
    services = replace(
        services, workshop=workshop, embedding=embedding, commands=commands, guard=guard
    )
    services = replace(services, stages=stages or {}, local_models=local_models)
    services = replace(services, personalities=personalities)
    await services.truth.start()
    app = create_app(services)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), timeout=20) as client,
    ):
        yield World(services, client, time)


def make_app(chosen: Settings, clock: Clock) -> Starlette:
    """The app alone, for a real server that runs its lifespan."""
    return create_app(make_services(chosen, clock))


def make_services(
    chosen: Settings,
    clock: Clock,
    transport: Transport | None = None,
    targets: dict[str, Target] | None = None,
    web: Mapping[str, WebFile] = WEB,
    *,
    knowledge: SiteKnowledge | None = None,
    keys: KeyRing | None = None,
) -> Services:
    """The services of a gateway in memory."""
    known = knowledge or load_knowledge(PACKED, None)
    return Services(
        settings=chosen,
        clock=clock,
        random=secrets.token_bytes,
        keys=keys or OneKey(LocalSigner.generate()),
        verifier=LocalVerifier(),
        cache=MemoryCache(clock=clock),
        truth=MemoryTruth(clock=clock),
        intents=packaged_intents(),
        models=[Model("model", transport, Breaker(clock))] if transport else [],
        targets=targets or {},
        knowledge={site.key: known for site in chosen.sites},
        web=web,
    )
