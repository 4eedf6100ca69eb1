"""What a site's outcomes say of a question: which tier of models has sufficed for the like of it.

Decides, in this order: a question nearly like one that was answered well is answered by the same
tier (the policy cache; a failure of the like takes that away); with too few outcomes nothing is
said, and the complexity decides; else the cheapest tier that surely suffices; where none does, one
above the cheapest that probably would, or the dearest. A small share of those goes to a cheaper
tier that may well suffice, so that more is learnt of it. A success speaks for its tier and all
dearer ones, a failure against it and all that are cheaper.

It is a function of the lessons that the truth holds now and of nothing else: what was erased there
is gone from here with the next look. It is bounded by the lessons that it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log1p, sumprod
from typing import Final
from zlib import crc32

from core.learning import Lesson
from gateway.pipeline.learned.online import Belief

Embed = Callable[[str], Sequence[float] | None]
"""Gives a question its unit vector; None where it has none."""

ALIKE: Final = 0.85
"""Cosine above which a question is nearly the same (issue 8)."""
LEAST: Final = 30
"""Outcomes of a site before anything is predicted."""
NEEDED: Final = 0.85
"""The probability with which a tier must suffice."""
DOUBT: Final = 1.0
"""Standard deviations that are taken off what is believed."""
EXPLORED: Final = 0.1
"""The share of unsure questions that try a tier which may well suffice."""
HOPE: Final = 1.0
"""Standard deviations that are added for \"may well\"."""
_PRECISIONS: Final = (0.5, 2.0, 2.0)
"""Of the constant, the length and the complexity, before anything is known."""
_PRECISION: Final = 0.5
"""Of each number of the vector: their squares are 1 together."""
_LONG: Final = 8.0


@dataclass(frozen=True, slots=True)
class _Success:
    """A question that a tier answered well, by its vector."""

    vector: Sequence[float]
    place: int


class Experience:
    """One site's, over the names of its tiers, the cheapest first, and the embedding's size."""

    def __init__(self, tiers: Sequence[str], embed: Embed, dimensions: int) -> None:
        self._tiers = tuple(tiers)
        self._embed = embed
        self._precisions = (*_PRECISIONS, *[_PRECISION] * dimensions)
        self._vectors: dict[str, Sequence[float] | None] = {}
        self._seen: list[Lesson] = []
        self._begin()

    def _begin(self) -> None:
        self._seen = []
        self._successes: dict[str, _Success] = {}
        self._beliefs = {name: Belief(self._precisions) for name in self._tiers[:-1]}
        self.count = 0

    def unlearnt(self, lessons: Sequence[Lesson]) -> Sequence[Lesson]:
        """What of these is new, oldest first; where anything is gone or changed, all of it."""
        if list(lessons[: len(self._seen)]) != self._seen:
            self._begin()
            names = {lesson.turn_id for lesson in lessons}
            self._vectors = {name: one for name, one in self._vectors.items() if name in names}
        return lessons[len(self._seen) :]

    def learn(self, lesson: Lesson) -> None:
        """Add one lesson; of a tier that there no longer is nothing is learnt."""
        self._seen.append(lesson)
        if lesson.tier not in self._tiers:
            return
        if lesson.turn_id not in self._vectors:
            self._vectors[lesson.turn_id] = self._embed(lesson.question)
        vector = self._vectors[lesson.turn_id]
        if vector is None:
            return
        if lesson.outcome > 0:
            self._successes[lesson.turn_id] = _Success(vector, self._tiers.index(lesson.tier))
        else:
            self._doubt(vector, self._tiers.index(lesson.tier))
        row, place = (
            _row(lesson.question, lesson.complexity, vector),
            self._tiers.index(lesson.tier),
        )
        spoken = self._tiers[place:] if lesson.outcome > 0 else self._tiers[: place + 1]
        for name in spoken:
            if name in self._beliefs:
                self._beliefs[name].learn(row, (lesson.outcome + 1) / 2)
        self.count += 1

    def known(self, vector: Sequence[float]) -> str | None:
        """The cheapest tier that answered nearly the same question well."""
        alike = [
            one.place for one in self._successes.values() if sumprod(vector, one.vector) > ALIKE
        ]
        return self._tiers[min(alike)] if alike else None

    def _doubt(self, vector: Sequence[float], place: int) -> None:
        """Forget the successes of the like that this tier, or a cheaper one, had before."""
        self._successes = {
            name: one
            for name, one in self._successes.items()
            if one.place > place or sumprod(vector, one.vector) <= ALIKE
        }

    def tier(self, question: str, complexity: float | None, turn_id: str) -> str | None:
        """The tier for a question; None where experience has none to say."""
        vector = self._embed(question) if self.count else None
        if vector is None or not self._tiers:
            return None
        known = self.known(vector)
        if known is not None:
            return known
        if self.count < LEAST:
            return None
        row = _row(question, complexity, vector)
        for name, belief in self._beliefs.items():
            if belief.chance(row, -DOUBT) >= NEEDED:
                return name
        if crc32(turn_id.encode()) / 2**32 < EXPLORED:
            for name, belief in self._beliefs.items():
                if belief.chance(row, HOPE) >= NEEDED:
                    return name
        return self._above(row)

    def _above(self, row: Sequence[float]) -> str:
        """One tier above the cheapest that probably suffices; the dearest where none does."""
        for at, belief in enumerate(self._beliefs.values()):
            if belief.chance(row) >= NEEDED:
                return self._tiers[at + 1]
        return self._tiers[-1]


def _row(question: str, complexity: float | None, vector: Sequence[float]) -> list[float]:
    known = 0.0 if complexity is None else 2 * complexity - 1
    return [1.0, log1p(len(question)) / _LONG - 0.5, known, *vector]
