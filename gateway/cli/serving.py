"""Serves ASGI apps in one process until a signal asks it to stop.

Decides how sockets are bound (IPv4 and IPv6 loopback together, because `localhost` means either) and
how stopping goes: the first signal lets streams end and requests finish, the second, or ten seconds,
cuts them off. Refuses a port that is taken, in one line with the remedy.
"""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from core.errors import FanlightError

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


def bind(host: str, port: int, option: str) -> list[socket.socket]:
    """Sockets on this address; with IPv4's loopback goes IPv6's, where the machine has one.

    Raises `CannotServe`; `option` is what the user can choose another port with.
    """
    sockets = [_bind(host, port, option)]
    beside = LOOPBACKS.get(host)
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
        made = socket.socket(family, socket.SOCK_STREAM)
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
        raise _refusal(error, host, port, option) from error
    return made


def _refusal(error: OSError, host: str, port: int, option: str) -> CannotServe:
    if error.errno == errno.EADDRINUSE:
        return CannotServe(f"Port {port} is in use. Choose another with {option} {port + 10}.")
    if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
        return _NoSuchAddress(f"This machine has no address {host}. Set gateway.host to one it has.")
    if error.errno == errno.EACCES:
        return CannotServe(f"Port {port} needs more rights. Choose one above 1023 with {option}.")
    return CannotServe(f"{host}:{port} cannot be listened on: {error.strerror}.")


def run_loop(listeners: Sequence[Listener], ready: Callable[[], None]) -> None: ...
