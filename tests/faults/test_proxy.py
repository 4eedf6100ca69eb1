"""The network that fails does fail, in each of its ways, and recovers."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.faults.proxy import FaultProxy, before, printed_seed

ASKED = b"ask\n"
TOLD = b"the answer is " + b"x" * 100 + b"\n"


@pytest.fixture
async def proxy() -> AsyncIterator[FaultProxy]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            writer.write(TOLD)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with before(server.sockets[0].getsockname()[1], printed_seed()) as made:
        yield made
    server.close()


async def ask(proxy: FaultProxy, within_s: float = 5.0) -> bytes:
    """What one asker gets until the line or the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        writer.write(ASKED)
        async with asyncio.timeout(within_s):
            return await reader.readline()
    finally:
        writer.close()


async def test_it_lets_pass_what_it_should(proxy: FaultProxy) -> None:
    assert await ask(proxy) == TOLD
    assert proxy.connections == 1


@pytest.mark.parametrize(
    ("mode", "error"),
    [("down", ConnectionRefusedError), ("stall", TimeoutError), ("reset", ConnectionResetError)],
)
async def test_no_answer_comes(proxy: FaultProxy, mode: str, error: type[Exception]) -> None:
    await proxy.set(mode)  # type: ignore[arg-type]
    with pytest.raises(error):
        await ask(proxy, 0.3)
    await proxy.set("pass")
    assert await ask(proxy) == TOLD


async def test_an_answer_is_cut_or_another(proxy: FaultProxy) -> None:
    await proxy.set("cut")
    cut = await ask(proxy)
    assert TOLD.startswith(cut)
    assert len(cut) <= 64
    await proxy.set("garbage")
    assert await ask(proxy) != TOLD
    await proxy.set("pass")
    assert await ask(proxy) == TOLD


async def test_a_slow_answer_is_whole(proxy: FaultProxy) -> None:
    await proxy.set("slow")
    with pytest.raises(TimeoutError):
        await ask(proxy, 0.3)
    asking = asyncio.create_task(ask(proxy))
    await asyncio.sleep(0.2)
    await proxy.set("pass")
    assert await asking == TOLD


async def test_a_connection_that_is_open_fails_too(proxy: FaultProxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(ASKED)
    assert await reader.readline() == TOLD
    await proxy.set("down")
    assert await reader.read() == b""
    writer.close()
    await proxy.set("stall")
    asking = asyncio.create_task(ask(proxy))
    await asyncio.sleep(0.1)
    assert not asking.done()
    await proxy.set("pass")  # what stalled goes on
    assert await asking == TOLD
