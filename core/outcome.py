"""What came of an answer, as a number: from -1 (wrong) over 0 (nothing said) to 1 (right).

Decides what a visitor's mark and a person's reply say of the answer that the machine gave. A mark
on a turn for which a person was asked is about that person's answer, or about a reply that was
never shown: it says nothing of the machine's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from core.subjects import VERDICTS, Signal
from kb.normalise import words

SAID: Final[Mapping[Signal, float]] = {
    "up": 1.0,
    "worked": 1.0,
    "partial": 0.25,
    "correction": -0.75,
    "failed": -1.0,
    "down": -1.0,
}
"""What a mark says. A correction has something right in it as a rule, else it were a `down`."""

DIFFERS: Final = -0.5
"""What a person's reply says that shares no word with the machine's: it may still mean the same."""


def of_mark(signal: Signal, *, person_asked: bool) -> float | None:
    """What a mark says of the machine's answer; None where it is about a person's."""
    return None if person_asked and signal in VERDICTS else SAID[signal]


def of_reply(drafted: str, replied: str) -> float | None:
    """What a person's reply says of the answer that was drafted; None where none was.

    The share of words that both have (Dice's coefficient over their multisets), from `DIFFERS`
    where they share none to 1 where all are the same.
    """
    ours, theirs = Counter(words(drafted)), Counter(words(replied))
    both = ours.total() + theirs.total()
    if not ours or not theirs:
        return None
    alike = 2 * (ours & theirs).total() / both
    return round(DIFFERS + (1 - DIFFERS) * alike, 3)
