"""Every adapter of a port, one after the other."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.ports import Cache
from core.truth import Truth
from gateway.adapters.memory import MemoryTruth
from gateway.adapters.memory_cache import MemoryCache
from gateway.adapters.redis_cache import RedisCache
from gateway.adapters.sql.truth import SqlTruth
from tests.congruence.samples import StandingClock
from tests.servers import PostgresServer, RedisServer


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture(
    params=["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))]
)
async def truth(
    request: pytest.FixtureRequest, clock: StandingClock, tmp_path: Path
) -> AsyncIterator[Truth]:
    store: Truth
    if request.param == "memory":
        store = MemoryTruth(clock=clock)
    elif request.param == "sqlite":
        store = SqlTruth(f"sqlite:///{tmp_path}/truth.db", clock=clock)
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        store = SqlTruth(server.create_database(), clock=clock)
    await store.start()
    yield store
    await store.close()


@dataclass(frozen=True, slots=True)
class Cached:
    """A cache, how its time is made to pass, and what its clock says."""

    cache: Cache
    pass_s: Callable[[float], Awaitable[None]]
    clock: Callable[[], float]


@pytest.fixture(
    params=["memory", pytest.param("redis", marks=pytest.mark.needs("redis-server"))],
)
async def cached(request: pytest.FixtureRequest, clock: StandingClock) -> AsyncIterator[Cached]:
    if request.param == "memory":

        async def move(seconds: float) -> None:
            clock.now += seconds

        yield Cached(MemoryCache(clock=clock), move, clock)
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    cache = RedisCache(server.url, clock=time.time, random=secrets.token_bytes, settle_s=0)
    await cache.start()
    await cache._link.client.flushall()
    await cache.close()
    await cache.start()
    yield Cached(cache, asyncio.sleep, time.time)
    await cache.close()
