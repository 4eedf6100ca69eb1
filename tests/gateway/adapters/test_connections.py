"""Kept connections: used again, dropped when stale, never more calls at once than places."""

from __future__ import annotations

import asyncio
import ssl

import httpcore
import pytest

from gateway.adapters.connections import AT_ONCE, KEPT, Connections
from tests.gateway.adapters.http_receiver import OK, answer, receiver


def pool() -> Connections:
    return Connections(ssl.create_default_context(), httpcore.AnyIOBackend())


def request(port: int, pool_s: float | None = None) -> httpcore.Request:
    extensions = {"timeout": {"pool": pool_s, "connect": 2.0, "read": 5.0, "write": 5.0}}
    url = f"http://127.0.0.1:{port}/"
    return httpcore.Request("GET", url, headers={"host": "x"}, extensions=extensions)


async def fetch(connections: Connections, port: int) -> bytes:
    response = await connections.handle_async_request(request(port))
    try:
        return await response.aread()
    finally:
        await response.aclose()
        await response.aclose()  # again is the same


async def test_a_connection_is_used_again() -> None:
    async with receiver(OK) as served, pool() as connections:
        assert [await fetch(connections, served.port) for _ in range(3)] == [b"ok"] * 3
        assert served.connections == 1


async def test_servers_do_not_share_connections() -> None:
    async with receiver(OK) as one, receiver(OK) as other, pool() as connections:
        for served in (one, other, one, other):
            await fetch(connections, served.port)
        assert (one.connections, other.connections) == (1, 1)
        assert (len(one.received), len(other.received)) == (2, 2)


async def test_a_connection_that_the_server_closed_is_not_used_again() -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.close()

    server = await asyncio.start_server(once, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, pool() as connections:
        for _ in range(2):
            assert await fetch(connections, port) == b"ok"
            await asyncio.sleep(0.15)


async def test_a_response_that_is_left_early_costs_its_connection() -> None:
    async with receiver(answer(200, body=b"x" * 100_000)) as served, pool() as connections:
        for _ in range(2):
            response = await connections.handle_async_request(request(served.port))
            await response.aclose()
        assert served.connections == 2


async def test_no_more_idle_connections_are_kept_than_allowed() -> None:
    count = KEPT + 4
    async with receiver(OK) as served, pool() as connections:
        for _ in range(2):
            under_way = [
                await connections.handle_async_request(request(served.port)) for _ in range(count)
            ]
            for response in under_way:
                await response.aread()
                await response.aclose()
        assert served.connections == count + 4


async def test_calls_wait_for_a_place_and_give_up_in_time() -> None:
    async with receiver(OK) as served, pool() as connections:
        under_way = [
            await connections.handle_async_request(request(served.port)) for _ in range(AT_ONCE)
        ]
        with pytest.raises(httpcore.PoolTimeout):
            await connections.handle_async_request(request(served.port, 0.02))
        waiting = asyncio.create_task(fetch(connections, served.port))
        await asyncio.sleep(0)
        for response in under_way:
            await response.aread()
            await response.aclose()
        assert await waiting == b"ok"


async def test_a_failed_call_gives_its_place_back() -> None:
    async with pool() as connections:
        for _ in range(AT_ONCE + 1):
            with pytest.raises(httpcore.ConnectError):
                await connections.handle_async_request(request(1, 0.5))


async def test_a_closed_pool_keeps_nothing() -> None:
    async with receiver(OK) as served:
        connections = pool()
        first = await connections.handle_async_request(request(served.port))
        await fetch(connections, served.port)
        await connections.aclose()
        assert await first.aread() == b"ok"
        await first.aclose()
        await fetch(connections, served.port)
        assert served.connections == 3
