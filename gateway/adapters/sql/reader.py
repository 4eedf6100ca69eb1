"""Reads, each within a deadline, on a thread and a connection of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Connection, Engine

from core.errors import Unavailable
from gateway.adapters.sql.errors import mapped


class Reader:
    """Runs reads, each in a transaction of its own."""

    def __init__(self, engine: Engine, *, deadline_s: float) -> None:
        self._engine = engine
        self._deadline_s = deadline_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="truth-reader")
        self._connection: Connection | None = None

    async def run[Value](self, read: Callable[[Connection], Value]) -> Value:
        """What `read` gives."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._deadline_s):
                return await loop.run_in_executor(self._thread, self._read, read)
        except TimeoutError as exc:
            raise Unavailable("the database did not answer in time") from exc

    async def close(self) -> None:
        """Close the connection."""
        self._thread.submit(self._disconnect)
        self._thread.shutdown(wait=False)

    def _read[Value](self, read: Callable[[Connection], Value]) -> Value:
        with mapped():
            if self._connection is None:
                self._connection = self._engine.connect()
            with self._connection.begin():
                return read(self._connection)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
