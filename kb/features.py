"""What a text is compared by: stems, and the letters inside a word.

Decides the features, not their weights. Letters are compared word against word, never text against
text: they only say which of the knowledge base's words an unknown one was meant to be.
"""

from __future__ import annotations

from hashlib import blake2b
from itertools import pairwise
from typing import Final

from kb.language import ALL_STOP_WORDS
from kb.normalise import stem, words

GRAM_SIZES: Final = (3, 4)
LETTER_SIZES: Final = (3, 4, 5)

type Blocks = tuple[list[str], list[str], list[str]]
"""A text's features: stems, pairs of neighbouring stems, letters inside its words."""


def stems(text: str) -> list[str]:
    """Give the stems of a text, in order."""
    return [stem(word) for word in words(text)]


def grams(word: str) -> set[str]:
    """Give the character n-grams of one word with its edges marked."""
    marked = f"<{word}>"
    return {marked[i : i + size] for size in GRAM_SIZES for i in range(len(marked) - size + 1)}


def feature_blocks(text: str) -> Blocks:
    """Give a text's stems, its stem bigrams with the text's edges marked, and in-word n-grams."""
    spoken = words(text)
    stemmed = [stem(word) for word in spoken]
    edged = ["<", *stemmed, ">"] if stemmed else []
    pairs = [f"{a} {b}" for a, b in pairwise(edged)]
    letters = [
        marked[at : at + size]
        for marked in (f"<{word}>" for word in spoken)
        for size in LETTER_SIZES
        for at in range(len(marked) - size + 1)
    ]
    return stemmed, pairs, letters


def text_key(text: str) -> str:
    """Give what two texts share when they differ in punctuation and case only."""
    return " ".join(words(text))


def text_digest(text: str) -> int | None:
    """Give 64 bits of a text's key, by which an exact match is found; None when it has no word."""
    key = text_key(text).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(key, digest_size=8).digest(), "little") if key else None


STOP_STEMS: Final[frozenset[str]] = frozenset(stem(word) for word in ALL_STOP_WORDS)
"""Stems of function words: they tell little, whether or not the knowledge base has them."""
