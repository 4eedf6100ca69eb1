"""How much of something the gateway takes on at once.

A signature that is checked only to be refused afterwards takes time from those that are answered:
with three times the load a gateway can serve, most of it. So a place is taken first. Refuses with
the seconds after which to come again; who is calling is not known yet.

Two things are refused. More at once than the bound, which many reach that wait for a slow model;
and a queue for the processor: while several have waited long for it, one more would only wait as
long, and be late at the model and in the visitor's eyes. The queue is judged by its time and not by
its length, as CoDel does (RFC 8289): how long a length takes is another matter on each machine.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from time import monotonic
from typing import Final

from gateway import problems

SEVERAL: Final = 16
"""One that hangs, on a connection that was lost say, is no queue."""


class Place:
    """What one caller holds; it waits for the processor until it is `through`."""

    def __init__(self, waiting: OrderedDict[Place, float], since: float) -> None:
        self._waiting = waiting
        waiting[self] = since

    def through(self) -> None:
        """From here on it waits for others: a model, a disk."""
        self._waiting.pop(self, None)


class Capacity:
    """At most `most` places, and none while several have waited longer than `queue_s` seconds.

    `what` names them to whoever gets none; `now` gives seconds.
    """

    def __init__(
        self, what: str, most: int, queue_s: float, now: Callable[[], float] = monotonic
    ) -> None:
        self._what = what
        self._most = most
        self._queue_s = queue_s
        self._now = now
        self._taken = 0
        self._waiting: OrderedDict[Place, float] = OrderedDict()

    @contextmanager
    def place(self) -> Iterator[Place]:
        """Hold a place while inside; raises `Problem` where there is none."""
        if self._taken >= self._most or self._queues():
            raise problems.busy(self._what)
        self._taken += 1
        place = Place(self._waiting, self._now())
        try:
            yield place
        finally:
            self._taken -= 1
            place.through()

    def _queues(self) -> bool:
        """Whether several have waited long: whether the last of the first several has."""
        since = next(islice(self._waiting.values(), SEVERAL - 1, None), None)
        return since is not None and self._now() - since > self._queue_s
