"""Which texts have nothing to do with those that the head is measured on.

Decides that two texts have to do with each other where they share a run of `RUN` words: public
prompts are copied from each other, and a head that has seen one finds its copies too easily.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core.safety.features import blocks
from models.safety.sources import Text

RUN = 8


def unseen(texts: Iterable[Text], asked: Iterable[str]) -> list[Text]:
    """The texts that share no run of words with what is asked, and are none of it."""
    runs = {run for text in asked for run in _runs(text)}
    return [each for each in texts if runs.isdisjoint(_runs(each.text))]


def _runs(text: str) -> Iterator[tuple[str, ...]]:
    spoken = [word for block in blocks(text) for word in block.words]
    if len(spoken) < RUN:
        yield tuple(spoken)
    for start in range(len(spoken) - RUN + 1):
        yield tuple(spoken[start : start + RUN])
