"""What every cache does."""

from core.ports import Cache
from tests.congruence.samples import NOON, StandingClock


async def counted(cache: Cache) -> tuple[int, int]:
    count, left_s = await cache.count("quota", 60)
    return count, round(left_s)


async def test_a_claimed_key_is_refused_until_its_time_is_over(
    cache: Cache, clock: StandingClock
) -> None:
    assert await cache.claim("nonce:1", 60)
    assert not await cache.claim("nonce:1", 60)
    assert await cache.claim("nonce:2", 60)
    clock.now += 59.5
    assert not await cache.claim("nonce:1", 60)
    clock.now += 1
    assert await cache.claim("nonce:1", 60)


async def test_a_released_key_can_be_claimed_at_once(cache: Cache) -> None:
    assert await cache.claim("running", 60)
    await cache.release("running")
    assert await cache.claim("running", 60)


async def test_releasing_what_nobody_holds_is_nothing(cache: Cache) -> None:
    await cache.release("never")
    assert await cache.claim("never", 60)


async def test_events_are_counted_within_their_window(cache: Cache, clock: StandingClock) -> None:
    assert await counted(cache) == (1, 60)
    clock.now += 20
    assert await counted(cache) == (2, 40)
    assert (await cache.count("other", 60))[0] == 1
    clock.now += 41
    assert await counted(cache) == (1, 60)


async def test_a_value_is_given_until_its_time_is_over(cache: Cache, clock: StandingClock) -> None:
    assert await cache.get("name") is None
    await cache.put("name", "first", 60)
    await cache.put("name", "second", 120)
    clock.now += 61
    assert await cache.get("name") == "second"
    clock.now += 60
    assert await cache.get("name") is None


async def test_claims_counts_and_values_of_one_name_are_three_things(cache: Cache) -> None:
    await cache.put("name", "value", 60)
    assert (await cache.count("name", 60))[0] == 1
    assert await cache.claim("name", 60)
    await cache.release("name")
    assert await cache.get("name") == "value"


async def test_it_says_since_when_it_has_forgotten_nothing(
    cache: Cache, clock: StandingClock
) -> None:
    clock.now += 100
    assert cache.since <= NOON
