"""Which entries to ask back about, where none is likely enough by itself and a few together are.

Decides how near the others must be to the best. Refuses to offer what together is no likelier to be
right than an answer must be, and choices that read the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kb.features import text_key
from kb.search import Hit

CHOICES: Final = 3
"""Entries that a visitor is offered at most."""
CLOSE: Final = 0.5
"""An entry is close to the best when it is at least this share as likely."""


def choices(hits: Sequence[Hit], threshold: float) -> tuple[Hit, ...]:
    """Give the hits to choose from, best first, or none; `hits` are best first, one an entry."""
    if not hits or hits[0].confidence >= threshold:
        return ()
    least = CLOSE * hits[0].confidence
    close = tuple(hit for hit in hits[:CHOICES] if hit.confidence >= least)
    if len({text_key(hit.entry.question) for hit in close}) < len(close):
        return ()
    return close if len(close) > 1 and together(close) >= threshold else ()


def together(hits: Sequence[Hit]) -> float:
    """Give the probability that one of them is right; they exclude one another."""
    return min(1.0, sum(hit.confidence for hit in hits))
