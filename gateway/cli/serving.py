"""Serves ASGI apps in one process until a signal asks it to stop.

Decides how sockets are bound (IPv4 and IPv6 loopback together, because `localhost` means either)
and how stopping goes: the first signal lets streams end and requests finish, the second, or ten
seconds, cuts them off. Refuses a port that is taken, in one line with the remedy.
"""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from core.errors import FanlightError

ACCEPTED_A_TURN: Final = 16
"""Of each listening descriptor uvloop takes one connection a turn of its loop (libuv since 1.45).

Where a turn takes ten milliseconds that is a hundred a second; the rest wait in the kernel, where
none of our limits sees them. So each socket is listened on by as many descriptors as this.
"""
GRACE_S: Final = 8
LAST_S: Final = 9.5
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
LOOPBACKS: Final = {"127.0.0.1": "::1"}


class CannotServe(FanlightError):
    """A socket that cannot be had, or an app that does not start; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Listener:
    """An app and the sockets it answers on."""

    app: ASGIApp
    sockets: Sequence[socket.socket]
    lifespan: bool
    trusted_proxies: Sequence[str] = ()


def bind(
    host: str, port: int, option: str, pairs: Mapping[str, str] = LOOPBACKS
) -> list[socket.socket]:
    """Sockets on this address; with IPv4's loopback goes IPv6's, where the machine has one.

    Raises `CannotServe`; `option` is what the user can choose another port with.
    """
    sockets = [_bind(host, port, option)]
    beside = pairs.get(host)
    try:
        if beside is not None:
            sockets.append(_bind(beside, port, option))
    except _NoSuchAddress:
        pass
    except CannotServe:
        sockets[0].close()
        raise
    return sockets


class _NoSuchAddress(CannotServe):
    """The machine has no interface with this address."""


def _bind(host: str, port: int, option: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made: socket.socket | None = None
    try:
        # Only where a socket says that it is TCP does asyncio send each part of an answer at once
        # (TCP_NODELAY); else a stream's first words wait 40 ms for its head to be acknowledged.
        made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # "::" serves IPv4 too; "::1" leaves 127.0.0.1 to the socket beside it.
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(host != "::"))
        made.bind((host, port))
        # Another process may have bound without listening yet: listening settles whose it is.
        made.listen(2048)
        made.setblocking(False)
    except OSError as error:
        if made is not None:
            made.close()
        raise refusal(error, host, port, option) from error
    return made


def refusal(error: OSError, host: str, port: int, option: str) -> CannotServe:
    """What a person is told when a socket cannot be had."""
    if error.errno == errno.EADDRINUSE:
        return CannotServe(f"Port {port} is in use. Choose another with {option}.")
    if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
        return _NoSuchAddress(
            f"This machine has no address {host}. Set gateway.host to one it has."
        )
    if error.errno == errno.EACCES:
        return CannotServe(f"Port {port} needs more rights. Choose one above 1023 with {option}.")
    return CannotServe(f"{host}:{port} cannot be listened on: {error.strerror}.")


class _Server(uvicorn.Server):
    """uvicorn's server, which leaves signals to `serve` and says when it answers."""

    def __init__(self, listener: Listener) -> None:
        super().__init__(
            uvicorn.Config(
                listener.app,
                loop="none",
                http="httptools" if find_spec("httptools") else "h11",
                ws="none",
                lifespan="on" if listener.lifespan else "off",
                log_config=None,
                access_log=False,
                server_header=False,
                # The right-most address that no trusted proxy wrote is the client's.
                proxy_headers=bool(listener.trusted_proxies),
                forwarded_allow_ips=list(listener.trusted_proxies),
                timeout_graceful_shutdown=GRACE_S,
            )
        )
        self._sockets = list(listener.sockets)
        self.answering = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none: two servers share one process."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        self.answering.set()

    async def run_to_end(self) -> None:
        """Serve until told to stop. Raises `CannotServe` when the app does not start."""
        with _further(self._sockets) as further:
            try:
                await self.serve([*self._sockets, *further])
            except SystemExit as error:  # how uvicorn says that; it has logged the reason
                raise CannotServe("The app did not start; the lines above say why.") from error


@contextmanager
def _further(listening: Sequence[socket.socket]) -> Iterator[list[socket.socket]]:
    """The same sockets under further descriptors."""
    made = [each.dup() for each in listening for _ in range(ACCEPTED_A_TURN - 1)]
    try:
        yield made
    finally:
        for each in made:
            each.close()


class _Stop:
    """What signals do: the first asks, the second and the deadline cut off."""

    def __init__(
        self,
        servers: Sequence[_Server],
        runner: asyncio.Task[None],
        stopping: Callable[[], None],
    ) -> None:
        self._servers = servers
        self._runner = runner
        self._stopping = stopping
        self._loop = asyncio.get_running_loop()
        self._asked = False
        self.forced = False

    def signalled(self, *_: object) -> None:
        """A signal came, in the middle of anything: only note it for the loop."""
        self._loop.call_soon_threadsafe(self._force if self._asked else self._ask)
        self._asked = True

    def _ask(self) -> None:
        self._loop.call_later(LAST_S, self._force)
        self._stopping()
        for server in self._servers:
            server.should_exit = True

    def _force(self) -> None:
        self.forced = True
        self._runner.cancel()


async def serve(
    listeners: Sequence[Listener],
    *,
    ready: Callable[[], None],
    stopping: Callable[[], None],
    signals: Sequence[signal.Signals] = SIGNALS,
) -> bool:
    """Serve until a signal; True when everything ended in order, False when it was cut off.

    `ready` is called once all answer; `stopping` at the first signal, before streams are waited
    for. Raises `CannotServe`.
    """
    servers = [_Server(listener) for listener in listeners]
    runner = asyncio.create_task(_run_all(servers, ready))
    stop = _Stop(servers, runner, stopping)
    handlers = {number: signal.signal(number, stop.signalled) for number in signals}
    try:
        await runner
    except asyncio.CancelledError:
        if not stop.forced:
            raise
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return not stop.forced


async def _run_all(servers: Sequence[_Server], ready: Callable[[], None]) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for server in servers:
                group.create_task(server.run_to_end())
            for server in servers:
                await server.answering.wait()
            ready()
    except ExceptionGroup as errors:
        # One flaw ends all of it; the others are only its consequences.
        raise errors.exceptions[0] from errors
