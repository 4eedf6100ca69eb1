"""How a crowd's connections come in: many a turn of the loop that `fanlight run` serves with."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from typing import Any

import uvloop

from gateway.cli.serving import ACCEPTED_A_TURN, Listener, bind, serve
from tests.gateway.serving import free_port

CROWD = 200
ASKED = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


def come(port: int) -> list[socket.socket]:
    """A crowd that connects and asks before any of it is let in: the kernel keeps them."""
    crowd = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(CROWD)]
    for each in crowd:
        each.sendall(ASKED)
    return crowd


def test_a_crowd_comes_in_at_once_though_each_turn_of_the_loop_is_long() -> None:
    port = free_port()
    turns: list[int] = []
    crowd: list[socket.socket] = []

    async def main() -> bool:
        turn = 0
        all_in = asyncio.Event()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            turns.append(turn)
            if len(turns) == CROWD:
                all_in.set()
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})

        ready = asyncio.Event()
        listener = Listener(app, bind("127.0.0.1", port, "--port"), lifespan=False)
        serving = asyncio.create_task(
            serve([listener], ready=ready.set, stopping=lambda: None, signals=(signal.SIGUSR1,))
        )
        await ready.wait()
        crowd.extend(come(port))  # blocks the loop until all of them wait outside
        async with asyncio.timeout(30):
            while not all_in.is_set():
                turn += 1
                await asyncio.sleep(0)
        os.kill(os.getpid(), signal.SIGUSR1)
        return await serving

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(main())
    for each in crowd:
        assert each.recv(64).startswith(b"HTTP/1.1 204 ")
        each.close()
    # A turn lets in so many, and asks of each the turn after.
    assert len(turns) == CROWD
    assert len(set(turns)) <= 2 * CROWD / ACCEPTED_A_TURN
