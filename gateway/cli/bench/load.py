"""Load: requests as ready bytes, sent over keep-alive connections, as fast as answers come back.

It decides what counts as an answer: status 200, a declared length, and a mark that the right answer
carries. Anything else stops the run with `BenchError`: a figure over failed calls says nothing.
There are no tasks and no parser here, so that on two cores the servers are what is measured.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import cast

from core.errors import FanlightError

ANSWER_S = 20.0
_SLOWEST = 50
"""Calls a second below which a server counts as stuck."""

_LENGTH = b"content-length: "


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
    """One keep-alive connection; one request at a time.

    `answered` is given each whole response, head and body; `failed` is told why there will be none.
    """

    def __init__(self) -> None:
        self.answered: Callable[[bytes], None] = _nobody
        self.failed: Callable[[BenchError], None] = _nobody
        self.send: Callable[[bytes], None] = _nobody
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self.send = self._transport.write

    def data_received(self, data: bytes) -> None:
        """Give the response on, once it is whole."""
        if self._received:
            data = self._received + data
        head = data.find(b"\r\n\r\n")
        begin = data.find(_LENGTH, 0, head) if head > 0 else -1
        if begin < 0:
            self._received = data
            if head > 0:
                self.failed(BenchError(f"a response has no length: {data[:200]!r}"))
            return
        begin += len(_LENGTH)
        if len(data) < head + 4 + int(data[begin : data.find(b"\r", begin)]):
            self._received = data
            return
        self._received = b""
        self.answered(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever still waits will not get an answer."""
        if not self._closed:
            self.failed(BenchError("a server closed a connection"))

    def close(self) -> None:
        """Close it."""
        self._closed = True
        if self._transport is not None:
            self._transport.close()


def _nobody(_: object) -> None:
    """Nobody listens yet."""


async def connect(port: int) -> Connection:
    """A connection to a server on this machine."""
    loop = asyncio.get_running_loop()
    return (await loop.create_connection(Connection, "127.0.0.1", port))[1]


async def drive(
    port: int,
    requests: Sequence[bytes],
    *,
    at_once: int,
    mark: bytes,
    answer_s: float = ANSWER_S,
) -> Round:
    """Send all requests, `at_once` at any time; every answer must carry `mark`."""
    connections = [await connect(port) for _ in range(min(at_once, len(requests)))]
    done = asyncio.get_running_loop().create_future()
    run = _Run(requests, mark, done)
    try:
        async with asyncio.timeout(answer_s + len(requests) / _SLOWEST):
            began = time.perf_counter()
            for each in connections:
                run.start(each)
            await done
            return Round(len(requests), time.perf_counter() - began)
    except TimeoutError as error:
        raise BenchError("a server stopped answering") from error
    finally:
        for each in connections:
            each.close()


class _Run:
    """Requests on their way: each connection sends the next one when it has an answer."""

    def __init__(self, requests: Iterable[bytes], mark: bytes, done: asyncio.Future[None]) -> None:
        self._feed = iter(requests)
        self._mark = mark
        self._done = done
        self._under_way = 0

    def start(self, connection: Connection) -> None:
        """Send on this connection until nothing is left."""

        def answered(response: bytes) -> None:
            flaw = flaw_of(response, self._mark)
            if flaw is not None:
                self._fail(flaw)
                return
            request = next(self._feed, None)
            if request is not None:
                connection.send(request)
                return
            self._under_way -= 1
            if self._under_way == 0 and not self._done.done():
                self._done.set_result(None)

        self._under_way += 1
        connection.answered, connection.failed = answered, self._fail
        connection.send(next(self._feed))

    def _fail(self, flaw: BenchError) -> None:
        if not self._done.done():
            self._done.set_exception(flaw)


async def timed(
    connection: Connection, request: bytes, mark: bytes, *, answer_s: float = ANSWER_S
) -> tuple[float, bytes]:
    """The seconds that one answer took, and the answer; raises `BenchError`."""
    future: asyncio.Future[tuple[float, bytes]] = asyncio.get_running_loop().create_future()

    def failed(flaw: BenchError) -> None:
        if not future.done():
            future.set_exception(flaw)

    def answered(response: bytes) -> None:
        future.set_result((time.perf_counter() - began, response))

    connection.answered, connection.failed = answered, failed
    began = time.perf_counter()
    connection.send(request)
    try:
        async with asyncio.timeout(answer_s):
            seconds, response = await future
    except TimeoutError as error:
        raise BenchError("a server stopped answering") from error
    flaw = flaw_of(response, mark)
    if flaw is not None:
        raise flaw
    return seconds, response


def flaw_of(response: bytes, mark: bytes) -> BenchError | None:
    """Why this is not the answer that was to be measured, if it is not."""
    if response.startswith(b"HTTP/1.1 200 ") and mark in response:
        return None
    shown = response[-400:].decode("utf-8", "replace")
    return BenchError(f"the answer is not the one to measure: {shown}")
