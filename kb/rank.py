"""How the entries are ordered for one question.

Decides a score in [0, 1] for the units that share a term with the question: half the cosine with the unit's
centroid, half the mean cosine of its nearest phrasings. Refuses to be slow: common terms are looked up
only for units that rarer terms have found.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from heapq import nlargest
from math import log, sqrt
from typing import Final

from kb.features import STOP_STEMS, stems
from kb.tables import PAIR_SHARE, STOP_WEIGHT, UNSEEN_PAIR, Postings, Tables, pair_keys
from kb.vocabulary import Vocabulary

NEAREST: Final = (0.5, 0.3, 0.2)
"""Weights of a unit's nearest phrasings: one good match counts, three count more."""
FREE_POSTINGS: Final = 800
CANDIDATES: Final = 24
KNOWN_STANDS_FOR: Final = 0.7
"""How far a word that the knowledge base has may also stand for its neighbours."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One unit with its score, its nearest phrasing, and that phrasing's cosine."""

    unit: int
    score: float
    phrasing: int
    cosine: float


@dataclass(frozen=True, slots=True)
class Query:
    """A question as weights over terms; `known` is the share of its word weight that the tables have."""

    words: dict[int, float]
    pairs: dict[int, float]
    known: float


class Ranker:
    """Orders units for a question; holds no state of its own between questions."""

    def __init__(
        self,
        tables: Tables,
        vocabulary: Vocabulary,
        pairs: dict[int, int],
    ) -> None:
        self._tables = tables
        self._vocabulary = vocabulary
        self._pairs = pairs
        self._names = list(vocabulary.ids)
        self._free = FREE_POSTINGS + len(tables.unit_of) // 4

    def query(self, text: str) -> Query:
        """Weigh a question's terms. Unseen ones count in its length, so that they lower every cosine."""
        stemmed = stems(text)
        words, known = self._word_weights(stemmed)
        return Query(words, self._pair_weights(stemmed), known)

    def rank(self, query: Query) -> list[Candidate]:
        """Give the best units, best first; none when the question shares no term with any."""
        lists: list[tuple[int, float, Postings, int]] = []
        for block, weights in ((self._tables.words, query.words), (self._tables.pairs, query.pairs)):
            starts = block.starts
            for term, weight in weights.items():
                length = starts[term + 1] - starts[term]
                if length:
                    lists.append((length, weight, block, term))
        lists.sort(key=lambda item: item[0])
        cosines, done = self._scan(lists)
        if done < len(lists):
            cosines = self._refine(cosines, lists[done:])
        return self._score(cosines, len(cosines))

    def unit_of(self, phrasing: int) -> int:
        """Give the unit that a phrasing belongs to."""
        return self._tables.unit_of[phrasing]

    def place(self, candidate: Candidate) -> int:
        """Give which phrasing of its unit was nearest: 0 is the question, 1 the first variant."""
        return candidate.phrasing - self._tables.unit_starts[candidate.unit]

    def matched(self, query: Query, candidate: Candidate) -> list[str]:
        """Give the stems of the nearest phrasing that the query reached, heaviest first."""
        block, names = self._tables.words, self._names
        found: list[tuple[float, str]] = []
        for term, weight in query.words.items():
            start, end = block.starts[term], block.starts[term + 1]
            at = bisect_left(block.phrasings, candidate.phrasing, start, end)
            if at < end and block.phrasings[at] == candidate.phrasing:
                found.append((-weight * block.weights[at], names[term]))
        found.sort()
        return [name for _, name in found]

    def _scan(self, lists: list[tuple[int, float, Postings, int]]) -> tuple[dict[int, float], int]:
        """Add up cosines from the shortest lists, while they are free."""
        cosines: dict[int, float] = {}
        get = cosines.get
        left = self._free
        for done, (length, weight, block, term) in enumerate(lists):
            left -= length
            if left < 0 and done:
                return cosines, done
            start = block.starts[term]
            end = start + length
            for number, part in zip(block.phrasings[start:end], block.weights[start:end], strict=True):
                cosines[number] = get(number, 0.0) + weight * part
        return cosines, len(lists)

    def _refine(
        self, cosines: dict[int, float], lists: list[tuple[int, float, Postings, int]]
    ) -> dict[int, float]:
        """Look up the long lists for the most promising units only."""
        tables = self._tables
        kept: dict[int, float] = {}
        for candidate in self._score(cosines, CANDIDATES):
            first, last = tables.unit_starts[candidate.unit], tables.unit_starts[candidate.unit + 1]
            for number in range(first, last):
                if number in cosines:
                    kept[number] = cosines[number]
            for _, weight, block, term in lists:
                at, end = block.starts[term], block.starts[term + 1]
                at = bisect_left(block.phrasings, first, at, end)
                while at < end and (number := block.phrasings[at]) < last:
                    kept[number] = kept.get(number, 0.0) + weight * block.weights[at]
                    at += 1
        return kept

    def _score(self, cosines: dict[int, float], most: int) -> list[Candidate]:
        tables = self._tables
        unit_of = tables.unit_of
        sums: dict[int, float] = {}
        nearest: dict[int, list[tuple[float, int]]] = {}
        for number, cosine in cosines.items():
            unit = unit_of[number]
            if unit in sums:
                sums[unit] += cosine
                nearest[unit].append((cosine, number))
            else:
                sums[unit] = cosine
                nearest[unit] = [(cosine, number)]
        found = []
        for unit, total in sums.items():
            best = nearest[unit]
            if len(best) > 1:
                best.sort(key=lambda pair: (-pair[0], pair[1]))
            size = min(len(NEAREST), tables.unit_starts[unit + 1] - tables.unit_starts[unit])
            near = sum(share * pair[0] for share, pair in zip(NEAREST, best, strict=False))
            near /= sum(NEAREST[:size])
            score = (total / tables.unit_norms[unit] + near) / 2
            found.append(Candidate(unit, score, best[0][1], best[0][0]))
        return nlargest(most, found, key=lambda c: (c.score, -c.unit))

    def _word_weights(self, stemmed: list[str]) -> tuple[dict[int, float], float]:
        block, vocabulary, ids = self._tables.words, self._vocabulary, self._vocabulary.ids
        weights: dict[int, float] = {}
        length = known = 0.0
        for word, times in Counter(stemmed).items():
            number = ids.get(word)
            seen = number is not None and block.starts[number] < block.starts[number + 1]
            if number is not None and seen:
                weight = block.idf[number]
                weights[number] = max(weights.get(number, 0.0), weight * (1 + log(times)))
                related = vocabulary.related(number)
                reach = KNOWN_STANDS_FOR
            else:
                weight = block.unseen * (STOP_WEIGHT if word in STOP_STEMS else 1.0)
                related = vocabulary.neighbours(word)
                reach = 1.0
            weight *= 1 + log(times)
            length += weight * weight
            if seen:
                known += weight * weight
            for other, nearness in related:
                stands = reach * nearness * min(weight, block.idf[other])
                if stands > weights.get(other, 0.0):
                    weights[other] = stands
        scale = sqrt(1 - PAIR_SHARE) / sqrt(length) if length else 0.0
        return {number: weight * scale for number, weight in weights.items()}, (
            known / length if length else 0.0
        )

    def _pair_weights(self, stemmed: list[str]) -> dict[int, float]:
        block = self._tables.pairs
        weights: dict[int, float] = {}
        length = 0.0
        ids = self._vocabulary.ids
        keys = pair_keys([ids.get(word, -2) for word in stemmed])
        for key, times in Counter(keys).items():
            number = self._pairs.get(key)
            if number is not None and block.starts[number] < block.starts[number + 1]:
                weight = block.idf[number] * (1 + log(times))
                weights[number] = weight
            else:
                weight = block.unseen * UNSEEN_PAIR
            length += weight * weight
        scale = sqrt(PAIR_SHARE) / sqrt(length) if length else 0.0
        return {number: weight * scale for number, weight in weights.items()}
