"""A circuit breaker: whoever has failed several times in a row is left alone for a while.

It decides from successes and failures and a clock alone, and does no I/O. After a rest one call is
let through: where it succeeds, all are again; where it fails, the rest begins anew, twice as long
up to a bound. A trial that is never told of (its caller went away) is followed by another after
another rest, so that nothing stays shut for good. It refuses nothing: its owner does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.ports import Clock

State = Literal["closed", "open", "half_open"]


@dataclass(frozen=True, slots=True)
class Rule:
    """After how many failures in a row it opens, and for how many seconds, at first and at most."""

    failures: int = 5
    rest_s: float = 1.0
    longest_s: float = 8.0


RULE = Rule()


class Breaker:
    """The breaker of one dependency. `clock` gives seconds and never runs backwards."""

    __slots__ = ("_clock", "_failed", "_rest_s", "_rule", "_trying", "_until")

    def __init__(self, clock: Clock, rule: Rule = RULE) -> None:
        self._clock = clock
        self._rule = rule
        self._failed = 0
        self._rest_s = rule.rest_s
        self._until: float | None = None
        self._trying = False

    @property
    def state(self) -> State:
        """`open` while it rests; `half_open` when a trial is due; else `closed`."""
        if self._until is None:
            return "closed"
        return "open" if self._clock() < self._until else "half_open"

    def allows(self) -> bool:
        """Whether a call may go through now; after a rest the one who asks first has the trial."""
        if self._until is None:
            return True
        now = self._clock()
        if now < self._until:
            return False
        self._until = now + self._rest_s
        self._trying = True
        return True

    def succeeded(self) -> None:
        """A call went well."""
        self._failed = 0
        self._rest_s = self._rule.rest_s
        self._until = None
        self._trying = False

    def failed(self) -> None:
        """A call failed, or was too slow; those under way when it opened change nothing more."""
        if self._until is not None:
            if self._trying:
                self._trying = False
                self._rest_s = min(2 * self._rest_s, self._rule.longest_s)
                self._until = self._clock() + self._rest_s
            return
        self._failed += 1
        if self._failed >= self._rule.failures:
            self._until = self._clock() + self._rest_s
