"""What every cache does.

Time is a server's own where the cache is one, and nobody can move it. So what holds *while* a time
runs is asked within a time that no test outlives, and what holds *after* it of one that is soon
over.
"""

from collections.abc import Awaitable, Callable

import pytest

from core.ports import Cache
from tests.congruence.conftest import Cached

LONG_S = 3600.0
SHORT_S = 0.05
OVER_S = 0.15


@pytest.fixture
def cache(cached: Cached) -> Cache:
    return cached.cache


async def test_a_claimed_key_is_refused_while_its_time_runs(cache: Cache) -> None:
    assert await cache.claim("nonce:1", LONG_S)
    assert not await cache.claim("nonce:1", LONG_S)
    assert not await cache.claim("nonce:1", SHORT_S)
    assert await cache.claim("nonce:2", LONG_S)


async def test_a_claimed_key_is_free_once_its_time_is_over(cached: Cached) -> None:
    assert await cached.cache.claim("nonce:1", SHORT_S)
    await cached.pass_s(OVER_S)
    assert await cached.cache.claim("nonce:1", LONG_S)
    assert not await cached.cache.claim("nonce:1", LONG_S)


async def test_a_refused_claim_does_not_lengthen_the_first(cached: Cached) -> None:
    assert await cached.cache.claim("nonce:1", 5 * SHORT_S)
    assert not await cached.cache.claim("nonce:1", LONG_S)
    await cached.pass_s(5 * SHORT_S + OVER_S)
    assert await cached.cache.claim("nonce:1", LONG_S)


async def test_a_released_key_can_be_claimed_at_once(cache: Cache) -> None:
    assert await cache.claim("running", LONG_S)
    await cache.release("running")
    assert await cache.claim("running", LONG_S)


async def test_releasing_what_nobody_holds_is_nothing(cache: Cache) -> None:
    await cache.release("never")
    assert await cache.claim("never", LONG_S)


async def test_events_are_counted_within_their_window(cache: Cache) -> None:
    first, left_s = await cache.count("quota", LONG_S)
    second, later_s = await cache.count("quota", LONG_S)
    assert (first, second) == (1, 2)
    assert 0 < later_s <= left_s <= LONG_S
    assert (await cache.count("other", LONG_S))[0] == 1


async def test_a_window_ends_and_another_begins(cached: Cached) -> None:
    await cached.cache.count("quota", SHORT_S)
    await cached.pass_s(OVER_S)
    count, left_s = await cached.cache.count("quota", LONG_S)
    assert count == 1
    assert SHORT_S < left_s <= LONG_S


async def test_a_value_is_given_while_its_time_runs(cache: Cache) -> None:
    assert await cache.get("name") is None
    await cache.put("name", "first", LONG_S)
    assert await cache.get("name") == "first"
    await cache.put("name", "שנית", LONG_S)
    assert await cache.get("name") == "שנית"


async def test_a_value_is_gone_once_its_time_is_over(cached: Cached) -> None:
    await cached.cache.put("name", "first", SHORT_S)
    await cached.pass_s(OVER_S)
    assert await cached.cache.get("name") is None


async def test_a_value_put_again_lives_as_long_as_its_last_time(cached: Cached) -> None:
    await cached.cache.put("name", "short", SHORT_S)
    await cached.cache.put("name", "long", LONG_S)
    await cached.pass_s(OVER_S)
    assert await cached.cache.get("name") == "long"


async def test_claims_counts_and_values_of_one_name_are_three_things(cache: Cache) -> None:
    await cache.put("name", "value", LONG_S)
    assert (await cache.count("name", LONG_S))[0] == 1
    assert await cache.claim("name", LONG_S)
    await cache.release("name")
    assert await cache.get("name") == "value"


@pytest.mark.parametrize("name", ["", "אב:ג", "a b\r\nDEL *", "\ud800", "x" * 100_000])
async def test_any_text_is_a_name(cache: Cache, name: str) -> None:
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: cache.claim(name, LONG_S),
        lambda: cache.count(name, LONG_S),
        lambda: cache.put(name, "v", LONG_S),
    ]
    for call in calls:
        assert await call() is not False
    assert not await cache.claim(name, LONG_S)
    assert await cache.get(name) == "v"


async def test_it_says_since_when_it_has_forgotten_nothing(cached: Cached) -> None:
    began = cached.cache.since
    await cached.pass_s(1)
    assert cached.cache.since == began <= cached.clock()
