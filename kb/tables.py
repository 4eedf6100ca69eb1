"""The inverted index: which phrasing has which term, with what weight.

Decides the weights (idf, one unit vector for each phrasing) and nothing about a question. A unit
is one entry in one language; a phrasing is its question or one of its variants. Phrasings of a
unit are adjacent.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import Final

from kb.features import STOP_STEMS, stems

PAIR_SHARE: Final = 0.4 / 1.4
"""Share of the pair block in a phrasing's vector; the words' block has the rest."""
STOP_WEIGHT: Final = 0.5
UNSEEN_PAIR: Final = 0.5


@dataclass(frozen=True, slots=True)
class Phrasing:
    """One way to ask, as the ids of its distinct words and pairs."""

    unit: int
    words: tuple[int, ...]
    pairs: tuple[int, ...]


class Terms:
    """Ids of every word and pair that the knowledge base has, in order of appearance."""

    def __init__(self) -> None:
        self.words: dict[str, int] = {}
        self.pairs: dict[int, int] = {}

    def phrasing(self, unit: int, text: str) -> Phrasing:
        """Give the phrasing of a text, with new ids for what is new in it."""
        numbers = [self.words.setdefault(word, len(self.words)) for word in stems(text)]
        pairs = [self.pairs.setdefault(key, len(self.pairs)) for key in pair_keys(numbers)]
        return Phrasing(unit, tuple(dict.fromkeys(numbers)), tuple(dict.fromkeys(pairs)))


def pair_keys(numbers: Sequence[int]) -> list[int]:
    """Give one key for each two neighbouring words, the text's edges counting as words.

    A key is made of two word ids; the edge is 0, a word that has no id (-2 by convention) gives a
    key that no knowledge base has.
    """
    if not numbers:
        return []
    left = [0, *(number + 1 for number in numbers)]
    right = [*left[1:], 0]
    return [-1 if a < 0 or b < 0 else a << 32 | b for a, b in zip(left, right, strict=True)]


@dataclass(frozen=True, slots=True)
class Postings:
    """One block of terms: the idf of each term and the phrasings that have it.

    `starts[t]:starts[t + 1]` is the slice of `phrasings` for term `t`, ascending. `scales[p]` is
    the block's share over the length of phrasing `p`. `unseen` is the idf of a term that no
    phrasing has.
    """

    idf: Sequence[float]
    starts: Sequence[int]
    phrasings: Sequence[int]
    scales: Sequence[float]
    unseen: float


@dataclass(frozen=True, slots=True)
class Tables:
    """All that ranking reads. `unit_starts[u]:unit_starts[u + 1]` are unit `u`'s phrasings."""

    words: Postings
    pairs: Postings
    unit_of: Sequence[int]
    unit_starts: Sequence[int]
    unit_norms: Sequence[float]


def build_tables(
    phrasings: Sequence[Phrasing], units: int, terms: Terms, common: Sequence[Phrasing] = ()
) -> Tables:
    """Weigh the phrasings, which come in order of their unit; a unit may have none.

    `common` are everyday texts that only count towards how common a term is: three entries
    cannot tell that "long" says less than "shipping".
    """
    damped = {number for word, number in terms.words.items() if word in STOP_STEMS}
    word_rows = [phrasing.words for phrasing in phrasings]
    pair_rows = [phrasing.pairs for phrasing in phrasings]
    share = sqrt(1 - PAIR_SHARE), sqrt(PAIR_SHARE)
    usual = [text.words for text in common], [text.pairs for text in common]
    words = _block(word_rows, usual[0], len(terms.words), damped, share[0])
    pairs = _block(pair_rows, usual[1], len(terms.pairs), set(), share[1])
    starts = array("I", bytes(4 * (units + 1)))
    for phrasing in phrasings:
        starts[phrasing.unit + 1] += 1
    for unit in range(units):
        starts[unit + 1] += starts[unit]
    unit_of = array("I", (phrasing.unit for phrasing in phrasings))
    return Tables(words, pairs, unit_of, starts, _unit_norms(words, pairs, unit_of, units))


def _block(
    rows: Sequence[tuple[int, ...]],
    common: Sequence[tuple[int, ...]],
    size: int,
    damped: set[int],
    share: float,
) -> Postings:
    lists: list[list[int]] = [[] for _ in range(size)]
    for number, row in enumerate(rows):
        for term in row:
            lists[term].append(number)
    count = len(rows) + len(common)
    frequency = [len(found) for found in lists]
    for row in common:
        for term in row:
            frequency[term] += 1
    idf = [log(1 + (count - df + 0.5) / (df + 0.5)) for df in frequency]
    for term in damped:
        idf[term] *= STOP_WEIGHT
    lengths = (sqrt(sum(idf[term] * idf[term] for term in row)) for row in rows)
    scales = array("f", (share / length if length else 0.0 for length in lengths))
    starts, numbers = array("I", [0]), array("I")
    for found in lists:
        numbers.extend(found)
        starts.append(len(numbers))
    return Postings(array("f", idf), starts, numbers, scales, log(1 + (count + 0.5) / 0.5))


def _unit_norms(
    words: Postings, pairs: Postings, unit_of: Sequence[int], units: int
) -> array[float]:
    """Length of the sum of each unit's vectors: so sums of cosines become the centroid's."""
    squares = [0.0] * units
    for block in (words, pairs):
        for term, idf in enumerate(block.idf):
            sums: dict[int, float] = {}
            for number in block.phrasings[block.starts[term] : block.starts[term + 1]]:
                unit = unit_of[number]
                sums[unit] = sums.get(unit, 0.0) + block.scales[number]
            for unit, total in sums.items():
                squares[unit] += total * total * idf * idf
    return array("f", (sqrt(square) for square in squares))
