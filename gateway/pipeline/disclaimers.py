"""What is said beside a model's reply on a topic where general information is no advice.

Decides which disclaimers a turn carries: those of the topics that its question or its reply
touches (`core.risk`), in the visitor's language. Topics and texts are data that is handed in, a
site's own beside them; a topic without a text says nothing. Refuses data that is not of its form.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from core.errors import FanlightError
from core.risk import NO_TOPICS, Topics

FILE: Final = "disclaimers.json"
"""The texts that come with this package, beside this module."""
FALLBACK: Final = "en"


class BadDisclaimers(FanlightError):
    """The texts of the disclaimers are not of their form."""


@dataclass(frozen=True, slots=True)
class Disclaimers:
    """Topics, and what is said of each in each language."""

    topics: Topics
    texts: Mapping[str, Mapping[str, str]]

    def of(
        self, question: str, reply: str, locale: str, own: Disclaimers | None = None
    ) -> tuple[str, ...]:
        """What is said beside this reply; in English where the language has no text.

        `own` are the site's: a text of its own stands in place of ours on the same topic.
        """
        said = f"{question}\n{reply}"
        touched = {*self.topics.found(said), *(own.topics.found(said) if own else ())}
        texts = {**self.texts, **(own.texts if own else {})}
        language = locale.split("-", maxsplit=1)[0].lower()
        told = (texts.get(topic, {}) for topic in sorted(touched))
        return tuple(
            text for each in told if (text := each.get(language) or each.get(FALLBACK)) is not None
        )


SILENT: Final = Disclaimers(NO_TOPICS, {})
"""Says nothing of anything."""


def read_disclaimers(text: str, topics: Topics) -> Disclaimers:
    """Disclaimers from `{topic: {language: text}}` as JSON; raises `BadDisclaimers`."""
    try:
        told = json.loads(text)
        texts = {
            str(topic): {str(language): _line(line) for language, line in lines.items()}
            for topic, lines in told.items()
        }
    except (AttributeError, TypeError, ValueError) as error:
        raise BadDisclaimers(f"disclaimers are {{topic: {{language: text}}}}: {error}") from error
    return Disclaimers(topics, texts)


def _line(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{value!r} is no text")
    return value
