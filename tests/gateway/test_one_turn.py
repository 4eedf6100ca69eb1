"""A turn runs once: of all calls with its id that come together one asks the model, and is paid."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import httpx
import pytest
import uvicorn

from core.breaker import Breaker
from core.errors import Unavailable
from core.ports import Cache, Piece, Prompt
from core.scope import anonymous
from core.truth import Committed, Work
from gateway.adapters.memory import MemoryTruth
from gateway.adapters.memory_cache import MemoryCache
from gateway.adapters.redis_cache import RedisCache
from gateway.adapters.visitor import Visitor
from gateway.app import create_app
from gateway.context import Services
from gateway.pipeline.models import Model
from gateway.settings import LimitSettings
from tests.gateway.serving import free_port
from tests.gateway.test_chat import ScriptedModel, events
from tests.gateway.test_integrity import problem
from tests.gateway.test_spending import COST, PRICE, UNKNOWN, Paused, held, priced, shop
from tests.gateway.world import make_services
from tests.servers import RedisServer

TOGETHER = 6


class Counted(Paused):
    """A model that waits in the middle of its reply, and counts who asks it."""

    asked = 0

    async def stream(self, prompt: Prompt) -> AsyncIterator[Piece]:
        self.asked += 1
        async for piece in super().stream(prompt):
            yield piece


@pytest.fixture(
    params=["memory", pytest.param("redis", marks=pytest.mark.needs("redis-server"))],
)
async def cache(request: pytest.FixtureRequest) -> AsyncIterator[Cache]:
    if request.param == "memory":
        yield MemoryCache(clock=time.time)
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    made = RedisCache(server.url, clock=time.time, random=secrets.token_bytes, settle_s=0)
    await made.start()
    yield made
    await made.close()


@dataclass(frozen=True, slots=True)
class Street:
    """Two gateways over one truth and one cache, each on a port of its own."""

    services: Services
    client: httpx.AsyncClient
    ports: Sequence[int]
    visitor: Visitor
    model: Counted

    async def send(self, body: dict[str, object], key: str, at: int = 0) -> httpx.Response:
        """Ask by a signed call of its own, at the first gateway or the second."""
        signed = await self.visitor.request("POST", "/v1/chat", body, key=key)
        url = signed.url.copy_with(port=self.ports[at])
        signed.headers["host"] = self.services.settings.authority
        return await self.client.send(
            httpx.Request("POST", url, headers=signed.headers, content=signed.content)
        )

    async def spent(self) -> list[int]:
        """Millionths of a dollar by account, once nothing is held any more."""
        truth = self.services.truth
        assert isinstance(truth, MemoryTruth)
        async with asyncio.timeout(10):
            while held(truth.budgets):  # noqa: ASYNC110 - a task settles
                await asyncio.sleep(0.01)
        return [row.settled for row in truth.budgets._rows.values()]


@asynccontextmanager
async def street(cache: Cache) -> AsyncIterator[Street]:
    ports, model = (free_port(), free_port()), Counted()
    limits = LimitSettings(pow_difficulty=4, first_token_s=30, between_tokens_s=30)
    chosen = replace(priced(), public_url=f"http://127.0.0.1:{ports[0]}", limits=limits)
    services = replace(
        make_services(chosen, time.time),
        cache=cache,
        models=[Model("model", model, Breaker(time.monotonic), price=PRICE)],
    )
    await services.truth.start()
    servers = [
        uvicorn.Server(
            uvicorn.Config(
                create_app(services, outbox=False), port=port, log_level="critical", log_config=None
            )
        )
        for port in ports
    ]
    serving = [asyncio.create_task(one.serve()) for one in servers]
    try:
        while not all(one.started for one in servers):  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.01)
        await asyncio.sleep(1.1)  # what was signed before they began is refused, to the second
        async with httpx.AsyncClient(timeout=20) as client:
            visitor = Visitor(client, chosen.public_url, "site_demo", clock=time.time)
            await visitor.open_session()
            yield Street(services, client, ports, visitor, model)
    finally:
        model.may_end.set()
        for one in servers:
            one.should_exit = True
        await asyncio.gather(*serving)


@pytest.mark.parametrize("stream", [False, True])
async def test_of_calls_of_one_turn_that_come_together_one_asks_the_model(
    cache: Cache, stream: bool
) -> None:
    async with street(cache) as there:
        body = there.visitor.chat_body(UNKNOWN, stream=stream)
        keys = {
            asyncio.create_task(there.send(body, f"k{number}", at=number % 2)): f"k{number}"
            for number in range(TOGETHER)
        }
        running = set(keys)
        while len(running) > 1:
            done, running = await asyncio.wait(
                running, return_when=asyncio.FIRST_COMPLETED, timeout=20
            )
            assert done, "more than one of them runs"
            for refused in (task.result() for task in done):
                assert (refused.status_code, problem(refused)) == (409, "in-progress")
                assert refused.json()["field"] == "turn_id"
                assert refused.headers["retry-after"] == "1"
        [first] = running
        async with asyncio.timeout(20):
            await there.model.begun.wait()
        there.model.may_end.set()
        answered = await first
        assert answered.status_code == 200, answered.text
        assert "within thirty days" in answered.text

        again = await there.send(body, keys[first], at=1)
        late = await there.send(body, "another")
        if stream:
            assert events(again) == [events(answered)[-1]]
            [(name, told)] = events(late)
            assert (name, str(told["type"]).rsplit("/", 1)[-1]) == ("problem", "turn-exists")
        else:
            assert again.text == answered.text
            assert again.headers["x-integrity"] == answered.headers["x-integrity"]
            assert (late.status_code, problem(late)) == (422, "turn-exists")
        assert there.model.asked == 1
        assert await there.spent() == [COST, COST]  # of the site's day and month


class Refusing(MemoryTruth):
    """A truth that is away when the first turn is to be committed."""

    refused = False

    async def commit(self, work: Work) -> Committed | None:
        """Commit a call, the second time."""
        if not self.refused:
            self.refused = True
            raise Unavailable("away")
        return await super().commit(work)


async def test_a_turn_that_failed_may_run_again_under_another_key_and_is_paid_again() -> None:
    model = ScriptedModel("Return it.")
    async with shop(model) as gateway:
        truth = Refusing(clock=gateway.time)
        services = replace(gateway.services, truth=truth)
        app = create_app(services, outbox=False)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), timeout=20) as client:
            visitor = Visitor(client, services.settings.public_url, "site_demo", clock=gateway.time)
            await visitor.open_session()
            body = visitor.chat_body(UNKNOWN)
            assert (await visitor.call("POST", "/v1/chat", body, key="k1")).status_code == 503
            assert (await visitor.call("POST", "/v1/chat", body, key="k2")).status_code == 200
            async with asyncio.timeout(10):
                while held(truth.budgets):  # noqa: ASYNC110 - a task settles
                    await asyncio.sleep(0.01)
    assert len(model.prompts) == 2
    assert {row.settled for row in truth.budgets._rows.values()} == {2 * COST}


async def test_a_process_that_stops_gives_its_turns_back() -> None:
    model = Paused()
    async with shop(model, chosen=priced(first_token_s=30, between_tokens_s=30)) as gateway:
        visitor = await gateway.visitor()
        body = visitor.chat_body(UNKNOWN)
        asking = asyncio.create_task(visitor.call("POST", "/v1/chat", body, key="k1"))
        await model.begun.wait()
        subject = anonymous("site_demo", visitor.keyid).subject
        turn = f"turn:site_demo:{subject}:{body['turn_id']}"
        assert not await gateway.services.cache.claim(turn, 1)
    await asyncio.wait({asking})
    assert await gateway.services.cache.claim(turn, 1)
