"""Child processes that serve: started, waited for, and always ended.

Each child gets a pipe as its standard input; closing it asks the child to end, and a child that
does not is killed. A child that does not start raises `BenchError` with its last words.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, Final, cast

from gateway.cli.bench.load import BenchError

FANLIGHT: Final = (
    sys.executable,
    "-c",
    "import sys; from gateway.cli.entry import main; sys.exit(main())",
)
"""How the command is started, whichever of its scripts is on the path."""
START_S = 120.0
END_S = 10.0


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def plain_environ() -> dict[str, str]:
    """The environment without what the user's own gateway is told: a model, a database."""
    return {name: text for name, text in os.environ.items() if not name.startswith("FANLIGHT_")}


@dataclass(frozen=True, slots=True)
class Child:
    """A process and the port it answers on."""

    port: int
    pid: int


@asynccontextmanager
async def child(role: str, folder: Path, provider: str = "") -> AsyncIterator[Child]:
    """A server of this role in a process of its own."""
    module = "gateway.cli.bench.child"
    async with started(role, sys.executable, "-m", module, role, str(folder), provider) as made:
        yield made


@asynccontextmanager
async def started(
    name: str, *command: str, start_s: float = START_S, end_s: float = END_S
) -> AsyncIterator[Child]:
    """A process that prints the port it answers on, and ends when its standard input does."""
    pipe = asyncio.subprocess.PIPE
    with TemporaryFile() as errors:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=errors
        )
        try:
            yield Child(await _port(process, name, errors, start_s), process.pid)
        finally:
            await _end(process, end_s)


async def _port(
    process: asyncio.subprocess.Process, name: str, errors: BinaryIO, start_s: float
) -> int:
    stdout = cast("asyncio.StreamReader", process.stdout)
    line = b""
    with suppress(TimeoutError):
        async with asyncio.timeout(start_s):
            line = await stdout.readline()
    if not line.strip().isdigit():
        errors.seek(0)
        words = errors.read().decode("utf-8", "replace").strip()[-500:]
        raise BenchError(f"the server {name} did not start: {words or 'it said nothing'}")
    return int(line)


async def _end(process: asyncio.subprocess.Process, end_s: float) -> None:
    cast("asyncio.StreamWriter", process.stdin).close()
    try:
        async with asyncio.timeout(end_s):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
