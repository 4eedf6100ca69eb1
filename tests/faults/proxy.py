"""A network that fails: a proxy on loopback that any test can put before any dependency.

Decides what becomes of the bytes between a client and the server behind it, by a mode that may
change at any time and then holds for open connections too. What is left to chance is drawn from a
seed, which is printed.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal, get_args

type Mode = Literal["pass", "down", "stall", "reset", "cut", "garbage", "slow"]
"""`down`: connections are refused. `stall`: nothing moves. `reset`: the first answer is a reset.
`cut`: it ends within its first bytes. `garbage`: it is something else. `slow`: a byte at a time."""

FAULTS: tuple[Mode, ...] = tuple(mode for mode in get_args(Mode.__value__) if mode != "pass")
CHUNK = 65_536
CUT_AFTER = 64
DRIP_S = 0.05
_AT_ONCE = struct.pack("ii", 1, 0)


@dataclass
class FaultProxy:
    """A proxy before `127.0.0.1:upstream`, listening on `port` of loopback.

    `heard` counts what clients sent, whether or not it went on.
    """

    upstream: int
    chance: random.Random
    port: int = 0
    mode: Mode = "pass"
    connections: int = 0
    heard: int = 0
    _server: asyncio.Server | None = None
    _open: set[asyncio.Task[None]] = field(default_factory=set)
    _flowing: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._flowing.set()

    async def set(self, mode: Mode) -> None:
        """Fail in this way from now on, or no longer."""
        self.mode = mode
        if mode == "stall":
            self._flowing.clear()
        else:
            self._flowing.set()
        if mode == "down":
            await self._stop_listening()
            for task in list(self._open):
                task.cancel()
        elif self._server is None:
            await self.listen()

    async def listen(self) -> None:
        """Listen, on the port that was had before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Cut everything off."""
        await self._stop_listening()
        tasks = list(self._open)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _stop_listening(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        back = None
        try:
            ahead, back = await asyncio.open_connection("127.0.0.1", self.upstream)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._carry(reader, back))
                both.create_task(self._spoil(ahead, writer))
        except* (OSError, _Ended):
            pass  # one side hung up, which ends the other
        finally:
            self._open.discard(task)
            for each in (writer, back):
                if each is not None:
                    each.close()

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """From the client to the server; what stalls is kept, and goes on later."""
        while data := await source.read(CHUNK):
            self.heard += 1
            await self._flowing.wait()
            sink.write(data)
            await sink.drain()
        raise _Ended

    async def _spoil(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """From the server to the client, by the mode that holds when the bytes come."""
        while data := await source.read(CHUNK):
            await self._flowing.wait()
            if self.mode == "reset":
                _reset(sink)
                raise _Ended
            if self.mode == "garbage":
                data = self.chance.randbytes(self.chance.randint(1, 200))
            if self.mode == "cut":
                data = data[: self.chance.randint(0, min(CUT_AFTER, len(data) - 1))]
            if self.mode == "slow":
                await self._drip(data, sink)
            else:
                sink.write(data)
                await sink.drain()
            if self.mode in ("garbage", "cut"):
                raise _Ended
        raise _Ended

    async def _drip(self, data: bytes, sink: asyncio.StreamWriter) -> None:
        for at in range(len(data)):
            if self.mode != "slow":
                sink.write(data[at:])
                break
            sink.write(data[at : at + 1])
            await sink.drain()
            await asyncio.sleep(DRIP_S)


class _Ended(Exception):
    """A connection's side has ended; the other is to end too."""


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with a reset in place of a farewell."""
    own = writer.get_extra_info("socket")
    with suppress(OSError):
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    writer.transport.abort()


def printed_seed() -> int:
    """The seed of a run: `FANLIGHT_SEED`, else another each time; printed either way."""
    seed = int(os.environ.get("FANLIGHT_SEED") or random.randrange(10**9))
    print(f"FANLIGHT_SEED={seed}")  # noqa: T201 - to run a failure again
    return seed


@asynccontextmanager
async def before(upstream: int, seed: int) -> AsyncIterator[FaultProxy]:
    """A proxy before a port of loopback; it lets everything pass until it is told otherwise."""
    proxy = FaultProxy(upstream, random.Random(seed))
    await proxy.listen()
    try:
        yield proxy
    finally:
        await proxy.close()
