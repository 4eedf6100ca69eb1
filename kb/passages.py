"""Passages found by meaning: BM25 whose words may stand for one another.

A word of the question counts for the knowledge base's nearest words too, in any language, by how
near they are. Decides that closeness, what a sentence is, and how the three views of a passage
(its words, its nearest sentence, its whole) are joined. Refuses nothing: a question that has no
known word finds nothing.

BM25 after Robertson and Zaragoza (2009), divided by the question's own idf mass, so that the score
of a short question and of a long one mean the same.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nlargest
from math import log
from typing import Final

from kb.embed import Embedding, unit
from kb.find import starts_of
from kb.normalise import stem, words
from kb.vectors import Vectors, pack_all

SATURATION: Final = 1.2
LENGTH_SHARE: Final = 0.75
NEIGHBOURS: Final = 8
"""Words of the passages that one word of a question may stand for."""
LEAST_COSINE: Final = 0.2
"""Cosine from which one word stands for another at all."""
SHARES: Final = (1.0, 0.5, 0.25)
"""What counts: the words, the nearest sentence, the whole passage."""
PROMISING: Final = 60

_SENTENCE_END = re.compile(r"(?<=[.!?\u05c3])[\"')\]]*\s+|\n+")


@dataclass(frozen=True, slots=True)
class Found:
    """A passage with its score in [0, 2), and the place of its nearest sentence (start, end)."""

    passage: int
    score: float
    sentence: tuple[int, int]


def sentences(text: str) -> list[tuple[int, int]]:
    """Give where the sentences with a word in them start and end; a text has at least one."""
    spans: list[tuple[int, int]] = []
    start = 0
    for match in _SENTENCE_END.finditer(text):
        closing = len(match.group().rstrip())
        spans.append((start, match.start() + closing))
        start = match.end()
    spans.append((start, len(text)))
    return [(a, b) for a, b in spans if words(text[a:b])] or [(0, len(text))]


class Passages:
    """Texts that can be searched. Immutable, and safe to share."""

    def __init__(self, texts: Sequence[str], embedding: Embedding) -> None:
        self._embedding = embedding
        self._size = len(texts)
        spoken = [words(text) for text in texts]
        self._lengths = [len(own) for own in spoken]
        self._mean = sum(self._lengths) / max(1, len(texts)) or 1.0
        self._postings: dict[str, dict[int, int]] = {}
        forms: dict[str, Counter[str]] = {}
        for number, own in enumerate(spoken):
            for word in own:
                root = stem(word)
                counts = self._postings.setdefault(root, {})
                counts[number] = counts.get(number, 0) + 1
                forms.setdefault(root, Counter())[word] += 1
        self._roots = list(self._postings)
        dimensions = embedding.dimensions
        self._root_vectors = Vectors(
            pack_all((_root_vector(forms[root], embedding) for root in self._roots), dimensions),
            dimensions,
        )
        whole = (embedding.vector(own) for own in spoken)
        self._wholes = Vectors(pack_all(whole, dimensions), dimensions)
        spans = [(n, span) for n, text in enumerate(texts) for span in sentences(text)]
        self._owners = [number for number, _ in spans]
        self._spans = [span for _, span in spans]
        self._starts = starts_of(self._owners, len(texts))
        parts = (embedding.vector(words(texts[n][a:b])) for n, (a, b) in spans)
        self._parts = Vectors(pack_all(parts, dimensions), dimensions)

    def search(self, question: str, limit: int = 5) -> list[Found]:
        """Give the best passages, best first."""
        spoken = words(question)
        scores = self._by_words(spoken)
        vector = self._embedding.vector(spoken)
        if vector is None:
            return [
                Found(number, score, self._spans[self._starts[number]])
                for number, score in _best(scores, limit)
            ]
        near = {self._owners[at] for _, at in self._parts.nearest(vector, PROMISING)}
        near.update(number for number, _ in _best(scores, PROMISING))
        found: list[Found] = []
        for number in near:
            part, span = self._nearest_sentence(vector, number)
            views = (scores.get(number, 0.0), part, self._wholes.cosine(vector, number))
            total = sum(share * view for share, view in zip(SHARES, views, strict=True))
            found.append(Found(number, total, span))
        return nlargest(limit, found, key=lambda one: (one.score, -one.passage))

    def _nearest_sentence(self, vector: list[float], number: int) -> tuple[float, tuple[int, int]]:
        own = range(self._starts[number], self._starts[number + 1])
        best, at = max((self._parts.cosine(vector, at), -at) for at in own)
        return best, self._spans[-at]

    def _by_words(self, spoken: Sequence[str]) -> dict[int, float]:
        """BM25 over soft counts, each passage's in [0, 1]."""
        sums: dict[int, float] = {}
        mass = 0.0
        for word in dict.fromkeys(spoken):
            counts, frequency = self._soft_counts(self._stands_for(word))
            idf = log(1 + (self._size - frequency + 0.5) / (frequency + 0.5))
            mass += idf
            for number, count in counts.items():
                share = self._lengths[number] / self._mean
                damping = SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * share)
                sums[number] = sums.get(number, 0.0) + idf * count / (count + damping)
        return {number: total / mass for number, total in sums.items()} if mass else {}

    def _stands_for(self, word: str) -> dict[str, float]:
        """Give the words of the passages that this one stands for, with how well, in (0, 1]."""
        found: dict[str, float] = {}
        vector = self._embedding.vector([word])
        if vector is not None:
            near = nlargest(NEIGHBOURS, self._root_vectors.nearest(vector))
            for cosine, number in near:
                if cosine > LEAST_COSINE:
                    closeness = (cosine - LEAST_COSINE) / (1 - LEAST_COSINE)
                    found[self._roots[number]] = closeness * closeness
        root = stem(word)
        if root in self._postings:
            found[root] = 1.0
        return found

    def _soft_counts(self, stands_for: dict[str, float]) -> tuple[dict[int, float], float]:
        """Give each passage's count of a word and what stands for it, and how many have it."""
        counts: dict[int, float] = {}
        nearest: dict[int, float] = {}
        for root, closeness in stands_for.items():
            for number, count in self._postings[root].items():
                counts[number] = counts.get(number, 0.0) + closeness * count
                nearest[number] = max(nearest.get(number, 0.0), closeness)
        return counts, sum(nearest.values())


def _root_vector(forms: Counter[str], embedding: Embedding) -> list[float] | None:
    """Give the mean vector of a stem's words, the usual forms counting more."""
    rows = [(embedding.vector([word]), count) for word, count in forms.items()]
    known = [(row, count) for row, count in rows if row is not None]
    if not known:
        return None
    return unit(
        [sum(parts) for parts in zip(*([c * v for v in row] for row, c in known), strict=True)]
    )


def _best(scores: dict[int, float], most: int) -> list[tuple[int, float]]:
    return nlargest(most, scores.items(), key=lambda item: (item[1], -item[0]))
