"""Redis or PostgreSQL is down, stalled or talks nonsense: a problem within 5 s (10 s where they are
slow), and service within 10 s after.

A whole gateway over real servers, which is not restarted.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from gateway.adapters.visitor import Visitor
from gateway.app import create_app
from gateway.context import SiteKnowledge
from gateway.services import open_services
from gateway.settings import Secret
from kb import load_index
from tests.faults.proxy import FAULTS, Mode, before, printed_seed
from tests.gateway.world import GATEWAY, PACKED, settings
from tests.servers import PostgresServer, RedisServer, Server

pytestmark = [pytest.mark.needs("redis-server", "postgresql"), pytest.mark.timeout(300)]

PROBLEM_S = 5.0
SLOW_S = 10.0
"""Where every look takes its time, one may be in time and the next not."""
RECOVERED_S = 10.0


@pytest.fixture(scope="module")
def redis(redis_server_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(redis_server_path)
    server.start()
    yield server
    server.close()


@pytest.fixture(scope="module")
def postgres(postgresql_path: Path) -> Iterator[PostgresServer]:
    server = PostgresServer(postgresql_path)
    yield server
    server.close()


@pytest.fixture
async def visitor(
    tmp_path: Path, redis: RedisServer, postgres: PostgresServer
) -> AsyncIterator[Visitor]:
    async with a_visitor(tmp_path, redis.url, postgres.create_database()) as one:
        yield one


@asynccontextmanager
async def a_visitor(folder: Path, redis: str, database: str) -> AsyncIterator[Visitor]:
    """A visitor with a session at a whole gateway over these stores."""
    chosen = settings(
        data_dir=folder, database_url=database, redis_url=Secret(redis), web_dir=folder / "web"
    )
    packed = SiteKnowledge(load_index(PACKED), PACKED)
    knowledge = {site.key: packed for site in chosen.sites}
    async with open_services(chosen, knowledge) as services:
        app = create_app(services)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client,
        ):
            one = Visitor(client, GATEWAY, "site_demo")
            await one.open_session()
            yield one


async def answered(visitor: Visitor) -> None:
    """Ask until there is an answer."""
    async with asyncio.timeout(RECOVERED_S):
        status = 0
        while status != 200:
            status = (await visitor.ask("How do I return an order?")).status_code
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("which", ["redis", "postgres"])
@pytest.mark.parametrize(
    ("fail", "mend"),
    [
        (lambda server: server.stop(), lambda server: server.start()),
        (lambda server: server.stop(9), lambda server: server.start()),
        (lambda server: server.stall(), lambda server: server.go_on()),
    ],
    ids=["stopped", "killed", "stalled"],
)
async def test_a_visitor_hears_it_in_time_and_is_answered_again(
    visitor: Visitor,
    request: pytest.FixtureRequest,
    which: str,
    fail: Callable[[Server], None],
    mend: Callable[[Server], None],
) -> None:
    server: Server = request.getfixturevalue(which)
    await answered(visitor)
    fail(server)
    try:
        for _ in range(3):
            async with asyncio.timeout(PROBLEM_S):
                refused = await visitor.ask("How do I return an order?")
            assert refused.status_code == 503
            assert refused.json()["type"].endswith("/unavailable")
            assert refused.headers["retry-after"]
    finally:
        mend(server)
    await answered(visitor)


@pytest.mark.parametrize("which", ["redis", "postgres", "postgres without redis"])
@pytest.mark.parametrize("mode", FAULTS)
async def test_a_network_that_fails_before_a_store_costs_a_few_calls(
    tmp_path: Path, redis: RedisServer, postgres: PostgresServer, which: str, mode: Mode
) -> None:
    seed = printed_seed()
    async with before(redis.port, seed) as to_redis, before(postgres.port, seed) as to_postgres:
        database = postgres.create_database().replace(f":{postgres.port}/", f":{to_postgres.port}/")
        address = "" if "without" in which else f"redis://127.0.0.1:{to_redis.port}/0"
        async with a_visitor(tmp_path, address, database) as visitor:
            await answered(visitor)
            failing = to_redis if which == "redis" else to_postgres
            await failing.set(mode)
            for _ in range(3):
                async with asyncio.timeout(SLOW_S if mode == "slow" else PROBLEM_S):
                    told = await visitor.ask("How do I return an order?")
                # A slow network may be fast enough.
                assert told.status_code == 503 or (mode == "slow" and told.status_code == 200)
                assert told.status_code == 200 or told.json()["type"].endswith("/unavailable")
            await failing.set("pass")
            await answered(visitor)
