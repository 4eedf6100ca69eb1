"""Kept connections for outbound HTTP/1.1: of the idle ones, the newest is used again first.

httpcore's own pool looks at every connection it holds at every request, and at every pair of them
where many are idle; calls that end together, as after a group commit, cost more there than in all
the rest. This one looks at what it hands out. It decides how many calls go on at once and how many
connections are kept; what a connection may reach is decided by the backend that makes it.
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
"""Idle connections to one server; more are closed."""

KEPT_S = 15.0


type _Server = tuple[bytes, bytes, int]


class _Stream(Protocol):
    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def aclose(self) -> None: ...


class Connections:
    """A pool; it has the parts of httpcore's pool that httpx's transport uses."""

    def __init__(self, context: ssl.SSLContext, backend: httpcore.AsyncNetworkBackend) -> None:
        self._context = context
        self._backend = backend
        self._places = asyncio.Semaphore(AT_ONCE)
        self._idle: defaultdict[_Server, deque[httpcore.AsyncHTTPConnection]] = defaultdict(deque)
        self._closed = False

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request; its connection is free again once the response is closed.

        Raises what httpcore raises; `PoolTimeout` when no place came free in time.
        """
        try:
            async with asyncio.timeout(request.extensions.get("timeout", {}).get("pool")):
                await self._places.acquire()
        except TimeoutError as exc:
            raise httpcore.PoolTimeout("too many calls are under way") from exc
        origin = request.url.origin
        server = (origin.scheme, origin.host, origin.port)
        try:
            connection = await self._taken(server) or self._new(origin)
            response = await connection.handle_async_request(request)
        except BaseException:
            self._places.release()
            raise
        return httpcore.Response(
            response.status,
            headers=response.headers,
            content=_Body(self, server, connection, cast("_Stream", response.stream)),
            extensions=response.extensions,
        )

    async def give_back(self, server: _Server, connection: httpcore.AsyncHTTPConnection) -> None:
        """A response has been closed: keep its connection where it can be used again."""
        self._places.release()
        kept = self._idle[server]
        if self._closed or len(kept) >= KEPT or not connection.is_idle():
            await connection.aclose()
            return
        kept.append(connection)
        # The oldest may wait for a burst that never comes again.
        if kept[0].has_expired():
            await kept.popleft().aclose()

    async def aclose(self) -> None:
        """Close the idle connections, and each other one when its response is closed."""
        self._closed = True
        idle = [connection for kept in self._idle.values() for connection in kept]
        self._idle.clear()
        for connection in idle:
            await connection.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    async def _taken(self, server: _Server) -> httpcore.AsyncHTTPConnection | None:
        kept = self._idle[server]
        while kept:
            connection = kept.pop()
            if not connection.has_expired():
                return connection
            await connection.aclose()
        return None

    def _new(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        return httpcore.AsyncHTTPConnection(
            origin,
            ssl_context=self._context,
            keepalive_expiry=KEPT_S,
            network_backend=self._backend,
        )


class _Body:
    """A response's body, which gives the connection back when it is closed."""

    def __init__(
        self,
        pool: Connections,
        server: _Server,
        connection: httpcore.AsyncHTTPConnection,
        stream: _Stream,
    ) -> None:
        self._pool = pool
        self._server = server
        self._connection = connection
        self._stream = stream
        self._closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._stream)

    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            await self._stream.aclose()
        finally:
            await self._pool.give_back(self._server, self._connection)
