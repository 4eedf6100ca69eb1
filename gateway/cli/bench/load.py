"""Load: requests as ready bytes, sent over keep-alive connections, as fast as answers come back.

It decides what counts as an answer: status 200, a declared length, and a mark that the right answer
carries. Anything else stops the run with `BenchError`: a figure over failed calls says nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from core.errors import FanlightError

ANSWER_S = 20.0


class BenchError(FanlightError):
    """The benchmark cannot be run, or measured something else than it should."""


@dataclass(frozen=True, slots=True)
class Round:
    """Some answered requests, and the seconds that they took together."""

    answered: int
    seconds: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.answered / self.seconds


class Connection(asyncio.Protocol):
    """One keep-alive connection; one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._waiter: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def ask(self, request: bytes) -> asyncio.Future[bytes]:
        """Send a request; its whole response, head and body."""
        self._waiter = asyncio.get_running_loop().create_future()
        if self._transport is None or self._transport.is_closing():
            self._waiter.set_exception(BenchError("the server closed a connection"))
        else:
            self._transport.write(request)
        return self._waiter

    def data_received(self, data: bytes) -> None:
        """Give the response to whoever asked, once it is whole."""
        self._received = received = self._received + data
        head = received.find(b"\r\n\r\n")
        if head < 0:
            return
        begin = received.find(b"content-length: ", 0, head)
        if begin < 0:
            self._fail(f"a response has no length: {received[:200]!r}")
            return
        length = int(received[begin + 16 : received.find(b"\r\n", begin)])
        if len(received) >= head + 4 + length:
            self._received = b""
            self._give(received)

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever still waits will not get an answer."""
        self._fail("the server closed a connection")

    def close(self) -> None:
        """Close it."""
        if self._transport is not None:
            self._transport.close()

    def _give(self, response: bytes) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(response)

    def _fail(self, why: str) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(BenchError(why))


async def connect(port: int) -> Connection:
    """A connection to a server on this machine."""
    loop = asyncio.get_running_loop()
    return (await loop.create_connection(Connection, "127.0.0.1", port))[1]


async def drive(port: int, requests: Sequence[bytes], *, at_once: int, mark: bytes) -> Round:
    """Send all requests, `at_once` at any time; every answer must carry `mark`."""
    connections = [await connect(port) for _ in range(min(at_once, len(requests)))]
    feed = iter(requests)
    try:
        async with asyncio.timeout(ANSWER_S + len(requests) / 50):
            began = time.perf_counter()
            await asyncio.gather(*(_work(each, feed, mark) for each in connections))
            return Round(len(requests), time.perf_counter() - began)
    except TimeoutError as error:
        raise BenchError("a server stopped answering") from error
    finally:
        for each in connections:
            each.close()


async def _work(connection: Connection, feed: Iterator[bytes], mark: bytes) -> None:
    for request in feed:
        check(await connection.ask(request), mark)


async def timed(connection: Connection, request: bytes, mark: bytes) -> tuple[float, bytes]:
    """The seconds that one answer took, and the answer."""
    began = time.perf_counter()
    async with asyncio.timeout(ANSWER_S):
        response = await connection.ask(request)
    seconds = time.perf_counter() - began
    check(response, mark)
    return seconds, response


def check(response: bytes, mark: bytes) -> None:
    """Raise `BenchError` unless this is the answer that was to be measured."""
    if not response.startswith(b"HTTP/1.1 200 ") or mark not in response:
        shown = response[-400:].decode("utf-8", "replace")
        raise BenchError(f"the answer is not the one to measure: {shown}")
