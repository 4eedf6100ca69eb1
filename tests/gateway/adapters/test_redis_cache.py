"""What is particular to Redis: it forgets, stalls, talks nonsense, and is shared by many."""

import asyncio
import re
import secrets
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from redis.asyncio import Redis

from core.errors import Unavailable
from gateway.adapters.redis_cache import RedisCache
from gateway.adapters.redis_link import REST_AFTER
from tests.congruence.samples import StandingClock
from tests.servers import PASSWORD, RedisServer

pytestmark = pytest.mark.needs("redis-server")

PATIENT_S = 10.0
"""Within this a cache must serve again once its server does."""


@contextmanager
def running(server: RedisServer) -> Iterator[RedisServer]:
    server.start()
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def server(redis_server_path: Path) -> Iterator[RedisServer]:
    with running(RedisServer(redis_server_path)) as one:
        yield one


def at(server: RedisServer, user: str) -> RedisCache:
    url = f"redis://{user}127.0.0.1:{server.port}"
    return RedisCache(url, clock=time.time, random=secrets.token_bytes)


@asynccontextmanager
async def cache_at(
    server: RedisServer,
    clock: Callable[[], float] = time.time,
    *,
    settle_s: float = 0.0,
    deadline_s: float = 5.0,
) -> AsyncIterator[RedisCache]:
    cache = RedisCache(
        server.url,
        clock=clock,
        random=secrets.token_bytes,
        settle_s=settle_s,
        deadline_s=deadline_s,
    )
    await cache.start()
    try:
        yield cache
    finally:
        await cache.close()


async def recovered[Value](call: Callable[[], Awaitable[Value]]) -> Value:
    """What the call gives as soon as it gives anything."""
    async with asyncio.timeout(PATIENT_S):
        while True:
            try:
                return await call()
            except Unavailable:
                await asyncio.sleep(0.05)


async def replicated(operator: Redis, keys: int) -> None:
    async with asyncio.timeout(60):
        while await operator.dbsize() < keys:  # noqa: ASYNC110 - another process's state
            await asyncio.sleep(0.05)


class TestForgetting:
    async def test_a_restarted_empty_server_moves_since_on(self, server: RedisServer) -> None:
        clock = StandingClock()
        async with cache_at(server, clock, settle_s=6) as cache:
            assert await cache.claim("nonce", 60)
            clock.now += 100
            before = cache.since
            server.stop()
            server.start()
            assert await recovered(lambda: cache.claim("nonce", 60))
            assert cache.since == clock.now + 6 > before

    async def test_what_a_restarted_server_read_from_disk_is_not_believed(
        self, redis_server_path: Path
    ) -> None:
        clock = StandingClock()
        with running(RedisServer(redis_server_path, "--save", "3600", "1000000")) as server:
            async with cache_at(server, clock) as cache:
                assert await cache.claim("kept", 600)
                await cache._link.client.save()
                assert await cache.claim("lost", 600)
                clock.now += 100
                server.stop(9)
                server.start()
                assert await recovered(lambda: cache.claim("lost", 600))
                assert not await cache.claim("kept", 600)
                assert cache.since == clock.now

    async def test_a_flush_is_noticed_by_the_claim_that_it_would_let_through(
        self, server: RedisServer
    ) -> None:
        clock = StandingClock()
        async with cache_at(server, clock) as cache:
            assert await cache.claim("nonce", 600)
            clock.now += 100
            await cache._link.client.flushall()
            with pytest.raises(Unavailable, match="forgotten"):
                await cache.claim("nonce", 600)
            assert await cache.claim("nonce", 600)
            assert cache.since == clock.now

    async def test_of_many_calls_at_the_flush_none_is_let_through_unnoticed(
        self, server: RedisServer
    ) -> None:
        clock = StandingClock()
        async with cache_at(server, clock) as cache:
            await asyncio.gather(*(cache.claim(f"n{n}", 600) for n in range(64)))
            clock.now += 100
            await cache._link.client.flushall()

            async def replay(number: int) -> bool:
                """Whether a replay got in: as integrity asks, claim first and then since."""
                try:
                    claimed = await cache.claim(f"n{number}", 600)
                except Unavailable:
                    return False
                return claimed and cache.since < clock.now

            assert not any(await asyncio.gather(*(replay(n) for n in range(64))))
            assert cache.since == clock.now

    async def test_a_promoted_replica_is_another_server(self, redis_server_path: Path) -> None:
        clock = StandingClock()
        options = ("--repl-diskless-sync-delay", "0")
        with running(RedisServer(redis_server_path, *options)) as server:
            await self.fail_over(server, redis_server_path, clock)

    async def fail_over(self, server: RedisServer, program: Path, clock: StandingClock) -> None:
        beside = RedisServer(program, "--replicaof", f"127.0.0.1 {server.port}")
        with running(beside) as replica:
            async with cache_at(server, clock) as cache, Redis(port=replica.port) as operator:
                assert await cache.claim("replicated", 600)
                await replicated(operator, 2)
                clock.now += 100
                server.stop(9)
                with pytest.raises(Unavailable, match="name the primary"):
                    async with cache_at(replica, clock):
                        pass
                await operator.replicaof("NO", "ONE")
                async with cache_at(replica, clock) as after:
                    assert after.since == clock.now > cache.since
                    assert not await after.claim("replicated", 600)
                    assert await after.claim("fresh", 600)

    async def test_another_process_learns_the_same_epoch_and_keeps_it(
        self, server: RedisServer
    ) -> None:
        clock = StandingClock()
        async with cache_at(server, clock) as one:
            clock.now += 100
            async with cache_at(server, clock) as other:
                assert other.since == one.since == clock.now - 100

    @pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
    async def test_a_server_that_evicts_is_refused(
        self, redis_server_path: Path, policy: str
    ) -> None:
        options = ("--maxmemory", "100mb", "--maxmemory-policy")
        with running(RedisServer(redis_server_path, *options, policy)) as server:
            with pytest.raises(Unavailable, match="maxmemory-policy noeviction"):
                async with cache_at(server):
                    pass
            async with Redis(port=server.port) as operator:
                await operator.config_set("maxmemory-policy", "noeviction")
            async with cache_at(server) as cache:
                assert await cache.claim("nonce", 60)

    async def test_a_full_server_refuses_rather_than_forgets(self, redis_server_path: Path) -> None:
        full = RedisServer(redis_server_path, "--maxmemory", "1")
        with running(full) as server, pytest.raises(Unavailable, match="memory is full"):
            async with cache_at(server):
                pass


class TestSharing:
    async def test_of_many_that_claim_one_key_in_two_processes_one_gets_it(
        self, server: RedisServer
    ) -> None:
        async with cache_at(server) as one, cache_at(server) as other:
            claims = (cache.claim("nonce", 60) for _ in range(32) for cache in (one, other))
            assert sorted(await asyncio.gather(*claims)) == [False] * 63 + [True]

    async def test_no_event_of_two_processes_is_counted_twice_or_not_at_all(
        self, server: RedisServer
    ) -> None:
        async with cache_at(server) as one, cache_at(server) as other:
            counts = await asyncio.gather(
                *(cache.count("quota", 600) for _ in range(32) for cache in (one, other))
            )
            assert sorted(count for count, _ in counts) == list(range(1, 65))

    async def test_no_name_can_be_read_in_the_server_and_all_but_the_epoch_expires(
        self, server: RedisServer
    ) -> None:
        async with cache_at(server) as cache:
            await cache.claim("nonce:anna", 600)
            await cache.count("address:198.51.100.7", 600)
            await cache.put("operator:anna", "v", 600)
            client = cache._link.client
            names = {name.decode() for name in await client.keys("*") if isinstance(name, bytes)}
            assert len(names) == 4
            names.remove("fanlight:epoch")
            for name in names:
                assert re.fullmatch(r"fanlight:(claim|count|value):[0-9a-f]{40}", name)
                assert 0 < await client.pttl(name) <= 600_000


class TestBadDays:
    async def test_a_server_that_is_down_is_unavailable_and_comes_back(
        self, server: RedisServer
    ) -> None:
        async with cache_at(server) as cache:
            server.stop()
            for call in (cache.claim("n", 9), cache.count("n", 9), cache.put("n", "", 9)):
                with pytest.raises(Unavailable):
                    await call
            server.start()
            assert await recovered(lambda: cache.claim("n", 9))

    async def test_a_stalled_server_is_unavailable_within_the_deadline_and_comes_back(
        self, server: RedisServer
    ) -> None:
        async with cache_at(server, deadline_s=0.5) as cache:
            assert await recovered(lambda: cache.claim("before", 600))
            server.stall()
            async with asyncio.timeout(5):
                refused = await asyncio.gather(
                    *(cache.claim(f"n{n}", 600) for n in range(100)), return_exceptions=True
                )
            assert {type(one) for one in refused} == {Unavailable}
            server.go_on()
            assert await recovered(lambda: cache.claim("after", 600))
            assert not await cache.claim("before", 600)

    async def test_a_server_that_fails_again_and_again_is_left_alone_for_a_moment(
        self, server: RedisServer
    ) -> None:
        async with cache_at(server) as cache:
            server.stop()
            for _ in range(REST_AFTER):
                with pytest.raises(Unavailable, match="reached"):
                    await cache.get("n")
            with pytest.raises(Unavailable, match="does not answer"):
                await cache.get("n")

    @pytest.mark.parametrize(
        "answer",
        [
            b"",
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            b"\x00" * 99,
            b"$9\r\nshort\r\n",
            b"*-7\r\n",
            b":x\r\n",
        ],
    )
    async def test_garbage_is_unavailable(self, answer: bytes) -> None:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(100)
            writer.write(answer)
            if answer:
                await reader.read()
            writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        url = f"redis://127.0.0.1:{port}"
        cache = RedisCache(url, clock=time.time, random=secrets.token_bytes, deadline_s=0.3)
        with pytest.raises(Unavailable):
            await cache.start()
        await cache.close()
        server.close()

    async def test_a_caller_that_goes_away_leaves_no_answer_to_the_next(
        self, server: RedisServer
    ) -> None:
        async with cache_at(server) as cache:
            await cache.put("name", "value", 60)
            for _ in range(50):
                lost = asyncio.create_task(cache.claim(secrets.token_hex(4), 60))
                await asyncio.sleep(0)
                lost.cancel()
                assert await cache.get("name") == "value"

    async def test_a_password_opens_the_server_and_no_message_shows_it(
        self, redis_server_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        with running(RedisServer(redis_server_path, "--requirepass", PASSWORD)) as server:
            word = quote(PASSWORD, safe="")
            for wrong in ("", f":{word}x@"):
                cache = at(server, wrong)
                with pytest.raises(Unavailable, match="FANLIGHT_REDIS_URL") as refused:
                    await cache.start()
                await cache.close()
                assert (
                    PASSWORD not in f"{refused.value!r} {refused.value.__cause__!r} {caplog.text}"
                )
            cache = at(server, f":{word}@")
            await cache.start()
            assert await cache.claim("nonce", 60)
            await cache.close()

    async def test_nobody_there_is_unavailable_at_the_start(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            url = f"redis://127.0.0.1:{probe.getsockname()[1]}"
            cache = RedisCache(url, clock=time.time, random=secrets.token_bytes)
            with pytest.raises(Unavailable, match="FANLIGHT_REDIS_URL"):
                await cache.start()
            await cache.close()
