"""Child processes that serve: started, waited for, and always ended.

Each child gets a pipe as its standard input; closing it asks the child to end, and a child that
does not is killed. A child that does not start raises `BenchError` with its last words.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, cast

from gateway.cli.bench.load import BenchError

START_S = 30.0
END_S = 10.0


@asynccontextmanager
async def child(role: str, folder: Path, provider: str = "") -> AsyncIterator[int]:
    """A server of this role in a process of its own; its port."""
    module = "gateway.cli.bench.child"
    async with started(role, sys.executable, "-m", module, role, str(folder), provider) as port:
        yield port


@asynccontextmanager
async def started(
    name: str, *command: str, start_s: float = START_S, end_s: float = END_S
) -> AsyncIterator[int]:
    """A process that prints the port it answers on, and ends when its standard input does."""
    pipe = asyncio.subprocess.PIPE
    with TemporaryFile() as errors:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=errors
        )
        try:
            yield await _port(process, name, errors, start_s)
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
