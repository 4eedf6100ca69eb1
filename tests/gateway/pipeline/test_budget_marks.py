"""Marks of callers near their limits: alike in all processes, and not to be worked out."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import pytest

from core.digest import sha256_hex
from core.errors import Unavailable
from core.model_routing.caller import WIDGET, Caller
from core.model_routing.periods import span
from core.model_routing.permissions import Permissions
from core.model_routing.spend import account_name
from core.ports import Cache
from gateway.adapters.memory_budgets import MemoryBudgets
from gateway.adapters.memory_cache import MemoryCache
from gateway.adapters.redis_cache import RedisCache
from gateway.pipeline.budget_use import Callers
from gateway.pipeline.spending import Spending
from tests.gateway.test_spending import billed
from tests.gateway.world import Time
from tests.servers import RedisServer

SUBJECTS = ("anon:anna", "anon:ben")
MINE = Permissions(cost_budget_daily_usd=0.001, cost_budget_monthly_usd=0.01)
DAY_S = 86_400


@pytest.fixture(
    params=["memory", pytest.param("redis", marks=pytest.mark.needs("redis-server"))],
)
async def cache(request: pytest.FixtureRequest, time: Time) -> AsyncIterator[Cache]:
    if request.param == "memory":
        yield MemoryCache(clock=time)
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    made = RedisCache(server.url, clock=time, random=secrets.token_bytes)
    await made.start()
    yield made
    await made.close()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def store() -> MemoryBudgets:
    return MemoryBudgets()


def process(store: MemoryBudgets, time: Time, cache: Cache | None) -> Spending:
    return Spending(store, time, cache=cache, callers=Callers(lambda _: MINE))


async def marks(spending: Spending, key: str = "") -> dict[int, str]:
    """The marks of today by what was spent; with a `key` each visitor spends something first."""
    for number, subject in enumerate(SUBJECTS if key else ()):
        caller = Caller("site_a", subject, WIDGET)
        assert (await spending.hold(caller, MINE, key, 300 + number)).granted
        spending.settle(caller, key, billed(300 + number))
        await spending.settled(5)
    return {one.micros: one.mark for one in await spending.use.nearest("site_a", "day")}


async def test_all_processes_mark_alike_and_another_day_otherwise(
    store: MemoryBudgets, time: Time, cache: Cache
) -> None:
    first = await marks(process(store, time, cache), "k1")
    assert sorted(first) == [300, 301]
    assert len(set(first.values())) == 2
    assert await marks(process(store, time, cache)) == first
    time.now += DAY_S
    following = await marks(process(store, time, cache), "k2")
    assert sorted(following) == [300, 301]
    assert not set(following.values()) & set(first.values())


async def test_who_knows_the_visitor_cannot_work_out_the_mark(
    store: MemoryBudgets, time: Time, cache: Cache
) -> None:
    told = set((await marks(process(store, time, cache), "k1")).values())
    name = account_name("site_a", SUBJECTS[0], "day", span("day", time.now, 0).began)
    heavy = await store.heaviest("site_a", "day", span("day", time.now, 0).began, "anon", 2)
    assert name in {one.account for one in heavy}
    for known in (name, sha256_hex(name), sha256_hex(SUBJECTS[0])):
        assert not any(known.startswith(one) for one in told)
    # Another house, with the same visitors on the same day, has other marks.
    elsewhere = await marks(process(MemoryBudgets(), time, MemoryCache(clock=time)), "k1")
    assert not set(elsewhere.values()) & told


class Away(MemoryCache):
    """A cache that is away for whoever reads or writes."""

    async def get(self, key: str) -> str | None:
        raise Unavailable("away")


@pytest.mark.parametrize("cache_class", [None, Away])
async def test_without_a_cache_a_process_marks_by_itself_and_the_same_each_time(
    store: MemoryBudgets, time: Time, cache_class: type[MemoryCache] | None
) -> None:
    one, other = (
        process(store, time, cache_class(clock=time) if cache_class else None) for _ in range(2)
    )
    first = await marks(one, "k1")
    assert await marks(one) == first
    assert not set((await marks(other)).values()) & set(first.values())
