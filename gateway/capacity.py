"""How much of something the gateway takes on at once.

A signature that is checked only to be refused afterwards takes time from those that are answered:
with three times the load a gateway can serve, most of it. So a place is taken first. Refuses by
count alone, with the seconds after which to come again; who is calling is not known yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gateway import problems


class Capacity:
    """At most `most` places; `what` names them to whoever gets none."""

    def __init__(self, what: str, most: int) -> None:
        self._what = what
        self._most = most
        self._taken = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place while inside; raises `Problem` where none is left."""
        if self._taken >= self._most:
            raise problems.busy(self._what)
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1
