"""SIGTERM under load: every open stream hears a last event, and the process ends in time.

Visitors ask in streams and wait for people in streams, all the time; the gateway is ended at random
moments and started again.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from gateway.adapters.visitor import Visitor
from gateway.cli.bench.hook import hook
from gateway.cli.bench.mortal import SECRET, SITE, Mortal
from gateway.cli.bench.provider import create_provider
from tests.faults.proxy import Mode, before, printed_seed
from tests.gateway.serving import served

VISITORS = 16
EXIT_S = 10.0
MODES: tuple[Mode, ...] = ("down", "pass", "slow")
LAST = {"bye", "done", "problem", "reauth"}
ASKED = "which gauge of wire suits a garden lamp outdoors in winter"


@dataclass
class Watching:
    """Visitors of one life of the gateway, and how their streams ended."""

    gateway: Mortal
    client: httpx.AsyncClient
    ends: Counter[str] = field(default_factory=Counter)
    open: int = 0
    leaving: bool = False

    async def visit(self) -> None:
        """Ask and wait in streams until the gateway goes."""
        visitor = Visitor(self.client, self.gateway.url, SITE)
        while not self.leaving:
            try:
                if visitor.token is None:
                    await visitor.open_session()
                body = visitor.chat_body(ASKED, stream=True)
                key = secrets.token_urlsafe(16)
                await self._hear(await visitor.request("POST", "/v1/chat", body, key=key))
                path = f"/v1/conversations/{body['conversation_id']}/events"
                await self._hear(await visitor.request("GET", path))
            except (httpx.TransportError, httpx.HTTPStatusError):
                await asyncio.sleep(0.05)

    async def _hear(self, request: httpx.Request) -> None:
        """Read a stream to its end; one that ends without a last event is `cut`."""
        response = await self.client.send(request, stream=True)
        try:
            if response.status_code != 200:
                return
            self.open += 1
            name = "cut"
            try:
                async for line in response.aiter_lines():
                    if line.startswith("event: "):
                        name = line.removeprefix("event: ")
            finally:
                self.open -= 1
                self.ends[name if name in LAST else "cut"] += 1
        finally:
            await response.aclose()


@pytest.mark.timeout(3600)
async def test_every_stream_hears_a_last_event(tmp_path: Path, long: bool) -> None:
    chance = random.Random(printed_seed())
    ends: Counter[str] = Counter()
    with served(create_provider()) as provider:
        async with (
            hook(SECRET, chance) as webhook,
            before(urlsplit(provider).port or 0, 1) as model,
            httpx.AsyncClient(trust_env=False, timeout=30) as client,
        ):
            environ = {
                "FANLIGHT_LLM_URL": f"http://127.0.0.1:{model.port}/v1",
                "FANLIGHT_LLM_MODEL": "bench",
            }
            gateway = Mortal(tmp_path, webhook.port, environ, (model.port,))
            try:
                for number in range(51 if long else 3):
                    await gateway.start()
                    # Answers come, come slowly, or a person is needed whose reply is waited for.
                    await model.set(MODES[number % len(MODES)])
                    ends += await life(Watching(gateway, client), chance)
            finally:
                await gateway.stop()
    print(dict(ends))  # noqa: T201 - a figure
    assert ends["cut"] == 0
    assert ends["bye"]
    assert ends["done"]


async def life(watching: Watching, chance: random.Random) -> Counter[str]:
    """Let visitors come, end the gateway among them, and say how their streams ended."""
    visits = [asyncio.create_task(watching.visit()) for _ in range(VISITORS)]
    await asyncio.sleep(chance.uniform(1.5, 4.0))
    assert await watching.gateway.end(EXIT_S) == 0
    watching.leaving = True
    await asyncio.wait(visits, timeout=EXIT_S)
    assert watching.open == 0
    for visit in visits:
        visit.cancel()
    return watching.ends
