"""Turns made from questions whose answers are known: each with its own answer and with another's.

Decides what is paired: a frequently asked question, said otherwise, with its entry's answer and
that of another entry; a question on a passage with its answer and that of another question on the
same passage. The passages are the right one and those that are nearest to the question. Wrong ones
are drawn in turn from what is near and from anywhere. Such turns measure; nothing is fitted to
them. Refuses rows that are neither, by their number.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from math import sumprod
from typing import Any, Final

from core.confidence.turns import BadTurns, LabelledTurn
from kb.embed import Embedding, Vector
from kb.json_rows import json_object, text_field
from kb.normalise import words

OTHERS: Final = 3
"""Passages beside the right one."""


@dataclass(frozen=True, slots=True)
class _Source:
    """A text that can be retrieved; `answer` is what an entry says, or None for a passage."""

    name: str
    text: str
    answer: str | None
    vector: Vector | None


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question, the name of its source, and its answer."""

    question: str
    name: str
    answer: str | None


class Corpus:
    """What is retrieved: FAQ entries `{question, answer}`, or passages `{id, text}`."""

    def __init__(
        self, lines: Iterable[str], name: str, embedding: Embedding, language: str | None = None
    ) -> None:
        self._embedding = embedding
        self._sources: dict[str, _Source] = {}
        for row, place in _rows(lines, name):
            if language in {None, row.get("lang", language)}:
                source = self._source(row, place)
                self._sources[source.name] = source
        if len(self._sources) < 2:
            raise BadTurns(f"{name}: fewer than two rows are left: check the language")

    def turns(
        self, lines: Iterable[str], name: str, *, language: str = "en", seed: int = 0
    ) -> list[LabelledTurn]:
        """A right and a wrong turn of every question whose source is here."""
        rows = _rows(lines, name)
        asked = [one for row, place in rows for one in _asked(row, place, language)]
        asked = [one for one in asked if one.name in self._sources]
        answers: dict[str, list[str]] = {}
        for one in asked:
            answers.setdefault(one.name, []).append(one.answer or "")
        drawn = random.Random(seed)  # noqa: S311 - a draw to measure on, no secret
        found: list[LabelledTurn] = []
        for number, one in enumerate(asked):
            own = self._sources[one.name]
            near = self._near(one, own)
            passages = [own.text, *(source.text for source in near)]
            drawn.shuffle(passages)
            right = one.answer or own.answer or ""
            others = self._others(own, near, number) if own.answer else answers[one.name]
            wrong = [answer for answer in others if answer != right]
            for reply, is_right in ((right, True), (drawn.choice(wrong), False)) if wrong else ():
                found.append(
                    LabelledTurn(one.question, tuple(passages), reply, is_right, site=one.name)
                )
        return found

    def _source(self, row: Mapping[str, Any], place: str) -> _Source:
        answer = text_field(row, "answer", place) if "answer" in row else None
        name = text_field(row, "id" if answer is None else "question", place)
        text = text_field(row, "text", place) if answer is None else f"{name}\n{answer}"
        return _Source(name, text, answer, self._embedding.vector(words(text)))

    def _near(self, one: _Asked, own: _Source) -> list[_Source]:
        vector = self._embedding.vector(words(one.question))
        others = [source for source in self._sources.values() if source is not own]

        def cosine(source: _Source) -> float:
            return sumprod(vector, source.vector) if vector and source.vector else 0.0

        return nlargest(OTHERS, others, key=cosine)

    def _others(self, own: _Source, near: Sequence[_Source], number: int) -> list[str]:
        """The answers of other entries: those that are near, and every other time all."""
        among = near if number % 2 else list(self._sources.values())
        return [source.answer for source in among if source.answer and source is not own]


def _rows(lines: Iterable[str], name: str) -> Iterable[tuple[dict[str, Any], str]]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            place = f"{name}, line {number}"
            yield json_object(line, place), place


def _asked(row: Mapping[str, Any], place: str, language: str) -> Iterable[_Asked]:
    if "q1" in row:
        if row.get("similar", 1) and row.get("lang", language) == language:
            yield _Asked(text_field(row, "q2", place), text_field(row, "q1", place), None)
        return
    told = {
        field: value[language] if isinstance(value := row.get(field), dict) else value
        for field in ("question", "answer")
        if not isinstance(row.get(field), dict) or language in row[field]
    }
    if len(told) == 2:
        question, answer = (text_field(told, field, place) for field in ("question", "answer"))
        yield _Asked(question, text_field(row, "passage", place), answer)
