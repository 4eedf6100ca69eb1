"""Which words of the knowledge base a word may stand for, by the letters they share.

Decides the neighbours of a word: inflections, typing errors, compounds. Refuses to relate words of
fewer than `MIN_LETTERS` letters, and function words: a slip there changes too much or too little.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import sqrt
from typing import Final

from kb.features import STOP_STEMS, grams

MIN_LETTERS: Final = 3
SIMILAR: Final = 0.35
"""Cosine of two words' character n-grams from which they are taken to be related."""
MOST: Final = 4
"""Neighbours that are followed for one word."""
_LONGEST_LIST: Final = 400
"""A gram in more words than this tells too little to be worth following."""
_LONGEST_WORD: Final = 40


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of a knowledge base, everyday words, and an inverted list of character n-grams.

    `gram_starts[i]:gram_starts[i + 1]` is the slice of `gram_words` for the gram with id `i`.
    """

    ids: dict[str, int]
    gram_ids: dict[str, int]
    gram_starts: Sequence[int]
    gram_words: Sequence[int]
    gram_counts: Sequence[int]
    near_starts: Sequence[int]
    near_words: Sequence[int]
    near_weights: Sequence[float]

    def related(self, number: int) -> list[tuple[int, float]]:
        """Give the neighbours of a word of the knowledge base, as found at build time."""
        start, end = self.near_starts[number], self.near_starts[number + 1]
        return list(zip(self.near_words[start:end], self.near_weights[start:end], strict=True))

    def neighbours(self, word: str) -> list[tuple[int, float]]:
        """Give the ids of the words nearest to `word`; how far they stand for it is in (0, 1]."""
        if not is_comparable(word):
            return []
        shared: dict[int, int] = {}
        own = grams(word)
        for gram in own:
            gram_id = self.gram_ids.get(gram)
            if gram_id is None:
                continue
            start, end = self.gram_starts[gram_id], self.gram_starts[gram_id + 1]
            for other in self.gram_words[start:end]:
                shared[other] = shared.get(other, 0) + 1
        itself = self.ids.get(word)
        counts, size = self.gram_counts, len(own)
        near = [
            (-count / sqrt(size * counts[other]), other)
            for other, count in shared.items()
            if count * count >= SIMILAR * SIMILAR * size * counts[other] and other != itself
        ]
        near.sort()
        return [(other, sqrt((-cosine - SIMILAR) / (1 - SIMILAR))) for cosine, other in near[:MOST]]


def is_comparable(word: str) -> bool:
    """Say whether a word has letters enough, and meaning enough, to be matched by its letters."""
    return (
        MIN_LETTERS <= len(word) <= _LONGEST_WORD and word not in STOP_STEMS and not word.isdigit()
    )


def build_vocabulary(words: Iterable[str], own: int) -> Vocabulary:
    """Give the vocabulary of distinct words, with ids in their order.

    The first `own` of them are the knowledge base's: only those can be a neighbour.
    """
    ids = {word: number for number, word in enumerate(words)}
    found: dict[str, list[int]] = {}
    counts = array("B", bytes(len(ids)))
    for word, number in islice(ids.items(), own):
        if is_comparable(word):
            parts = grams(word)
            counts[number] = len(parts)
            for gram in parts:
                found.setdefault(gram, []).append(number)
    starts, members, names = array("I", [0]), array("I"), []
    for gram in sorted(found):
        if len(found[gram]) <= _LONGEST_LIST:
            names.append(gram)
            members.extend(found[gram])
            starts.append(len(members))
    gram_ids = {gram: number for number, gram in enumerate(names)}
    bare = Vocabulary(ids, gram_ids, starts, members, counts, (), (), ())
    return _relate(bare, own)


def _relate(bare: Vocabulary, own: int) -> Vocabulary:
    """Look up each word's neighbours once, so that a question need not."""
    starts, near, weights = array("I", [0]), array("I"), array("f")
    for word in islice(bare.ids, own):
        for other, weight in bare.neighbours(word):
            near.append(other)
            weights.append(weight)
        starts.append(len(near))
    return replace(bare, near_starts=starts, near_words=near, near_weights=weights)
