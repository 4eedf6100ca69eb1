"""Texts that nobody wrote: single words, and words thrown together.

Decides how many of each a language gets. They teach what a word means by itself and that a sum of
words means all of them, where real texts with rare words are few.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import Final

SHORTEST: Final = 2
LONGEST: Final = 8
FLATTENING: Final = 0.6
"""Power of a word's count by which it is drawn: rare words come up more often than in texts."""


def mixes(
    counts: Mapping[str, Mapping[str, float]], number: int, seed: int
) -> Iterator[tuple[str, str, str]]:
    """Give (kind, language, text): each counted word once, then `number` random mixes in all."""
    rng = Random(seed)  # noqa: S311 (repeatable, nothing secret)
    for language in sorted(counts):
        own = counts[language]
        ranked = [word for _, word in sorted((-count, word) for word, count in own.items())]
        for word in ranked:
            yield "word", language, word
        weights = [own[word] ** FLATTENING for word in ranked]
        for _ in range(number // len(counts)):
            size = rng.randint(SHORTEST, LONGEST)
            yield "mix", language, " ".join(rng.choices(ranked, weights, k=size))
