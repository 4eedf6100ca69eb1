"""What some targets can besides taking an escalation: hear what followed, keep a pace, find it.

A target is asked for each of these at run time; one that has none is a `core.ports.Target` all
the same.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from core.ports import Outcome, Thread
from core.truth import LeasedDelivery


@runtime_checkable
class Follower(Protocol):
    """A target that is also told what became of an escalation that it took."""

    async def follow(self, delivery: LeasedDelivery, at: float) -> Outcome:
        """Tell it once, within 15 s, what `delivery.action` says; never raises like `deliver`."""


@runtime_checkable
class Paced(Protocol):
    """A target that takes only so many messages in a time."""

    def ready_at(self, now: float) -> float:
        """When it takes the next one; `now` or earlier: at once."""


@runtime_checkable
class Finder(Protocol):
    """A target that can say of which escalation a thread of its own is.

    It is asked where a delivery was taken and then lost sight of, as by a process that was killed
    before it could record the thread.
    """

    async def find(self, thread: Thread, at: float) -> str | None:
        """The escalation's id; None where the thread is none of ours. Raises `Unavailable`."""
