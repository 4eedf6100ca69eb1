"""Whether a reply says the same again and again, as small models do that find no end.

Decides by runs of three words that were there before, among its last few hundred letters. A list
whose items begin alike repeats some; a reply that goes round in circles repeats most, says nothing
more, and what it says once may well look grounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kb.normalise import words

ROUND: Final = 0.5
"""The share of repeated runs from which a reply goes round in circles."""
AT_LEAST: Final = 24
"""Words below which nothing can be said of it."""
LAST: Final = 600
"""Characters, up to the newest, that are looked at: some hundred words."""
_RUN: Final = 3


def repeated(said: Sequence[str]) -> float:
    """The share of three-word runs that were there before."""
    runs = [tuple(said[at : at + _RUN]) for at in range(len(said) - _RUN + 1)]
    return 1 - len(set(runs)) / len(runs) if runs else 0.0


def goes_round(reply: str) -> bool:
    """Whether a reply goes round in circles at its end."""
    said = words(reply[-LAST:])
    return len(said) >= AT_LEAST and repeated(said) >= ROUND
