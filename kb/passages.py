"""Passages found by meaning: BM25 whose words may stand for one another.

A word of the question counts for the knowledge base's nearest words too, in any language, by how
near they are. Decides that closeness, what a sentence is, and how the three views of a passage
(its words, its nearest sentence, its whole) are joined. Refuses nothing: a question that has no
known word finds nothing, and without an embedding words count alone.

BM25 after Robertson and Zaragoza (2009), divided by the question's own idf mass, so that the score
of a short question and of a long one mean the same.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from heapq import nlargest
from itertools import accumulate
from math import log
from typing import Final

from kb.embed import Embedding, Vector
from kb.features import STOP_STEMS
from kb.normalise import stem, words
from kb.vectors import MakeVectors, Vectors, pack_all

SATURATION: Final = 1.2
LENGTH_SHARE: Final = 0.75
NEIGHBOURS: Final = 8
"""Words of the passages that one word of a question may stand for."""
LEAST_COSINE: Final = 0.2
"""Cosine from which one word stands for another at all."""
SHARES: Final = (1.0, 0.5, 0.25)
"""What counts: the words, the nearest sentence, the whole passage."""
PROMISING: Final = 60
MOST_ACROSS: Final = 24
"""Telling words of a question that may stand for others: each is compared with every word."""

_SENTENCE_END = re.compile(r"(?<=[.!?\u05c3])[\"')\]*_]*\s+|\n+")

type Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Found:
    """A passage with its score in [0, 2), and the number of its nearest sentence, if known."""

    passage: int
    score: float
    sentence: int | None


def sentences(text: str) -> list[Span]:
    """Give where the sentences with a word in them start and end; a text has at least one."""
    spans: list[Span] = []
    start = 0
    for match in _SENTENCE_END.finditer(text):
        closing = len(match.group().rstrip())
        spans.append((start, match.start() + closing))
        start = match.end()
    spans.append((start, len(text)))
    return [(a, b) for a, b in spans if words(text[a:b])] or [(0, len(text))]


@dataclass(frozen=True, slots=True)
class PassageTables:
    """What passages are searched by, as an index keeps it.

    `forms`: the most usual word of each stem, and `counts[starts[f]:starts[f + 1]]` how often the
    stem is in the `passages` of the same places. `lengths`: words a passage.
    `sentence_starts[p]:sentence_starts[p + 1]` are the numbers of a passage's sentences. The levels
    are packed vectors of the whole passages and the sentences (`kb.vectors`); empty without an
    embedding.
    """

    forms: Sequence[str]
    starts: Sequence[int]
    passages: Sequence[int]
    counts: Sequence[int]
    lengths: Sequence[int]
    sentence_starts: Sequence[int]
    whole_levels: bytes = b""
    sentence_levels: bytes = b""


def make_passages(
    texts: Iterable[Sequence[str]], embedding: Embedding | None = None
) -> PassageTables:
    """Look at every passage, given as its sentences, and give what it is searched by."""
    spoken = [[words(sentence) for sentence in passage] for passage in texts]
    wholes = [[word for sentence in passage for word in sentence] for passage in spoken]
    postings: dict[str, Counter[int]] = {}
    forms: dict[str, Counter[str]] = {}
    for number, whole in enumerate(wholes):
        for word in whole:
            root = stem(word)
            postings.setdefault(root, Counter())[number] += 1
            forms.setdefault(root, Counter())[word] += 1
    roots = sorted(postings)
    tables = PassageTables(
        forms=[min(forms[root], key=lambda form: (-forms[root][form], form)) for root in roots],
        starts=list(accumulate((len(postings[root]) for root in roots), initial=0)),
        passages=array("I", (number for root in roots for number in sorted(postings[root]))),
        counts=array(
            "I", (postings[root][number] for root in roots for number in sorted(postings[root]))
        ),
        lengths=[len(whole) for whole in wholes],
        sentence_starts=list(accumulate((len(passage) for passage in spoken), initial=0)),
    )
    if embedding is None:
        return tables
    every = (sentence for passage in spoken for sentence in passage)
    size = embedding.dimensions
    return replace(
        tables,
        whole_levels=pack_all((embedding.vector(whole) for whole in wholes), size),
        sentence_levels=pack_all((embedding.vector(sentence) for sentence in every), size),
    )


class Passages:
    """Passages that can be searched. Immutable, and safe to share."""

    def __init__(
        self,
        tables: PassageTables,
        embedding: Embedding | None,
        vectors: MakeVectors = Vectors,
    ) -> None:
        self.tables: Final = tables
        self._embedding = embedding
        self._size = len(tables.lengths)
        self._mean = sum(tables.lengths) / max(1, self._size) or 1.0
        self._numbers = {stem(form): number for number, form in enumerate(tables.forms)}
        self._owners = [
            number
            for number in range(self._size)
            for _ in range(tables.sentence_starts[number], tables.sentence_starts[number + 1])
        ]
        dimensions = embedding.dimensions if embedding else 0
        self._dimensions = dimensions
        self._make = vectors
        self._wholes, self._sentences = (
            vectors(levels if embedding else b"", dimensions)
            for levels in (tables.whole_levels, tables.sentence_levels)
        )

    @cached_property
    def _forms(self) -> Vectors:
        """The vectors of the forms; half as many bytes as the rest, so made when first needed."""
        vectors = (self._vector(form) for form in self.tables.forms)
        return self._make(pack_all(vectors, self._dimensions), self._dimensions)

    def _vector(self, word: str) -> Vector | None:
        return self._embedding.vector([word]) if self._embedding else None

    def __len__(self) -> int:
        return self._size

    def search(self, question: str, limit: int = 5, *, across: bool = True) -> list[Found]:
        """Give the best passages, best first.

        `across`: the question may be in another language than the passages, so that its words stand
        for their nearest ones too, which takes several times as long.
        """
        spoken = words(question)
        scores = self._by_words(spoken, across=across)
        vector = self._embedding.vector(spoken) if self._embedding else None
        near = {number for number, _ in _best(scores, PROMISING)}
        if vector is not None:
            near |= {self._owners[at] for _, at in self._sentences.nearest(vector, PROMISING)}
        return nlargest(limit, self._found(sorted(near), scores, vector), key=_rank)

    def best_of(
        self, question: str, numbers: Iterable[int], *, across: bool = True
    ) -> Found | None:
        """Give the best of these passages; None where none has anything of the question."""
        spoken = words(question)
        scores = self._by_words(spoken, across=across)
        vector = self._embedding.vector(spoken) if self._embedding else None
        found = self._found(list(numbers), scores, vector)
        return max((one for one in found if one.score > 0), key=_rank, default=None)

    def _found(
        self, numbers: Sequence[int], scores: Mapping[int, float], vector: Vector | None
    ) -> list[Found]:
        """Look at these passages with every view of them."""
        if vector is None:
            return [Found(number, scores.get(number, 0.0), None) for number in numbers]
        parts = self._nearest_sentences(vector, numbers)
        wholes = self._wholes.cosines(vector, numbers)
        found = []
        for number, (part, sentence), whole in zip(numbers, parts, wholes, strict=True):
            views = (scores.get(number, 0.0), part, whole)
            total = sum(share * view for share, view in zip(SHARES, views, strict=True))
            found.append(Found(number, max(0.0, total), sentence))
        return found

    def _nearest_sentences(self, vector: Vector, numbers: Sequence[int]) -> list[tuple[float, int]]:
        """Give each passage's nearest sentence, the first of equals: its cosine and number."""
        starts = self.tables.sentence_starts
        every = [at for number in numbers for at in range(starts[number], starts[number + 1])]
        cosines = dict(zip(every, self._sentences.cosines(vector, every), strict=True))
        nearest = []
        for number in numbers:
            own = range(starts[number], starts[number + 1])
            at = max(own, key=cosines.__getitem__)
            nearest.append((cosines[at], at))
        return nearest

    def _by_words(self, spoken: Sequence[str], *, across: bool) -> dict[int, float]:
        """BM25 over soft counts, each passage's in [0, 1]."""
        sums: dict[int, float] = {}
        mass = 0.0
        telling = _telling(spoken)
        for word in telling[:MOST_ACROSS] if across else telling:
            counts, frequency = self._soft_counts(self._stands_for(word, across=across))
            idf = log(1 + (self._size - frequency + 0.5) / (frequency + 0.5))
            mass += idf
            for number, count in counts.items():
                share = self.tables.lengths[number] / self._mean
                damping = SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * share)
                sums[number] = sums.get(number, 0.0) + idf * count / (count + damping)
        return {number: total / mass for number, total in sums.items()} if mass else {}

    def _stands_for(self, word: str, *, across: bool) -> dict[int, float]:
        """Give the stems of the passages that a word stands for, with how well, in (0, 1]."""
        found: dict[int, float] = {}
        vector = self._vector(word) if across else None
        if vector is not None:
            for cosine, number in nlargest(NEIGHBOURS, self._forms.nearest(vector)):
                if cosine > LEAST_COSINE:
                    closeness = (cosine - LEAST_COSINE) / (1 - LEAST_COSINE)
                    found[number] = closeness * closeness
        own = self._numbers.get(stem(word))
        if own is not None:
            found[own] = 1.0
        return found

    def _soft_counts(self, stands_for: dict[int, float]) -> tuple[dict[int, float], float]:
        """Give each passage's count of a word and what stands for it, and how many have it."""
        tables = self.tables
        counts: dict[int, float] = {}
        nearest: dict[int, float] = {}
        for root, closeness in stands_for.items():
            for at in range(tables.starts[root], tables.starts[root + 1]):
                number = tables.passages[at]
                counts[number] = counts.get(number, 0.0) + closeness * tables.counts[at]
                nearest[number] = max(nearest.get(number, 0.0), closeness)
        return counts, sum(nearest.values())


def _telling(spoken: Sequence[str]) -> list[str]:
    """Give the words of a question that say what it is about, else all, each once."""
    each = list(dict.fromkeys(spoken))
    return [word for word in each if stem(word) not in STOP_STEMS] or each


def _rank(found: Found) -> tuple[float, int]:
    return found.score, -found.passage


def _best(scores: dict[int, float], most: int) -> list[tuple[int, float]]:
    return nlargest(most, scores.items(), key=lambda item: (item[1], -item[0]))
