"""What each signal says of the entries that a question may mean.

Decides who is a candidate (what the words or the meaning put in front) and the numbers
that `kb.choice` weighs. Refuses to judge: no threshold, no confidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import Final

from kb.choice import Signals
from kb.embed import Embedding, Vector
from kb.head import Head, clipped
from kb.normalise import words
from kb.rank import Candidate, Query, Ranker
from kb.vectors import Vectors

NEAR_UNITS: Final = 8
THREE: Final = 3
"""Phrasings whose cosines are averaged: three good matches say more than one."""
_QUARTER: Final = 4.0

type Row = tuple[float, int]
"""The cosine of a row of vectors, and its number."""


@dataclass(frozen=True, slots=True)
class Clue:
    """One unit, its signals, and the phrasing that was nearest."""

    unit: int
    signals: Signals
    phrasing: int


@dataclass(frozen=True, slots=True)
class Meaning:
    """The vectors of some phrasings (`owners[row]` is the unit of a row), in order of unit."""

    embedding: Embedding
    vectors: Vectors
    owners: Sequence[int]
    phrasings: Sequence[int]
    starts: Sequence[int]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A head with the class of each unit."""

    head: Head
    class_of: Sequence[int]


class Finder:
    """Looks at a question with every sense that it was given. Holds no state between questions."""

    def __init__(
        self, ranker: Ranker, meaning: Meaning | None = None, judgement: Judgement | None = None
    ) -> None:
        self.ranker: Final = ranker
        self.meaning: Final = meaning
        self.judgement: Final = judgement

    def find(self, question: str) -> tuple[Query, list[Clue]]:
        """Give the weighed question, and a clue for each candidate unit, in no order."""
        query = self.ranker.query(question)
        by_words = {candidate.unit: candidate for candidate in self.ranker.rank(query)}
        # A word said ninety times means no more than said once.
        said = list(dict.fromkeys(words(question)))
        vector = self.meaning.embedding.vector(said) if self.meaning else None
        near = self._near(vector)
        units = {*by_words, *self._nearest(near)}
        odds = self._odds(units, question, vector)
        rows = self._rows(vector, units, near)
        clues = []
        for unit in sorted(units):
            nearest, mean, best = self._closeness(rows.get(unit, ()))
            candidate = by_words.get(unit)
            signals = (*_by_words(candidate), mean, best, *odds.get(unit, (0.0, 0.0)))
            phrasing = candidate.phrasing if candidate else self.ranker.tables.unit_starts[unit]
            if nearest is not None and (candidate is None or best > candidate.cosine):
                phrasing = nearest
            clues.append(Clue(unit, signals, phrasing))
        return query, clues

    def _near(self, vector: Vector | None) -> dict[int, list[Row]]:
        """Give the nearest rows by their unit."""
        near: dict[int, list[Row]] = {}
        if self.meaning and vector is not None:
            for cosine, row in self.meaning.vectors.nearest(vector):
                near.setdefault(self.meaning.owners[row], []).append((cosine, row))
        return near

    def _nearest(self, near: Mapping[int, Sequence[Row]]) -> list[int]:
        ranked = nlargest(NEAR_UNITS, ((max(rows)[0], -unit) for unit, rows in near.items()))
        return [-negated for _, negated in ranked]

    def _odds(
        self, units: set[int], question: str, vector: Vector | None
    ) -> dict[int, tuple[float, float]]:
        """Give each unit's log-odds against "none of them" and against the best, in quarters."""
        if not self.judgement:
            return {}
        head, class_of = self.judgement.head, self.judgement.class_of
        row = head.row(question)
        none = head.score(row, vector, head.none)
        labels = {class_of[unit] for unit in units}
        scores = {label: head.score(row, vector, label) for label in labels}
        top = max(scores.values(), default=0.0)
        found = {}
        for unit in units:
            score = scores[class_of[unit]]
            found[unit] = (clipped(score - none) / _QUARTER, clipped(score - top) / _QUARTER)
        return found

    def _rows(
        self, vector: Vector | None, units: set[int], near: Mapping[int, Sequence[Row]]
    ) -> dict[int, Sequence[Row]]:
        """Give the rows of each unit with their cosines: the nearest, or all of them."""
        if not self.meaning or vector is None:
            return {}
        starts = self.meaning.starts
        rows: dict[int, Sequence[Row]] = {}
        lacking: list[int] = []
        cosines: dict[int, float] = {}
        for unit in units:
            known = rows[unit] = near.get(unit, ())
            if len(known) < min(THREE, starts[unit + 1] - starts[unit]):
                lacking.append(unit)
                cosines.update((row, cosine) for cosine, row in known)
        every = [row for unit in lacking for row in range(starts[unit], starts[unit + 1])]
        wanted = [row for row in every if row not in cosines]
        cosines |= dict(zip(wanted, self.meaning.vectors.cosines(vector, wanted), strict=True))
        for unit in lacking:
            rows[unit] = [(cosines[row], row) for row in range(starts[unit], starts[unit + 1])]
        return rows

    def _closeness(self, rows: Sequence[Row]) -> tuple[int | None, float, float]:
        """Give a unit's nearest phrasing, the mean of its three nearest cosines, and the best."""
        if not self.meaning or not rows:
            return None, 0.0, 0.0
        best = nlargest(THREE, rows)
        mean = sum(cosine for cosine, _ in best) / len(best)
        return self.meaning.phrasings[best[0][1]], mean, best[0][0]


def _by_words(candidate: Candidate | None) -> tuple[float, float]:
    return (candidate.score, candidate.cosine) if candidate else (0.0, 0.0)


def starts_of(owners: Sequence[int], units: int) -> list[int]:
    """Give where each unit's rows start, the rows being in order of unit."""
    starts = [0] * (units + 1)
    for owner in owners:
        starts[owner + 1] += 1
    for unit in range(units):
        starts[unit + 1] += starts[unit]
    return starts
