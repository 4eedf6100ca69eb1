"""Routing by experience, from end to end: real HTTP, SQLite, a server of models, and restarts.

A process looks for outcomes once it starts, so that each gateway here knows what the one before it
was told, and nothing that was erased since.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from core.breaker import Breaker
from core.model_routing.decision import Tier
from core.model_routing.resolve import Layers
from gateway.adapters.crypto import LocalSigner
from gateway.adapters.model_dialects import DIALECTS
from gateway.adapters.packaged import packaged_tasks
from gateway.adapters.sql.truth import SqlTruth
from gateway.adapters.visitor import Visitor
from gateway.app import create_app
from gateway.cli.bench.provider import Provider
from gateway.context import PackedEmbedding, Services, load_knowledge
from gateway.keys import OneKey
from gateway.pipeline.learned.experience import LEAST
from gateway.pipeline.models import Model
from gateway.settings import LimitSettings, ModelSettings, RoutingSettings, Secret
from kb import Entry, build_index
from kb.bundled import bundled_embedding, load_bundled
from tests.gateway.serving import free_port, served
from tests.gateway.test_subjects import erase, mark
from tests.gateway.world import Time, make_services, settings

THINGS = """
lamp parcel refund invoice label box chair shelf desk cable bulb plug switch cover handle screw key
card coupon voucher receipt bag table sofa rug mirror clock frame vase pot pan cup stool bench
"""
EASY = [f"Where is my {thing}?" for thing in THINGS.split()]
HARDER = "Where is my lamp, where is my chair, and where is my parcel with the shelf and the desk?"
"""For the dear tier by its complexity, and much like what the cheap one answers."""
TIERS = (Tier("little", ("small",), 0.0, 0.05), Tier("great", ("big",), 0.05, 1.0))
KNOWN = load_knowledge(
    build_index([Entry("volume", "en", "How loud is thunder?", "As loud as a drum.")]), None
)
REPLY = "Your order is on its way; a person can tell you more."


@dataclass
class Running:
    """The gateway as a server runs it: its truth and its models end with it."""

    services: Services
    _app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            assert self._app is not None
            await self._app(scope, receive, send)
            return
        await receive()
        await self.services.truth.start()
        self._app = app = create_app(self.services)
        async with app.router.lifespan_context(self._app):
            await send({"type": "lifespan.startup.complete"})
            await receive()
        for model in self.services.models:
            await model.transport.close()
        await self.services.truth.close()
        await send({"type": "lifespan.shutdown.complete"})


@dataclass
class Shop:
    """The same gateway on the same port and file, each time it is started."""

    provider: Provider
    url: str
    folder: Path
    port: int
    time: Time
    keys: OneKey

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def running(self, client: httpx.AsyncClient) -> AsyncIterator[None]:
        with served(Running(self._services()), self.port):
            # What the truth has is learnt in a task of its own.
            await asyncio.sleep(0.5)
            yield

    def _services(self) -> Services:
        wide = {"max_tier": "great", "rate_limit": 0, "cost_budget_daily_usd": 0}
        layers = Layers(levels={"zero_trust": {**wide, "cost_budget_monthly_usd": 0}})
        told = tuple(
            ModelSettings(f"{self.url}/v1", f"{name}-1", Secret(""), name)
            for name in ("small", "big")
        )
        quotas = ("session_per_minute", "subject_per_minute", "address_per_minute")
        many = dict.fromkeys(quotas, 10_000)
        chosen = settings(
            routing=RoutingSettings(mode="learned", tiers=TIERS, permissions=layers),
            more_models=told,
            public_url=self.origin,
            limits=LimitSettings(pow_difficulty=1, first_token_s=20, between_tokens_s=20, **many),
        )
        sites = tuple(replace(site, confidence_threshold=0.1) for site in chosen.sites)
        packed, table = bundled_embedding(), load_bundled()
        assert packed is not None
        assert table is not None
        services = make_services(
            replace(chosen, sites=sites), self.time, knowledge=KNOWN, keys=self.keys
        )
        truth = SqlTruth(f"sqlite:///{self.folder}/truth.db", clock=self.time)
        models = [
            Model(each.name, DIALECTS["openai"](each, None, 2.0), Breaker(time.monotonic))
            for each in told
        ]
        return replace(
            services,
            truth=truth,
            models=models,
            tasks=packaged_tasks(),
            embedding=PackedEmbedding(table, packed),
        )

    async def asked(self, visitor: Visitor, question: str) -> tuple[str, str]:
        """Which model was asked, and the turn's id."""
        response = await visitor.ask(question)
        assert response.status_code == 200, response.text
        assert response.json()["source"] == "cloud", response.text
        assert not response.json()["escalate"], response.text
        model: str = json.loads(self.provider.asked[-1])["model"]
        return model, response.json()["id"]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    provider = Provider(reply=REPLY)
    with served(provider) as url:
        yield Shop(provider, url, tmp_path, free_port(), Time(), OneKey(LocalSigner.generate()))


async def test_a_cheap_tier_is_taken_once_it_has_sufficed_and_not_once_that_is_erased(
    shop: Shop,
) -> None:
    assert len(EASY) > LEAST
    async with httpx.AsyncClient(timeout=20) as client:
        teacher = Visitor(client, shop.origin, "site_demo", clock=shop.time)
        other = Visitor(client, shop.origin, "site_demo", clock=shop.time)
        async with shop.running(client):
            await teacher.open_session()
            await other.open_session()
            assert (await shop.asked(other, HARDER))[0] == "big-1"
            for question in EASY:
                model, turn = await shop.asked(teacher, question)
                assert model == "small-1"
                marked = await mark(teacher, turn, key=secrets.token_urlsafe(16))
                assert marked.status_code == 200, marked.text
        shop.time.now += 120
        async with shop.running(client):
            assert (await shop.asked(other, HARDER))[0] == "small-1"
            assert (await erase(teacher)).status_code == 200
        shop.time.now += 120
        async with shop.running(client):
            assert (await shop.asked(other, HARDER))[0] == "big-1"
