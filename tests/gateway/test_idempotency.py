"""Idempotency over both caches: a call that runs is running, one whose process died is not."""

import asyncio
import secrets
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.errors import Conflict, Problem, Unavailable
from core.ports import Cache
from core.truth import Finished
from gateway.adapters.memory import MemoryTruth
from gateway.adapters.memory_cache import MemoryCache
from gateway.adapters.redis_cache import RedisCache
from gateway.idempotency import Idempotency
from tests.congruence.samples import ANNA, BEN, a_work
from tests.gateway.running_call import BODY, KEY, LONGEST_S, TURN
from tests.servers import RedisServer

MARK_S = 1.0
"""Instead of ten seconds."""


@pytest.fixture(
    params=["memory", pytest.param("redis", marks=pytest.mark.needs("redis-server"))],
)
async def cache(request: pytest.FixtureRequest) -> AsyncIterator[Cache]:
    if request.param == "memory":
        yield MemoryCache(clock=time.time)
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    made = RedisCache(server.url, clock=time.time, random=secrets.token_bytes)
    await made.start()
    await made.release(f"running:{ANNA.site}:{ANNA.subject}:{KEY}")
    yield made
    await made.close()


@pytest.fixture
def truth() -> MemoryTruth:
    return MemoryTruth(clock=time.time)


def calls_of(truth: MemoryTruth, cache: Cache) -> Idempotency:
    """One process' idempotency."""
    return Idempotency(truth, cache, time.time, LONGEST_S, mark_s=MARK_S)


async def begun(calls: Idempotency) -> Finished | None:
    return await calls.begin(ANNA, KEY, BODY)


async def test_a_call_is_running_for_as_long_as_it_takes(truth: MemoryTruth, cache: Cache) -> None:
    here, there = calls_of(truth, cache), calls_of(truth, cache)
    assert await begun(here) is None
    until = time.monotonic() + 3 * MARK_S
    while time.monotonic() < until:
        for calls in (here, there):
            with pytest.raises(Problem, match="still running"):
                await begun(calls)
        await asyncio.sleep(MARK_S / 20)
    await here.end(ANNA, KEY)
    assert await begun(there) is None
    await there.end(ANNA, KEY)


async def test_a_short_call_is_free_at_once_and_another_is_never_touched(
    truth: MemoryTruth, cache: Cache
) -> None:
    calls = calls_of(truth, cache)
    for _ in range(3):
        assert await begun(calls) is None
        assert await calls.begin(BEN, KEY, BODY) is None
        await calls.end(ANNA, KEY)
        with pytest.raises(Problem, match="still running"):
            await calls.begin(BEN, KEY, BODY)
        await calls.end(BEN, KEY)


async def test_a_turn_runs_once_whatever_the_keys_and_for_as_long_as_it_takes(
    truth: MemoryTruth, cache: Cache
) -> None:
    here, there, turn = calls_of(truth, cache), calls_of(truth, cache), f"t_{secrets.token_hex(8)}"
    assert await here.begin(ANNA, "a", BODY, turn) is None
    assert await here.begin(BEN, "a", BODY, turn) is None  # another's turn of the same id
    until = time.monotonic() + 2.5 * MARK_S
    while time.monotonic() < until:
        for calls in (here, there):
            with pytest.raises(Problem, match="turn_id has not finished"):
                await calls.begin(ANNA, "b", BODY, turn)
            with pytest.raises(Problem, match="Idempotency-Key has not finished"):
                await calls.begin(ANNA, "a", BODY, turn)
        await asyncio.sleep(MARK_S / 20)
    # The key of a call that was refused is free, and so is another turn.
    assert await there.begin(ANNA, "b", BODY, f"{turn}_2") is None
    await there.end(ANNA, "b")
    await here.end(ANNA, "a")
    assert await there.begin(ANNA, "b", BODY, turn) is None
    await there.end(ANNA, "b")
    await here.end(BEN, "a")


async def test_what_a_long_call_did_is_given_again_at_once(
    truth: MemoryTruth, cache: Cache
) -> None:
    here, there = calls_of(truth, cache), calls_of(truth, cache)
    assert await begun(here) is None
    await asyncio.sleep(1.5 * MARK_S)
    await truth.commit(a_work(KEY, scope=ANNA, at=time.time()))
    await here.end(ANNA, KEY)
    stored = await truth.finished(ANNA, KEY, 0)
    assert stored is not None
    assert await there.begin(ANNA, KEY, stored.body_sha256) == stored


async def test_of_two_that_run_after_a_stall_the_truth_takes_one(
    truth: MemoryTruth, cache: Cache
) -> None:
    stalled, other = calls_of(truth, cache), calls_of(truth, cache)
    assert await begun(stalled) is None
    time.sleep(1.2 * MARK_S)  # noqa: ASYNC251 - nothing of this process runs meanwhile
    assert await begun(other) is None
    work = a_work(KEY, scope=ANNA, at=time.time())
    await truth.commit(work)
    with pytest.raises(Conflict, match="already finished"):
        await truth.commit(work)
    await stalled.end(ANNA, KEY)
    await other.end(ANNA, KEY)


@pytest.mark.needs("redis-server")
async def test_a_repeat_takes_over_from_a_process_that_was_killed(
    redis_server_path: Path, truth: MemoryTruth
) -> None:
    server = RedisServer(redis_server_path)
    server.start()
    cache = RedisCache(server.url, clock=time.time, random=secrets.token_bytes)
    await cache.start()
    command = [sys.executable, "-m", "tests.gateway.running_call", server.url, str(MARK_S)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    async with asyncio.timeout(30):
        assert await process.stdout.readline() == b"begun\n"
    await asyncio.sleep(2 * MARK_S)
    calls = calls_of(truth, cache)
    with pytest.raises(Problem, match="still running"):
        await begun(calls)
    with pytest.raises(Problem, match="turn_id has not finished"):
        await calls.begin(ANNA, "other", BODY, TURN)
    process.kill()
    await process.wait()
    died = time.monotonic()
    while True:
        try:
            assert await calls.begin(ANNA, KEY, BODY, TURN) is None
            break
        except Problem:
            assert time.monotonic() < died + MARK_S + 0.5
            await asyncio.sleep(MARK_S / 20)
    await calls.end(ANNA, KEY)
    await cache.close()
    server.close()


@pytest.mark.needs("redis-server")
async def test_a_call_that_was_begun_ends_though_redis_is_gone(redis_server_path: Path) -> None:
    server = RedisServer(redis_server_path)
    server.start()
    cache = RedisCache(server.url, clock=time.time, random=secrets.token_bytes)
    await cache.start()
    calls = Idempotency(MemoryTruth(clock=time.time), cache, time.time, longest_s=60)
    assert await calls.begin(ANNA, "k", BODY) is None
    with pytest.raises(Problem, match="still running"):
        await calls.begin(ANNA, "k", BODY)
    server.stop()
    await calls.end(ANNA, "k")
    with pytest.raises(Unavailable):
        await calls.begin(ANNA, "other", BODY)
    await cache.close()
    server.close()
