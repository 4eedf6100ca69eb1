"""Words and phrases that say the same to a shop or a help desk, in English, Spanish and Hebrew.

Decides which of them stand for one another in a text: whole words, in the very form that the list
has, so that number and gender stay. Refuses what is not on the list: an embedding's nearest words
were tried and are too often opposites, or mere company (`docs/log.md`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from kb.normalise import words

_EDGES: Final = "?!.,;:¿¡()[]\"'\u2026"
_HEBREW_THE: Final = "ה"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A text with `taken` in place of `left`."""

    text: str
    left: str
    taken: str


@cache
def groups(language: str) -> tuple[tuple[str, ...], ...]:
    """Give the groups of a language, each two or more ways to say one thing; none for others."""
    text = resources.files("kb").joinpath("synonyms.txt").read_text(encoding="utf-8")
    found: list[tuple[str, ...]] = []
    current = ""
    for line in text.splitlines():
        if line.startswith("# "):
            current = line[2:].strip()
        elif line.strip() and current == language:
            found.append(tuple(part.strip() for part in line.split("|")))
    return tuple(found)


def exchanges(text: str, language: str) -> Iterator[Exchange]:
    """Give the text with one of its words or phrases said otherwise, each way once.

    What is written with a capital within the text is a name, and stays.
    """
    parts = text.split()
    folded = [" ".join(words(part)) for part in parts]
    for group in groups(language):
        for left in group:
            at, the = _place(folded, words(left), language)
            if at < 0 or (at > 0 and parts[at].strip(_EDGES)[:1].isupper()):
                continue
            for taken in group:
                # "cancel my order" must not become "cancel my order order".
                # In Hebrew the article of two words stands before the second.
                if the and " " in taken:
                    continue
                if taken != left and not (set(words(taken)) - set(words(left))) & set(folded):
                    before = list(parts)
                    if language == "en" and at and folded[at - 1] in {"a", "an"}:
                        before[at - 1] = _mended(parts[at - 1], taken)
                    yield Exchange(_put(before, at, len(words(left)), the + taken), left, taken)


def _place(folded: list[str], wanted: list[str], language: str) -> tuple[int, str]:
    """Give where the words stand, and the Hebrew article before them; -1: nowhere, or twice."""
    found: list[tuple[int, str]] = []
    for at in range(len(folded) - len(wanted) + 1):
        here = folded[at : at + len(wanted)]
        if here == wanted:
            found.append((at, ""))
        elif language == "he" and here == [_HEBREW_THE + wanted[0], *wanted[1:]]:
            found.append((at, _HEBREW_THE))
    return found[0] if len(found) == 1 else (-1, "")


def _put(parts: list[str], at: int, size: int, taken: str) -> str:
    """Put words in place of others, the punctuation around them kept."""
    first, last = parts[at], parts[at + size - 1]
    before = first[: len(first) - len(first.lstrip(_EDGES))]
    after = last[len(last.rstrip(_EDGES)) :]
    core = first.strip(_EDGES)
    said = taken[:1].upper() + taken[1:] if core[:1].isupper() else taken
    return " ".join([*parts[:at], f"{before}{said}{after}", *parts[at + size :]])


def _mended(article: str, taken: str) -> str:
    """Give "a" or "an" as it stands before a word; only the common rule by letter."""
    fitting = "an" if taken[:1].lower() in "aeio" else "a"
    return fitting.capitalize() if article[:1].isupper() else fitting
