"""The way to a Redis server: one pool of connections, deadlines, and errors in our own words.

It decides that no call waits longer than its deadline, that a server which fails again and again
is left alone for a moment, and that whatever the driver raises becomes `Unavailable`. It tries
nothing twice: a claim that was lost on the way may have been taken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from core.errors import Unavailable

DEADLINE_S: Final = 1.0
CONNECTIONS: Final = 32
REST_AFTER: Final = 3
"""Failures in a row after which the server is left alone for `REST_S`."""
REST_S: Final = 0.5

# A server that talks garbage makes its reader raise whatever its parser does.
DRIVER_ERRORS: Final = (RedisError, OSError, ValueError, TypeError, IndexError, KeyError)


class RedisLink:
    """Calls to one server, each within `deadline_s` seconds."""

    def __init__(self, url: str, *, deadline_s: float = DEADLINE_S) -> None:
        self._deadline_s = deadline_s
        self._pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=deadline_s,
            socket_timeout=deadline_s,
            socket_connect_timeout=deadline_s,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
        self.client: Redis = Redis(connection_pool=self._pool)
        self._failures = 0
        self._rests_until = 0.0
        self._running: set[asyncio.Task[Any]] = set()

    async def call[Value](self, ask: Callable[[], Awaitable[Value]]) -> Value:
        """What `ask` gives; raises `Unavailable`. A caller that goes away leaves it to its end."""
        if asyncio.get_running_loop().time() < self._rests_until:
            raise Unavailable("Redis does not answer")
        task = asyncio.create_task(self._within(ask))
        self._running.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited has it; nobody may have

    async def _within[Value](self, ask: Callable[[], Awaitable[Value]]) -> Value:
        try:
            async with asyncio.timeout(self._deadline_s):
                value = await ask()
        except DRIVER_ERRORS as exc:
            self._failed()
            raise unavailable(exc) from exc
        self._failures = 0
        return value

    async def close(self) -> None:
        """Let what is under way end, and close all connections."""
        if self._running:
            await asyncio.wait(self._running, timeout=self._deadline_s)
        try:
            async with asyncio.timeout(self._deadline_s):
                await self.client.aclose()
                await self._pool.disconnect()
        except DRIVER_ERRORS:
            pass  # a server that is gone needs no farewell

    def _failed(self) -> None:
        self._failures += 1
        if self._failures >= REST_AFTER:
            self._rests_until = asyncio.get_running_loop().time() + REST_S


def unavailable(exc: Exception) -> Unavailable:
    """What a failure of the driver is called; only the kind of it, for addresses are nobody's."""
    late = isinstance(exc, TimeoutError) or "imeout" in type(exc).__name__
    return Unavailable("Redis did not answer in time" if late else f"Redis: {_kind(exc)}")


def _kind(exc: Exception) -> str:
    return {
        "AuthenticationError": "the user or the password is wrong",
        "NoPermissionError": "the user may not run what Fanlight needs (see docs/ops/deploy.md)",
        "ConnectionError": "it cannot be reached",
        "ReadOnlyError": "it is a replica; name the primary",
        "BusyLoadingError": "it is still loading its data",
        "OutOfMemoryError": "its memory is full",
    }.get(type(exc).__name__, "it failed, or answered what is no answer")
