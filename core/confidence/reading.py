"""A text read for comparison: its sentences and clauses, their words, and what they deny.

Decides where a sentence and a clause end, which words deny, and that a passage's first sentence is
its heading where it is a question. Refuses nothing; what is past the first passages' characters
changes no answer and bounds the work.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from core.confidence.closeness import Word, word_of
from core.confidence.lexicon import NEGATIONS, NO, OPPOSITES, YES
from kb.normalise import words
from kb.passages import sentences

MOST_PASSAGES: Final = 6
MOST_CHARACTERS: Final = 2_000
_CLAUSE_END: Final = re.compile(
    r"[,;:()\u2013\u2014]+(?!\d)|\.\s|\b(?:but|although|while|pero|aunque|sino)\b"
    r"|(?<=\s)(?:אבל|אך|אולם)(?=\s)"
)


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a sentence: its telling words, and whether it denies."""

    words: tuple[Word, ...]
    denies: bool


@dataclass(frozen=True)
class Sentence:
    """One sentence: all its words, its clauses, the passage it is of, and whether it heads it."""

    words: tuple[Word, ...]
    clauses: tuple[Clause, ...]
    passage: int = 0
    heading: bool = False

    @cached_property
    def telling(self) -> list[Word]:
        """The words that tell something by themselves."""
        return [word for word in self.words if word.telling]

    @cached_property
    def texts(self) -> frozenset[str]:
        """Their texts."""
        return frozenset(word.text for word in self.telling)


@lru_cache(maxsize=1_024)
def read(text: str, passage: int = 0) -> tuple[Sentence, ...]:
    """Read one text; a text without a word has no sentence."""
    text = text[:MOST_CHARACTERS]
    spans = [text[start:end] for start, end in sentences(text)]
    heads = len(spans) > 1 and spans[0].rstrip().endswith("?")
    found = []
    for number, span in enumerate(spans):
        spoken = tuple(word_of(word) for word in words(span))
        if spoken:
            clauses = tuple(_clauses(span))
            found.append(Sentence(spoken, clauses, passage, heads and number == 0))
    return tuple(found)


def read_all(passages: Sequence[str]) -> list[Sentence]:
    """Read the passages, each with its number."""
    return [
        sentence
        for number, text in enumerate(passages[:MOST_PASSAGES])
        for sentence in read(text, number)
    ]


def _clauses(text: str) -> Iterable[Clause]:
    for part in _CLAUSE_END.split(text):
        spoken = words(part)
        if not spoken:
            continue
        denials = sum(word in NEGATIONS or word in OPPOSITES for word in spoken)
        told = (word_of(w) for w in spoken if w not in NEGATIONS and w not in OPPOSITES | YES | NO)
        telling = tuple(word for word in told if word.telling)
        if telling or denials:
            yield Clause(telling, denials % 2 == 1)
