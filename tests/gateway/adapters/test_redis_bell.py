"""The bell between processes: rung in one, heard in the others; what is lost is made up."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis

from gateway.adapters.redis_bell import CHANNEL, RedisBell, digest
from gateway.bell import OUTBOX, Bell, conversation_topic
from tests.servers import RedisServer

pytestmark = pytest.mark.needs("redis-server")

HEARD_S = 20.0


@pytest.fixture
def server(redis_server_path: Path) -> Iterator[RedisServer]:
    one = RedisServer(redis_server_path)
    one.start()
    yield one
    one.close()


@asynccontextmanager
async def bell_at(server: RedisServer) -> AsyncIterator[Bell]:
    """A process' bell that is heard: it has woken whoever listens once."""
    carried = RedisBell(server.url, random=secrets.token_bytes)
    with carried.bell.listen("any") as ear:
        carried.start()
        assert await ear.wait(HEARD_S)
    try:
        yield carried.bell
    finally:
        await carried.close()


async def test_a_ring_wakes_those_who_listen_in_every_process(server: RedisServer) -> None:
    async with bell_at(server) as one, bell_at(server) as other, bell_at(server) as third:
        with one.listen("a") as here, other.listen("a") as there, third.listen("b") as nowhere:
            one.ring("a")
            assert await here.wait(0)
            assert await there.wait(HEARD_S)
            assert not await nowhere.wait(0.2)


async def test_what_one_process_rings_does_not_wake_it_twice(server: RedisServer) -> None:
    async with bell_at(server) as one, bell_at(server) as other:
        with one.listen("a") as here, other.listen("a") as there:
            one.ring("a")
            assert await here.wait(0)
            assert await there.wait(HEARD_S)
            assert not await here.wait(0.2)


async def test_what_is_carried_cannot_be_read(server: RedisServer) -> None:
    conversation = f"c_{secrets.token_hex(16)}"
    topic = conversation_topic("site_shop", conversation)
    said = b""
    async with (
        Redis.from_url(server.url) as client,
        client.pubsub() as overheard,
        bell_at(server) as one,
        bell_at(server) as other,
    ):
        await overheard.subscribe(CHANNEL)
        with other.listen(topic) as there, other.listen(OUTBOX) as worker:
            one.ring(topic)
            one.ring(OUTBOX)
            assert await there.wait(HEARD_S)
            assert await worker.wait(HEARD_S)
        while message := await overheard.get_message(timeout=0.2):
            said += message["data"] if message["type"] == "message" else b""
    assert digest(topic).encode() in said
    for word in (conversation, "site_shop", OUTBOX):
        assert word.encode() not in said


async def test_rings_while_redis_is_away_are_made_up_by_a_look(server: RedisServer) -> None:
    async with bell_at(server) as one, bell_at(server) as other:
        server.stop()
        with one.listen("a") as here, other.listen("a") as there:
            one.ring("a")
            assert await here.wait(0)
            assert not await there.wait(0.2)
            server.start()
            assert await there.wait(HEARD_S)
        with other.listen("a") as there:
            async with asyncio.timeout(HEARD_S):
                while not await there.wait(0.2):
                    one.ring("a")


async def test_a_stalled_redis_is_left_and_found_again(server: RedisServer) -> None:
    async with bell_at(server) as one, bell_at(server) as other:
        server.stall()
        one.ring("a")
        await asyncio.sleep(0.5)
        server.go_on()
        with other.listen("a") as there:
            async with asyncio.timeout(HEARD_S):
                while not await there.wait(0.2):
                    one.ring("a")


async def test_a_closing_process_wakes_its_own_alone(server: RedisServer) -> None:
    async with bell_at(server) as one, bell_at(server) as other:
        with one.listen("a") as here, other.listen("a") as there:
            one.close()
            assert await here.wait(HEARD_S)
            assert not await there.wait(0.2)
            assert not other.closed
