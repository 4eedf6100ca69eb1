"""A server in a process of its own: `python -m gateway.cli.bench.child ROLE FOLDER PROVIDER`.

It prints its port once it answers, and ends when its standard input does: a benchmark that is
killed leaves nothing running.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import uvloop

from gateway.adapters import logs
from gateway.cli.bench.servers import ROLES, Place
from gateway.cli.serving import Listener, bind, serve


async def run(role: str, folder: Path, provider: str) -> bool:
    """Serve one role until standard input ends or a signal comes."""
    # IPv4 alone: a free port of one loopback need not be free on the other.
    sockets = bind("127.0.0.1", 0, "nothing")[:1]
    port: int = sockets[0].getsockname()[1]

    def ready() -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(0, lambda: _stop(loop))
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()

    async with ROLES[role](Place(port, folder, provider)) as app:
        return await serve([Listener(app, sockets, lifespan=True)], ready=ready, stopping=_nothing)


def _stop(loop: asyncio.AbstractEventLoop) -> None:
    loop.remove_reader(0)
    os.kill(os.getpid(), signal.SIGTERM)


def _nothing() -> None:
    """Nothing streams here."""


def main(arguments: list[str]) -> int:
    """Serve; 0 when everything ended in order."""
    role, folder, provider = arguments
    logs.configure(sys.stderr, as_json=True)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return int(not runner.run(run(role, Path(folder), provider)))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
