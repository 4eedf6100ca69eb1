"""Made-up knowledge bases of any size, and questions to them: the same from the same seed.

Decides a vocabulary of invented words whose frequencies fall as words' do (by Zipf's law), so that
an index over them has short lists and long ones, as a real one has.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from kb import Entry

SEED: Final = 20_261
_SYLLABLES: Final = (
    *("ba", "den", "fi", "gor", "ha", "jun", "ke", "lam", "mo", "nir", "pa", "quo"),
    *("ra", "sel", "ti", "ul", "ver", "wa", "xi", "yor", "zen", "bri", "cla", "dru"),
)
_VOCABULARY: Final = 12_000
_VARIANTS: Final = 5
_ASKED: Final = 8
_ANSWERED: Final = 30


@dataclass(frozen=True, slots=True)
class Words:
    """A vocabulary, most frequent first."""

    words: tuple[str, ...]
    weights: tuple[float, ...]

    def some(self, chance: random.Random, count: int) -> list[str]:
        """So many words, frequent ones more often."""
        return chance.choices(self.words, cum_weights=self.weights, k=count)


def _vocabulary(chance: random.Random) -> Words:
    found: dict[str, None] = {}
    while len(found) < _VOCABULARY:
        found["".join(chance.choices(_SYLLABLES, k=chance.randint(2, 4)))] = None
    weights = tuple(accumulate(1 / (rank + 2.7) for rank in range(_VOCABULARY)))
    return Words(tuple(found), weights)


def made_up(count: int, questions: int) -> tuple[list[Entry], list[str]]:
    """So many entries, and questions near to them: some words kept, some changed."""
    chance = random.Random(SEED)  # noqa: S311 - it makes words, not secrets
    words = _vocabulary(chance)
    entries = [_entry(number, words, chance) for number in range(count)]
    asked = [_question(chance.choice(entries), words, chance) for _ in range(questions)]
    return entries, asked


def _entry(number: int, words: Words, chance: random.Random) -> Entry:
    topic = words.some(chance, _ASKED)
    variants = (_near(topic, words, chance) for _ in range(_VARIANTS))
    return Entry(
        id=f"entry-{number}",
        locale="en",
        question=" ".join(topic).capitalize() + "?",
        answer=" ".join(topic + words.some(chance, _ANSWERED)).capitalize() + ".",
        variants=tuple(dict.fromkeys(variants)),
    )


def _question(entry: Entry, words: Words, chance: random.Random) -> str:
    return _near(entry.question.rstrip("?").split(), words, chance)


def _near(topic: list[str], words: Words, chance: random.Random) -> str:
    kept = chance.sample(topic, k=len(topic) - chance.randint(2, 4))
    return " ".join(kept + words.some(chance, chance.randint(1, 3)))
