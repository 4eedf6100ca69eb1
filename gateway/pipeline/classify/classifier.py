"""From a question to its profile: keywords at level 0, nearest labelled examples at level 1.

Decides by keywords alone in well under a millisecond; with vectors, by the examples that are
nearest in meaning, which keywords only lean. Refuses nothing: a text that says nothing is of the
unknown kind, and one that is near to no example is what the keywords say, or the default.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import nlargest
from math import exp, sumprod
from typing import Final

from gateway.pipeline.classify.complexity import complexity, factors
from gateway.pipeline.classify.tasks import Profile, Tasks
from kb.embed import Embedding, Vector
from kb.features import stems
from kb.normalise import words

BY_KEYWORD: Final = 0.6
"""Confidence of a kind that keywords alone say: about so often they are right on the examples."""
BY_DEFAULT: Final = 0.55
LEAST_COSINE: Final = 0.25
"""Cosine below which no example says anything."""
LEAN: Final = 0.1
"""What a keyword adds to the cosine of its kind."""
NEAREST: Final = 2
"""Examples of a kind whose mean cosine it has."""
SHARPNESS: Final = 12.0
"""How fast a kind that is less near loses its share of the confidence."""


class Classifier:
    """Classifies questions over some tasks; by keywords alone without an embedding."""

    def __init__(self, tasks: Tasks, embedding: Embedding | None = None) -> None:
        self._tasks = tasks
        self._embedding = embedding
        self._phrases: dict[tuple[str, ...], str] = {}
        for task in tasks.tasks:
            for phrase in task.keywords:
                self._phrases.setdefault(phrase, task.name)
        self._order = {task.name: number for number, task in enumerate(tasks.tasks)}
        self._lengths = sorted({len(phrase) for phrase in self._phrases})
        self._examples: list[tuple[str, Vector]] = [
            (task.name, vector)
            for task in tasks.tasks
            for example in task.examples
            if (vector := self._vector(example)) is not None
        ]

    def classify(self, question: str) -> Profile:
        """The profile of a question."""
        found = factors(question)
        hard = complexity(found)
        if not words(question):
            return Profile(self._tasks.unknown, hard, (), 0.0, found)
        hits = self._keywords(question)
        named = min((task for task, _ in hits), key=self._order.__getitem__, default=None)
        task, sure = self._nearest(question, named) or (
            named or self._tasks.default,
            BY_KEYWORD if named else BY_DEFAULT,
        )
        keywords = tuple(dict.fromkeys(phrase for _, phrase in hits))
        return Profile(task, hard, keywords, round(sure, 4), found)

    def _keywords(self, question: str) -> list[tuple[str, str]]:
        """The kinds whose keywords are there, with the keyword, in the order of the text."""
        said = stems(question)
        return [
            (self._phrases[phrase], " ".join(phrase))
            for at in range(len(said))
            for length in self._lengths
            if (phrase := tuple(said[at : at + length])) in self._phrases
        ]

    def _nearest(self, question: str, named: str | None) -> tuple[str, float] | None:
        """The nearest kind and its share; None where no example is near."""
        vector = self._vector(question)
        if vector is None:
            return None
        cosines: dict[str, list[float]] = {}
        for task, example in self._examples:
            cosines.setdefault(task, []).append(sumprod(vector, example))
        scores = {task: _mean(nlargest(NEAREST, found)) for task, found in cosines.items()}
        if max(scores.values(), default=0.0) < LEAST_COSINE:
            return None
        if named in scores:
            scores[named] += LEAN
        best = max(scores, key=scores.__getitem__)
        total = sum(exp(SHARPNESS * (score - scores[best])) for score in scores.values())
        return best, 1 / total

    def _vector(self, text: str) -> Vector | None:
        return self._embedding.vector(words(text)) if self._embedding else None


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
