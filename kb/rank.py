"""How the entries are ordered for one question.

Decides a score in [0, 1] for the units that share a term with the question: half the cosine with
the unit's centroid, half the weighted cosines of its nearest phrasings. Refuses to be slow: common
terms are looked up only for units that rarer terms have found.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from heapq import nlargest
from math import sqrt
from operator import itemgetter
from typing import Final

from kb.features import STOP_STEMS, stems
from kb.tables import PAIR_SHARE, STOP_WEIGHT, UNSEEN_PAIR, Postings, Tables, pair_keys
from kb.vocabulary import Vocabulary

NEAREST: Final = (0.5, 0.3, 0.2)
"""Weights of a unit's nearest phrasings: one good match counts, three count more."""
CANDIDATES: Final = 10
"""Units that are given at most, and for which common terms are looked up."""
FREE_POSTINGS: Final = (160, 10)
"""Postings that are read whatever the question: so many, and one for each so many phrasings."""
PROMISING: Final = (40, 40)
"""Phrasings whose units compete to become candidates: so many, and one for each so many in all."""
KNOWN_STANDS_FOR: Final = 0.7
"""How far a word that the knowledge base has may also stand for its neighbours."""

_UNKNOWN: Final = -2
_SHARE: Final = (sqrt(1 - PAIR_SHARE), sqrt(PAIR_SHARE))

type _List = tuple[int, int, float, bool]
"""Length of a term's posting list, the term, what it adds, and whether it is a pair."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One unit with its score, its nearest phrasing, and that phrasing's cosine."""

    unit: int
    score: float
    phrasing: int
    cosine: float


@dataclass(frozen=True, slots=True)
class Query:
    """A question as what each term adds to a phrasing that has it.

    `known` is the share of the question's word weight that the tables have, in [0, 1].
    """

    words: dict[int, float]
    pairs: dict[int, float]
    known: float


class Ranker:
    """Orders units for a question; holds no state of its own between questions."""

    def __init__(self, tables: Tables, vocabulary: Vocabulary, pairs: dict[int, int]) -> None:
        self._tables = tables
        self._vocabulary = vocabulary
        self._pairs = pairs
        self._names = tuple(vocabulary.ids)
        size = len(tables.unit_of)
        self._free = FREE_POSTINGS[0] + size // FREE_POSTINGS[1]
        self._promising_size = PROMISING[0] + size // PROMISING[1]

    @property
    def tables(self) -> Tables:
        """What it reads."""
        return self._tables

    def query(self, text: str) -> Query:
        """Weigh a question's terms. Unseen ones count in its length, and so lower every cosine."""
        stemmed = stems(text)
        words, known = self._word_weights(dict.fromkeys(stemmed))
        ids = self._vocabulary.ids
        keys = dict.fromkeys(pair_keys([ids.get(word, _UNKNOWN) for word in stemmed]))
        return Query(words, self._pair_weights(keys), known)

    def rank(self, query: Query) -> list[Candidate]:
        """Give the best units, best first; none when the question shares no term with any."""
        tables = self._tables
        lists: list[_List] = []
        for is_pair, weights, starts in (
            (False, query.words, tables.words.starts),
            (True, query.pairs, tables.pairs.starts),
        ):
            for term, weight in weights.items():
                lists.append((starts[term + 1] - starts[term], term, weight, is_pair))
        lists.sort()
        cosines, done = self._scan(lists)
        if done < len(lists) or len(cosines) > self._promising_size:
            cosines = self._refined(cosines, lists[done:])
        return self._score(cosines)

    def unit_of(self, phrasing: int) -> int:
        """Give the unit that a phrasing belongs to."""
        return self._tables.unit_of[phrasing]

    def place(self, unit: int, phrasing: int) -> int:
        """Give which of its unit's phrasings this is: 0 is the question, 1 the first variant."""
        return phrasing - self._tables.unit_starts[unit]

    def matched(self, query: Query, phrasing: int) -> list[str]:
        """Give the stems of a phrasing that the query reached, heaviest first."""
        block, names = self._tables.words, self._names
        found: list[tuple[float, str]] = []
        for term, weight in query.words.items():
            start, end = block.starts[term], block.starts[term + 1]
            at = bisect_left(block.phrasings, phrasing, start, end)
            if at < end and block.phrasings[at] == phrasing:
                found.append((-weight, names[term]))
        found.sort()
        return [name for _, name in found]

    def reached(self, query: Query) -> list[str]:
        """Give the stems of the knowledge base that the query reaches, heaviest first."""
        heaviest = sorted((-weight, self._names[term]) for term, weight in query.words.items())
        return [name for _, name in heaviest]

    def _scan(self, lists: list[_List]) -> tuple[dict[int, float], int]:
        """Add up cosines from the shortest lists, while they are free; say how many were read."""
        left, done = self._free, 0
        while done < len(lists) and (not done or lists[done][0] <= left):
            left -= lists[done][0]
            done += 1
        words = self._added(self._tables.words, lists[:done], False)
        pairs = self._added(self._tables.pairs, lists[:done], True)
        for number, cosine in pairs.items():
            words[number] = words.get(number, 0.0) + cosine
        return words, done

    def _added(self, block: Postings, lists: list[_List], pairs: bool) -> dict[int, float]:
        sums: dict[int, float] = {}
        get, starts, phrasings, scales = sums.get, block.starts, block.phrasings, block.scales
        for _, term, weight, is_pair in lists:
            if is_pair is pairs:
                for number in phrasings[starts[term] : starts[term + 1]]:
                    sums[number] = get(number, 0.0) + weight
        return {number: total * scales[number] for number, total in sums.items()}

    def _refined(self, cosines: dict[int, float], lists: list[_List]) -> dict[int, float]:
        """Keep the most promising units only, and look up the long lists for those."""
        tables = self._tables
        blocks = (tables.words, tables.pairs)
        slices = [
            (
                blocks[is_pair],
                blocks[is_pair].starts[term],
                blocks[is_pair].starts[term + 1],
                weight,
            )
            for _, term, weight, is_pair in lists
        ]
        kept: dict[int, float] = {}
        for unit in self._promising(cosines):
            first, last = tables.unit_starts[unit], tables.unit_starts[unit + 1]
            for number in range(first, last):
                if number in cosines:
                    kept[number] = cosines[number]
            for block, start, end, weight in slices:
                phrasings = block.phrasings
                at = bisect_left(phrasings, first, start, end)
                while at < end and (number := phrasings[at]) < last:
                    kept[number] = kept.get(number, 0.0) + weight * block.scales[number]
                    at += 1
        return kept

    def _promising(self, cosines: dict[int, float]) -> Iterable[int]:
        """Choose units by the sum and the best of their cosines, among the best phrasings."""
        if len(cosines) > self._promising_size:
            least = sorted(cosines.values())[-self._promising_size]
            cosines = {number: cosine for number, cosine in cosines.items() if cosine >= least}
        unit_of, norms = self._tables.unit_of, self._tables.unit_norms
        sums: dict[int, float] = {}
        best: dict[int, float] = {}
        for number, cosine in cosines.items():
            unit = unit_of[number]
            sums[unit] = sums.get(unit, 0.0) + cosine
            if cosine > best.get(unit, 0.0):
                best[unit] = cosine
        rough = [(total / norms[unit] + best[unit], -unit) for unit, total in sums.items()]
        return [-negated for _, negated in nlargest(CANDIDATES, rough)]

    def _score(self, cosines: dict[int, float]) -> list[Candidate]:
        tables = self._tables
        unit_of = tables.unit_of
        near: dict[int, list[tuple[float, int]]] = {}
        for number, cosine in cosines.items():
            unit = unit_of[number]
            if unit in near:
                near[unit].append((cosine, -number))
            else:
                near[unit] = [(cosine, -number)]
        found = []
        for unit, pairs in near.items():
            total = pairs[0][0]
            if len(pairs) > 1:
                total = sum(map(itemgetter(0), pairs))
                pairs.sort(reverse=True)
            size = tables.unit_starts[unit + 1] - tables.unit_starts[unit]
            found.append(((total / tables.unit_norms[unit] + _nearness(pairs, size)) / 2, -unit))
        return [
            Candidate(-negated, score, -near[-negated][0][1], near[-negated][0][0])
            for score, negated in nlargest(CANDIDATES, found)
        ]

    def _word_weights(self, stemmed: Iterable[str]) -> tuple[dict[int, float], float]:
        block, vocabulary, ids = self._tables.words, self._vocabulary, self._vocabulary.ids
        weights: dict[int, float] = {}
        length = known = 0.0
        for word in stemmed:
            number = ids.get(word)
            if number is not None and block.starts[number] < block.starts[number + 1]:
                weight, reach = block.idf[number], KNOWN_STANDS_FOR
                known += weight * weight
                weights[number] = max(weights.get(number, 0.0), weight)
                related = vocabulary.related(number)
            else:
                weight, reach = self._unposted(word, number), 1.0
                related = vocabulary.neighbours(word)
            length += weight * weight
            for other, nearness in related:
                stands = reach * nearness * min(weight, block.idf[other])
                if (
                    stands > weights.get(other, 0.0)
                    and block.starts[other] < block.starts[other + 1]
                ):
                    weights[other] = stands
        if not length:
            return {}, 0.0
        scale, idf = _SHARE[0] / sqrt(length), block.idf
        return {n: weight * scale * idf[n] for n, weight in weights.items()}, known / length

    def _unposted(self, word: str, number: int | None) -> float:
        """Give the weight of a word that no phrasing has; an everyday one weighs less."""
        if number is not None:
            return self._tables.words.idf[number]
        return self._tables.words.unseen * (STOP_WEIGHT if word in STOP_STEMS else 1.0)

    def _pair_weights(self, keys: Iterable[int]) -> dict[int, float]:
        block = self._tables.pairs
        weights: dict[int, float] = {}
        length = 0.0
        for key in keys:
            number = self._pairs.get(key)
            if number is not None and block.starts[number] < block.starts[number + 1]:
                weight = weights[number] = block.idf[number]
            else:
                weight = UNSEEN_PAIR * (block.unseen if number is None else block.idf[number])
            length += weight * weight
        scale, idf = _SHARE[1] / sqrt(length) if length else 0.0, block.idf
        return {number: weight * scale * idf[number] for number, weight in weights.items()}


def _nearness(pairs: list[tuple[float, int]], size: int) -> float:
    """Weighted mean of the nearest cosines; a unit with fewer phrasings is not held to more."""
    total = sum(share * pair[0] for share, pair in zip(NEAREST, pairs, strict=False))
    return total / (1.0 if size >= len(NEAREST) else sum(NEAREST[:size]))
