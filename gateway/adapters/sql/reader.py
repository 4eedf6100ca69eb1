"""Reads: point reads at once, others on a thread of their own.

In WAL mode a reader never waits for the writer. A read of one row by its key takes some 20 µs of
which SQLite has the least, while a hop to a thread and back costs five times that, so such reads
run where they are asked for, on a connection that waits for no lock. When the store is busy all
the same, and for every longer read, a thread does it within the deadline.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from core.errors import Unavailable
from gateway.adapters.sql.errors import mapped


class _Held:
    """One connection that is kept; after a failure the next read opens another."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def run[Value](self, read: Callable[[Connection], Value]) -> Value:
        if self._connection is None:
            self._connection = self._engine.connect()
        try:
            return read(self._connection)
        except DBAPIError:
            self.close()
            raise

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class Reader:
    """Runs reads: `patient` waits for locks and has transactions, `hasty` neither."""

    def __init__(self, *, patient: Engine, hasty: Engine, deadline_s: float) -> None:
        self._patient = _Held(patient)
        self._hasty = _Held(hasty)
        self._deadline_s = deadline_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="truth-reader")

    async def at_once[Value](self, read: Callable[[Connection], Value]) -> Value:
        """What a read of one row by its key gives."""
        try:
            with mapped():
                return self._hasty.run(read)
        except Unavailable:
            return await self.snapshot(read)

    async def snapshot[Value](self, read: Callable[[Connection], Value]) -> Value:
        """What `read` gives, all of it from one snapshot."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._deadline_s):
                return await loop.run_in_executor(self._thread, self._read, read)
        except TimeoutError as exc:
            raise Unavailable("the database did not answer in time") from exc

    async def close(self) -> None:
        """Close the connections, within the deadline."""
        self._hasty.close()
        closing = asyncio.get_running_loop().run_in_executor(self._thread, self._patient.close)
        await asyncio.wait({closing}, timeout=self._deadline_s)
        self._thread.shutdown(wait=False)

    def _read[Value](self, read: Callable[[Connection], Value]) -> Value:
        def in_snapshot(connection: Connection) -> Value:
            with connection.begin():
                return read(connection)

        with mapped():
            return self._patient.run(in_snapshot)
