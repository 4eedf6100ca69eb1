"""Kept connections for outbound HTTP/1.1: the newest idle one is used again first.

httpcore's own pool looks at every connection it holds at every request, and at every pair of them
where many are idle; calls that end together, as after a group commit, then cost more there than
anywhere else. This one looks at what it hands out. It decides how many connections are used and
kept; what a connection may reach is decided where it is made.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from typing import Protocol, Self, cast

import httpcore

AT_ONCE = 256
KEPT = 64
KEPT_S = 15.0


class _Stream(Protocol):
    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def aclose(self) -> None: ...


class Connections:
    """A pool; it has the parts of httpcore's that httpx's transport uses."""

    def __init__(
        self, context: ssl.SSLContext, backend: httpcore.AsyncNetworkBackend | None = None
    ) -> None:
        self._context = context
        self._backend = backend
        self._places = asyncio.Semaphore(AT_ONCE)
        self._idle: dict[httpcore.Origin, deque[httpcore.AsyncHTTPConnection]]
        self._idle = defaultdict(deque)
        self._kept = 0

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request; its connection is free again once the response is closed.

        Raises what httpcore raises, `PoolTimeout` when no place came free in time.
        """
        timeout = request.extensions.get("timeout", {}).get("pool")
        try:
            async with asyncio.timeout(timeout):
                await self._places.acquire()
        except TimeoutError as exc:
            raise httpcore.PoolTimeout("too many calls are under way") from exc
        try:
            connection = await self._take(request.url.origin)
            response = await connection.handle_async_request(request)
        except BaseException:
            self._places.release()
            raise
        body = _Body(self, connection, cast("_Stream", response.stream))
        return httpcore.Response(
            response.status, headers=response.headers, content=body, extensions=response.extensions
        )

    async def aclose(self) -> None:
        """Close the connections that nobody uses."""
        idle = [connection for kept in self._idle.values() for connection in kept]
        self._idle.clear()
        self._kept = 0
        for connection in idle:
            await connection.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    async def _take(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        kept = self._idle[_hashable(origin)]
        while kept:
            connection = kept.pop()
            self._kept -= 1
            if not connection.has_expired():
                return connection
            await connection.aclose()
        return httpcore.AsyncHTTPConnection(
            origin,
            ssl_context=self._context,
            keepalive_expiry=KEPT_S,
            network_backend=self._backend,
        )

    async def give_back(self, connection: httpcore.AsyncHTTPConnection) -> None:
        """A response was closed: keep its connection if it can be used again."""
        self._places.release()
