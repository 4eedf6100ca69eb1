"""A personality in the words that a model is told.

The words are data, by language, and a language that has none is told in English. Decides their
order: who the chat is, that the visitor is somebody else, the owner's own instructions (early,
because what stands late in a long prompt is followed less), then style.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from gateway.pipeline.personality.form import FIELDS, Flaw, Personality

DEFAULT: Final = "en"
_FIRST: Final = (
    *("identity.name", "identity.role", "identity.expertise", "identity.background"),
    "custom_instructions",
)
_ORDER: Final = (*_FIRST, *(name for name in FIELDS if name not in _FIRST))

Phrases = Mapping[str, Mapping[str, Any]]
"""By language: sentences by a field's dotted name; where the field is a choice or a flag, a
sentence for each of its values. `visitor` is said of every personality."""


@dataclass(frozen=True, slots=True)
class Filed:
    """A personality of a file as it is now: the owner's own, or Fanlight's.

    `flaws` are why there is no `personality`.
    """

    name: str
    own: bool
    personality: Personality | None
    flaws: Sequence[Flaw] = ()


class Personalities(Protocol):
    """The personalities of files."""

    def told(self, name: str, locale: str) -> str | None:
        """What a model is told of this one; None where there is none, or a broken one."""

    def said(self, personality: Personality, locale: str) -> str:
        """What a model would be told of any."""

    def filed(self) -> Sequence[Filed]:
        """Every one that has a file, in the order of the alphabet; it reads them all."""


def say(personality: Personality, phrases: Phrases, locale: str) -> str:
    """The personality as a model is told it, a sentence or more on a line."""
    words = phrases.get(locale) or phrases[DEFAULT]
    lines = []
    for name in _ORDER:
        value = personality.values.get(name)
        sentence = _sentence(words.get(name), value)
        if sentence:
            lines.append(sentence)
        if name == "identity.background":
            # Always: a model must not take "my order" for one of its own (S2 3.4.3 B).
            lines.append(words["visitor"])
    return "\n".join(lines)


def _sentence(phrase: Any, value: object) -> str:
    if value is None or phrase is None:
        return ""
    if isinstance(phrase, Mapping):
        key = {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
        return str(phrase.get(key, ""))
    text = ", ".join(value) if isinstance(value, tuple) else str(value)
    # No `format`: an owner's text may hold braces.
    return str(phrase).replace("{value}", text)
