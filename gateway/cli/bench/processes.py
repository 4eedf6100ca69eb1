"""Child processes that serve: started, waited for, and always ended.

Each child gets a pipe as its standard input; closing it asks the child to end, and a child that
does not is killed. A child that does not start raises `BenchError` with its last words.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from gateway.cli.bench.load import BenchError

START_S = 30.0
END_S = 10.0


@asynccontextmanager
async def child(role: str, folder: Path, provider: str = "") -> AsyncIterator[int]:
    """A server of this role in a process of its own; its port."""
    arguments = ("-m", "gateway.cli.bench.child", role, str(folder), provider)
    with TemporaryFile() as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
        try:
            yield await _port(process, role, errors)
        finally:
            await _end(process)


async def _port(process: asyncio.subprocess.Process, role: str, errors: BinaryIO) -> int:
    line = b""
    try:
        async with asyncio.timeout(START_S):
            if process.stdout is not None:
                line = await process.stdout.readline()
    except TimeoutError:
        pass
    if not line.strip().isdigit():
        errors.seek(0)
        words = errors.read().decode("utf-8", "replace").strip()[-500:]
        raise BenchError(f"the server {role} did not start: {words or 'it said nothing'}")
    return int(line)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(END_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
