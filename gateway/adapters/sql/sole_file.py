"""One gateway at a SQLite file: a lock of the system's beside it, which ends with whoever holds it.

Decides who holds the file: one `fanlight run` with all of its workers, who have the lock from their
parent. Refuses another one, naming the holder as far as it can be known. What only looks at the
file, or copies it, asks for no lock.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from core.encoding import timestamp
from core.errors import Unavailable
from gateway.adapters.sql.opening import sqlite_file

_HELD: Final = (errno.EWOULDBLOCK, errno.EACCES)
_READ: Final = 1000
_REMEDY: Final = (
    "Stop that one first, or let several gateways share a PostgreSQL (database_url) and a Redis"
)


@contextmanager
def sole(url: str) -> Iterator[None]:
    """Hold the SQLite file of this address while inside; raises `Unavailable`.

    A process that is forked off meanwhile holds it too, until it ends.
    """
    path = database(url)
    lock = _open(path)
    try:
        _take(lock, path)
        # On a full disk it says nothing of itself, and holds all the same.
        with suppress(OSError):
            os.ftruncate(lock, 0)
            os.pwrite(lock, _whoami(), 0)
        yield
    finally:
        os.close(lock)


def refuse_held(url: str) -> None:
    """Raise `Unavailable` while a gateway holds the file."""
    path = database(url)
    if lock_of(path).exists():
        lock = _open(path)
        try:
            _take(lock, path)
        finally:
            os.close(lock)


def database(url: str) -> Path:
    """The file itself: two names of one are one."""
    return Path(str(sqlite_file(url).database)).resolve()


def lock_of(path: Path) -> Path:
    """The lock beside a database. It stays when nobody holds it: taking it away would be a race."""
    return path.with_name(f"{path.name}.lock")


def _open(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # What this process starts does not hold it, only what it forks off.
        return os.open(lock_of(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise Unavailable(
            f"{lock_of(path)} cannot be made ({exc.strerror}): make its folder writable,"
            " or set gateway.data_dir"
        ) from exc


def _take(lock: int, path: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        if exc.errno in _HELD:
            raise Unavailable(
                f"the database {path} is in use by another gateway ({_holder(lock)}). {_REMEDY}"
            ) from exc
        raise Unavailable(
            f"{lock_of(path)} cannot be locked ({exc.strerror}): keep the database on a local disk"
        ) from exc


def _whoami() -> bytes:
    me = {"pid": os.getpid(), "host": socket.gethostname(), "since": timestamp(time.time())}
    return json.dumps(me).encode()


def _holder(lock: int) -> str:
    """Who holds it, in words; that may not be written yet."""
    try:
        said = json.loads(os.pread(lock, _READ, 0))
        return f"process {int(said['pid'])} on {said['host']}, since {said['since']}"
    except (ValueError, TypeError, KeyError):
        return "it has not said which"
