"""Locks between processes and threads, on files: one fetches, the others wait and find it there.

The kernel lets go of a lock when its process ends, however that ends, so none is ever left behind.
The files stay: one that is removed while another waits for it would be two locks of one name.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from models.registry.partial import make_private, open_private


@contextmanager
def exclusive(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold a lock alone; `waiting` is called where another holds it now."""
    make_private(path.parent)
    with open_private(path, "ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def shared(path: Path) -> Iterator[None]:
    """Hold a lock beside others who share it: `held` says so until all have let go."""
    make_private(path.parent)
    with open_private(path, "ab") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


@contextmanager
def unheld(path: Path) -> Iterator[bool]:
    """Whether nobody holds the lock; where so, nobody can take it meanwhile."""
    make_private(path.parent)
    with open_private(path, "ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
