"""Gateways at one PostgreSQL database: without Redis one, and a dead one is in nobody's way."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core.errors import Unavailable
from gateway.adapters.sole_cache import SoleCache
from gateway.adapters.sql.presence import SETTLE_S, Presence
from gateway.services import open_services
from gateway.settings import Secret
from tests.gateway.world import settings
from tests.servers import PostgresServer, RedisServer

pytestmark = pytest.mark.needs("postgresql")

SOON_S = 20.0
HOLDING = """
import asyncio, sys, time
from gateway.adapters.sql.presence import Presence

async def main():
    presence = Presence(sys.argv[1], clock=time.time, alone=True)
    await presence.start()
    print("held", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.fixture
def url(postgres_server: PostgresServer) -> str:
    return postgres_server.create_database()


@asynccontextmanager
async def present(url: str, *, alone: bool) -> AsyncIterator[Presence]:
    one = Presence(url, clock=time.time, alone=alone)
    await one.start()
    try:
        yield one
    finally:
        await one.close()


async def until(presence: Presence, *, held: bool) -> None:
    async with asyncio.timeout(SOON_S):
        while True:
            if (presence.since is not None) == held:
                return
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("first", "second", "fits"),
    [(True, True, False), (True, False, False), (False, True, False), (False, False, True)],
    ids=["two without Redis", "without, then with", "with, then without", "two with Redis"],
)
async def test_one_without_redis_is_the_only_one(
    url: str, *, first: bool, second: bool, fits: bool
) -> None:
    async with present(url, alone=first):
        if fits:
            async with present(url, alone=second):
                return
        with pytest.raises(Unavailable, match="FANLIGHT_REDIS_URL"):
            async with present(url, alone=second):
                pass
    async with present(url, alone=second) as other:
        assert other.since is not None


async def test_one_that_was_killed_is_in_nobodys_way(url: str) -> None:
    command = [sys.executable, "-c", HOLDING, url]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    async with asyncio.timeout(30):
        assert await process.stdout.readline() == b"held\n"
    process.kill()
    async with present(url, alone=True) as other:
        assert other.since is not None
    await process.wait()


async def test_one_whose_connection_is_lost_takes_no_call_until_it_is_alone_again(
    postgres_server: PostgresServer, url: str
) -> None:
    cut = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'fanlight presence' AND datname = current_database()"
    )
    async with present(url, alone=True) as one:
        cache = SoleCache(clock=time.time, sole=lambda: one.since)
        assert await cache.claim("nonce:1", 60)
        began = cache.since
        other = Presence(url, clock=time.time, alone=True)
        starting = asyncio.create_task(other.start())
        await asyncio.sleep(0.2)
        # Whoever asks first has it; the other one is waiting in a loop already.
        while not starting.done():
            await asyncio.to_thread(postgres_server.run_sql, cut, url.rpartition("/")[2])
            await asyncio.sleep(0.3)
            if starting.done() and starting.exception() is not None:
                starting = asyncio.create_task(other.start())
        await until(one, held=False)
        with pytest.raises(Unavailable, match="another gateway"):
            await cache.claim("nonce:2", 60)
        left = time.time()
        await other.close()
        await until(one, held=True)
        # What the other took meanwhile, signed by a clock that is ahead, is refused here.
        assert cache.since >= left + SETTLE_S - 1 > began
        assert await cache.claim("nonce:3", 60)


async def test_a_server_that_is_away_is_waited_for(postgresql_path: Path) -> None:
    server = PostgresServer(postgresql_path)
    async with present(server.url(), alone=True) as one:
        server.stop()
        await until(one, held=False)
        server.start()
        await until(one, held=True)
        server.stall()
        await until(one, held=False)
        server.go_on()
        await until(one, held=True)
    server.close()
    with pytest.raises(Unavailable, match="does not answer"):
        async with present(server.url(), alone=True):
            pass


@pytest.mark.needs("redis-server")
async def test_a_second_gateway_starts_only_where_both_have_redis(
    tmp_path: Path, url: str, redis_server: RedisServer
) -> None:
    alone = settings(data_dir=tmp_path, database_url=url, web_dir=tmp_path / "web")
    among = settings(
        data_dir=tmp_path,
        database_url=url,
        web_dir=tmp_path / "web",
        redis_url=Secret(redis_server.url),
    )
    async with open_services(alone, {}) as services:
        assert await services.cache.claim("nonce", 60)
        for second in (alone, among):
            with pytest.raises(Unavailable, match="FANLIGHT_REDIS_URL"):
                async with open_services(second, {}):
                    pass
    async with open_services(among, {}), open_services(among, {}) as services:
        assert await services.cache.claim("nonce", 60)
