"""What a question touches that a small model should not answer alone: topics of risk, as data.

Decides how the words of a topic are found in a question: whole words and phrases, by their stems,
in whatever language the question is in. The topics themselves are data (`core/topics.json`) that
the caller reads and hands in; a site may have words of its own. Refuses data that is not of that
form. It knows what a question is about, not what it wants: a word of a topic is enough, since to
ask a person or a larger model once too often costs little.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from core.errors import FanlightError
from kb.features import stems

FILE: Final = "topics.json"
"""The topics that come with this package, beside this module."""


class BadTopics(FanlightError):
    """The topics of risk are not of their form."""


class Topics:
    """Topics of risk by name, with the phrases that show them."""

    def __init__(self, phrases: Mapping[str, Sequence[str]]) -> None:
        self._phrases: dict[tuple[str, ...], list[str]] = {}
        for topic, each in phrases.items():
            for phrase in each:
                key = tuple(stems(phrase))
                if key and topic not in self._phrases.setdefault(key, []):
                    self._phrases[key].append(topic)
        self._lengths = sorted({len(key) for key in self._phrases})

    def __len__(self) -> int:
        return len(self._phrases)

    def found(self, text: str) -> tuple[str, ...]:
        """The topics that a text touches, by name; any string will do."""
        said = stems(text)
        touched = {
            topic
            for length in self._lengths
            for start in range(len(said) - length + 1)
            for topic in self._phrases.get(tuple(said[start : start + length]), ())
        }
        return tuple(sorted(touched))


NO_TOPICS: Final = Topics({})


def read_topics(text: str) -> Topics:
    """Topics from `{topic: {language: [phrase]}}` as JSON; raises `BadTopics`."""
    try:
        told = json.loads(text)
        phrases = {
            str(topic): [_phrase(each) for some in languages.values() for each in some]
            for topic, languages in told.items()
        }
    except (AttributeError, TypeError, ValueError) as error:
        raise BadTopics(f"topics of risk are {{topic: {{language: [phrase]}}}}: {error}") from error
    return Topics(phrases)


def own_topics(told: Mapping[str, Any]) -> Topics:
    """A site's own topics, from `{topic: [phrase]}` of a request; raises `ValueError`."""
    for some in told.values():
        if not isinstance(some, list) or not all(isinstance(each, str) for each in some):
            raise ValueError("risk_topics must be {topic: [phrase]}")
    try:
        return _kept(tuple((topic, tuple(some)) for topic, some in told.items()))
    except ValueError as error:
        raise ValueError(f"risk_topics must be {{topic: [phrase]}}: {error}") from error


@lru_cache(maxsize=64)
def _kept(phrases: tuple[tuple[str, tuple[str, ...]], ...]) -> Topics:
    """The same topics come with every question: their stems are looked for once."""
    return Topics({topic: [_phrase(each) for each in some] for topic, some in phrases})


def _phrase(value: object) -> str:
    if not isinstance(value, str) or not stems(value):
        raise ValueError(f"{value!r} is no phrase")
    return value
