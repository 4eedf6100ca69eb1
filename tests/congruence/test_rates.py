"""What every counter of rates promises, and that processes which share one let nobody in twice."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Unavailable
from core.model_routing.rates import ProcessRates, Rates
from core.model_routing.windows import PART_S, PARTS, WINDOW_S
from core.telemetry import RATES_ALONE, Metric, Silent
from gateway.adapters.redis_link import RedisLink
from gateway.adapters.redis_rates import RedisRates
from gateway.rates import SharedRates
from tests.congruence.samples import StandingClock
from tests.servers import RedisServer

START = 1_790_000_001.5
COUNTERS = ("process", pytest.param("redis", marks=pytest.mark.needs("redis-server")))

type Opening = Callable[[int, StandingClock], Awaitable[Rates]]


def standing(at: float = START) -> StandingClock:
    clock = StandingClock()
    clock.now = at
    return clock


@asynccontextmanager
async def opened(place: str | None) -> AsyncIterator[Opening]:
    """Opens an empty counter of this kind: a Redis server's address, or None for this process."""
    async with AsyncExitStack() as stack:

        async def make(limit: int, clock: StandingClock) -> Rates:
            if place is None:
                return ProcessRates(limit, clock)
            link = RedisLink(place, deadline_s=20)
            stack.push_async_callback(link.close)
            await link.client.flushall()
            return RedisRates(link, limit, clock)

        yield make


@pytest.fixture(params=COUNTERS)
def place(request: pytest.FixtureRequest) -> str | None:
    if request.param == "process":
        return None
    server: RedisServer = request.getfixturevalue("redis_server")
    return str(server.url)


@pytest.fixture
async def make(place: str | None) -> AsyncIterator[Opening]:
    async with opened(place) as making:
        yield making


async def test_whose_limit_it_is_and_for_how_long_is_told(make: Opening) -> None:
    clock = standing()
    rates = await make(3, clock)
    assert [await rates.take("a", 2) for _ in range(2)] == [None, None]
    own = await rates.take("a", 2)
    assert own is not None
    assert (own.whose, own.limit) == ("subject", 2)
    assert own.after_s == pytest.approx(63.5)
    assert await rates.take("b", 2) is None
    everybody = await rates.take("c", 2)
    assert everybody is not None
    assert (everybody.whose, everybody.limit) == ("everybody", 3)
    clock.now += everybody.after_s
    assert await rates.take("c", 2) is None


async def test_a_look_counts_nothing_nor_does_one_who_has_to_wait(make: Opening) -> None:
    clock = standing()
    rates = await make(0, clock)
    assert [await rates.look("a", 1) for _ in range(5)] == [None] * 5
    assert await rates.take("a", 1) is None
    for _ in range(20):
        assert await rates.look("a", 1) is not None
        assert await rates.take("a", 1) is not None
    clock.now += WINDOW_S + PART_S
    assert await rates.take("a", 1) is None


async def test_zero_is_no_limit(make: Opening) -> None:
    rates = await make(0, standing())
    assert [await rates.take("a", 0) for _ in range(50)] == [None] * 50


async def test_a_clock_that_goes_back_lets_nobody_in_twice(make: Opening) -> None:
    clock = standing()
    rates = await make(0, clock)
    assert await rates.take("a", 1) is None
    clock.now -= 3_600
    assert await rates.take("a", 1) is not None


@pytest.mark.timeout(300)
def test_no_minute_has_more_turns_than_the_limit(place: str | None) -> None:
    @settings(max_examples=settings().max_examples, suppress_health_check=list(HealthCheck))
    @given(gaps=st.lists(st.floats(0, 70), min_size=1, max_size=60), limit=st.integers(1, 6))
    def runs(gaps: list[float], limit: int) -> None:
        asyncio.run(minutes(place, gaps, limit))

    runs()


async def minutes(place: str | None, gaps: list[float], limit: int) -> None:
    clock, let_in = standing(), list[float]()
    async with opened(place) as make:
        rates, other = await make(0, clock), ProcessRates(0, clock)
        for gap in gaps:
            clock.now += gap
            found = await rates.take("somebody", limit)
            # Both counters say the same, to the second.
            same = await other.take("somebody", limit)
            assert (found is None) == (same is None)
            if found is None:
                let_in.append(clock.now)
            elif same is not None:
                assert found.after_s == pytest.approx(same.after_s, abs=1e-4)
    for at in let_in:
        assert sum(at - WINDOW_S < one <= at for one in let_in) <= limit


@pytest.mark.needs("redis-server")
async def test_three_processes_together_let_in_no_more_than_one(redis_server: RedisServer) -> None:
    links = [RedisLink(redis_server.url, deadline_s=20) for _ in range(3)]
    await links[0].client.flushall()
    # By the server's own clock, as gateways do it.
    ways = [RedisRates(link, 50) for link in links]
    asked = [ways[n % 3].take(f"anon:{n % 4}", 10) for n in range(120)]
    let_in = await asyncio.gather(*asked)
    assert sum(one is None for one in let_in) == 40
    more = await asyncio.gather(*(ways[n % 3].take(f"anon:{9 + n}", 10) for n in range(30)))
    assert sum(one is None for one in more) == 10
    assert {one.whose for one in more if one is not None} == {"everybody"}
    kept = await links[0].client.keys("*")
    for key in kept:
        assert 0 < await links[0].client.pttl(key) <= PARTS * PART_S * 1000
    assert not any(b"anon" in key for key in kept)
    for link in links:
        await link.close()


class Counted(Silent):
    """Telemetry that keeps how often a process counted by itself."""

    def __init__(self) -> None:
        self.alone = 0

    def count(self, metric: Metric, *, by: int = 1, **labels: str) -> None:
        self.alone += by * (metric is RATES_ALONE)


@pytest.mark.needs("redis-server")
async def test_while_redis_is_away_a_process_goes_on_from_what_it_let_in(
    redis_server: RedisServer,
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there
        nowhere = f"redis://127.0.0.1:{taken.getsockname()[1]}/0"
        near, far = RedisLink(redis_server.url), RedisLink(nowhere, deadline_s=0.2)
        await near.client.flushall()
        telemetry, own = Counted(), ProcessRates(0, standing())
        with pytest.raises(Unavailable):
            await RedisRates(far, 0).take("a", 3)
        shared = SharedRates(RedisRates(near, 0), own, telemetry)
        assert [await shared.take("a", 3) for _ in range(2)] == [None, None]
        assert telemetry.alone == 0
        alone = SharedRates(RedisRates(far, 0), own, telemetry)
        assert await alone.look("a", 3) is None
        assert await alone.take("a", 3) is None
        found = await alone.take("a", 3)
        assert found is not None
        assert await alone.look("a", 3) is not None
        assert telemetry.alone == 2
        for link in (near, far):
            await link.close()
