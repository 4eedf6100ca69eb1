"""How many turns there were in the last minute: of everybody together, and of each subject.

Decides who has to wait. Turns are counted by parts of five seconds; the part that is under way and
the twelve before it count, so that no sliding minute ever has more turns than the limit, and nobody
waits for more than five seconds longer than by the exact times. Memory is bounded: a subject is one
number under the hash of its name, and of more than `MOST` subjects the longest unseen is forgotten.
It has no clock, and counts for one process.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import floor
from struct import Struct
from typing import Final, Literal

WINDOW_S: Final = 60.0
PART_S: Final = 5.0
PARTS: Final = 13
"""A minute's twelve, and the one under way: what is older than they is older than a minute."""
MOST: Final = 100_000
"""Subjects that are remembered. Who was seen a minute ago or longer is as good as forgotten."""

_BITS: Final = 32
_ALL: Final = (1 << _BITS * PARTS) - 1
_PARTED: Final = Struct(f"<{PARTS}I")

Whose = Literal["everybody", "subject"]


@dataclass(frozen=True, slots=True)
class Limited:
    """Why a turn has to wait: whose limit is used up, how many a minute it is, for how long."""

    whose: Whose
    limit: int
    after_s: float


class Window:
    """The turns of one subject, packed into a number: the part's number above its counts.

    The newest part's count is in the lowest 32 bits.
    """

    __slots__ = ()

    @staticmethod
    def moved(packed: int, part: int) -> int:
        """The counts as they are in this part; a clock that went back stands still."""
        passed = part - (packed >> _BITS * PARTS)
        counts = packed & _ALL
        if passed <= 0:
            return packed
        counts = counts << _BITS * passed & _ALL if passed < PARTS else 0
        return part << _BITS * PARTS | counts

    @staticmethod
    def counts(packed: int) -> tuple[int, ...]:
        """Turns by part, the newest first."""
        return _PARTED.unpack((packed & _ALL).to_bytes(_PARTED.size, "little"))


def limited(
    whose: Whose, limit: int, counts: Sequence[int], part: int, now: float
) -> Limited | None:
    """Whether one turn more is too many, beside `counts` by part, the newest, `part`, first.

    `now` is in seconds; a limit of 0 is none.
    """
    over = sum(counts) + 1 - limit
    if not limit or over <= 0:
        return None
    for at in range(PARTS - 1, -1, -1):
        over -= counts[at]
        if over <= 0:
            # What was counted in part p counts until p + PARTS begins.
            return Limited(whose, limit, max(0.0, (part - at + PARTS) * PART_S - now))
    return Limited(whose, limit, WINDOW_S)


def _limited(whose: Whose, limit: int, packed: int, now: float) -> Limited | None:
    counts = Window.counts(packed) if limit else ()
    return limited(whose, limit, counts, packed >> _BITS * PARTS, now)


class Windows:
    """The windows of a process; `limit` is everybody's turns a minute together, 0 for no limit."""

    __slots__ = ("_everybody", "_limit", "_most", "_subjects")

    def __init__(self, limit: int = 0, most: int = MOST) -> None:
        self._limit = limit
        self._most = most
        self._everybody = 0
        self._subjects: OrderedDict[int, int] = OrderedDict()

    def __len__(self) -> int:
        """How many subjects are remembered."""
        return len(self._subjects)

    def look(self, subject: Hashable, limit: int, now: float) -> Limited | None:
        """Whether this subject would have to wait at `now` (seconds); counts nothing."""
        part = floor(now / PART_S)
        everybody = Window.moved(self._everybody, part)
        own = Window.moved(self._subjects.get(hash(subject), 0), part)
        return _limited("everybody", self._limit, everybody, now) or _limited(
            "subject", limit, own, now
        )

    def take(self, subject: Hashable, limit: int, now: float) -> Limited | None:
        """Count a turn of this subject; one that has to wait is not counted."""
        limited = self.look(subject, limit, now)
        if limited is not None:
            return limited
        part = floor(now / PART_S)
        self._everybody = Window.moved(self._everybody, part) + 1
        if limit:
            # By its hash alone: a name may be of any length, and a number is not.
            key = hash(subject)
            self._subjects[key] = Window.moved(self._subjects.get(key, 0), part) + 1
            self._subjects.move_to_end(key)
            if len(self._subjects) > self._most:
                self._subjects.popitem(last=False)
        return None
