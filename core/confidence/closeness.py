"""How near two words are: the same stem, the same number, or near in meaning in any language.

Decides what a word is for a comparison (its stem, its number if it counts, its vector) and how near
two of them are, in [0, 1]. Numbers are near only to themselves. Without an embedding only stems
are compared, and nothing else changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sumprod
from typing import Final

from core.confidence.lexicon import NUMBER_WORDS
from kb.embed import Embedding, Vector
from kb.features import STOP_STEMS
from kb.normalise import stem
from kb.vectors import sign_code

LEAST_COSINE: Final = 0.35
"""Cosine from which one word stands for another at all."""
MOST_APART: Final = 0.4
"""Share of the signs that may differ before the cosine is worked out; unrelated words differ in
half of theirs."""
MOST_WORDS: Final = 96
"""Words of a text that its vector is made of."""
_CACHED: Final = 8_192
_CACHED_TEXTS: Final = 1_024


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a text: what it is compared by, and whether it tells anything by itself."""

    text: str
    key: str
    number: bool
    telling: bool


@lru_cache(maxsize=16_384)
def word_of(text: str) -> Word:
    """The word of a normalised text; a number that is written out is that number."""
    number = text if text.isdecimal() else NUMBER_WORDS.get(text)
    if number is not None:
        written_out = number == "1" and not text.isdecimal()
        return Word(text, number.lstrip("0") or "0", not written_out, not written_out)
    key = stem(text)
    return Word(text, key, number=False, telling=key not in STOP_STEMS)


class Closeness:
    """Nearness of words over one embedding. Immutable but for its cache; safe to share."""

    def __init__(self, embedding: Embedding | None) -> None:
        self._embedding = embedding
        self._known: dict[str, tuple[int, Vector] | None] = {}
        self._texts: dict[tuple[str, ...], Vector | None] = {}
        self._apart = int(MOST_APART * embedding.dimensions) if embedding else 0

    def vector(self, words: Sequence[str]) -> Vector | None:
        """The unit vector of a text's normalised words; None where meanings are not known."""
        if self._embedding is None:
            return None
        key = tuple(words[:MOST_WORDS])
        try:
            return self._texts[key]
        except KeyError:
            if len(self._texts) >= _CACHED_TEXTS:
                self._texts.clear()
            vector = self._texts[key] = self._embedding.vector(key)
            return vector

    def near(self, word: Word, others: Iterable[Word]) -> dict[str, float]:
        """How near a word is to each of some others, by their texts; those that are not are out."""
        others = list(others)
        found = {other.text: 1.0 for other in others if other.key == word.key}
        if word.number or self._embedding is None:
            return found
        mine = self._look(word.text)
        if mine is None:
            return found
        sign, vector = mine
        for other in others:
            if other.number or other.text in found:
                continue
            theirs = self._look(other.text)
            if theirs is None or (sign ^ theirs[0]).bit_count() > self._apart:
                continue
            cosine = sumprod(vector, theirs[1])
            if cosine > LEAST_COSINE:
                found[other.text] = (cosine - LEAST_COSINE) / (1 - LEAST_COSINE)
        return found

    def _look(self, text: str) -> tuple[int, Vector] | None:
        try:
            return self._known[text]
        except KeyError:
            if len(self._known) >= _CACHED:
                self._known.clear()
            vector = self._embedding.vector([text]) if self._embedding else None
            looked = None if vector is None else (sign_code(vector), vector)
            self._known[text] = looked
            return looked
