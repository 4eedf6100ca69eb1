"""What the safety head sees of a text: stems, pairs of stems, pieces of words, and a few marks.

Decides how a text is cut into blocks, of which two neighbours are judged together: an order hidden
in a long text is as plain as one that stands alone. Letters that are spaced out are joined first.
Refuses nothing; what stands after `MAX_CHARS` is not seen, and a caller must not pass it on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from kb.normalise import stem, words

MAX_CHARS: Final = 16_000
BLOCK: Final = 24
"""Words of a block: an order to a model rarely takes more than two."""

_CHUNK: Final = 180
"""Characters whose words are taken at once: no more than `kb.normalise.words` gives."""

_SPACED: Final = re.compile(r"(?<!\w)(?:\w[ ._*-]+){4,}\w(?!\w)")
_LETTER_GAP: Final = re.compile(r"(?<=\w)(?:[._*-]+| )(?=\w)")

MARKS: Final = {
    "<role>": re.compile(
        r"(?im)^\W{0,6}(?:system|assistant|user|developer|sistema|מערכת)\s{0,2}[:>\]]"
        r"|</?(?:system|user|assistant|instructions?)>|<\|\w+\|>|\[/?inst\]|<</?sys>>"
    ),
    "<encoded>": re.compile(r"[A-Za-z0-9+/]{40,}={0,2}|(?:\b[0-9a-f]{2}\s){8,}"),
    "<image>": re.compile(r"!\[[^\]\n]{0,200}\]\("),
}
"""Signs that words do not carry: roles of a conversation, encoded text, an image's address."""


@dataclass(frozen=True, slots=True)
class Block:
    """Up to `BLOCK` words in order: their features by name, and the words themselves."""

    names: tuple[str, ...]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """One block or two neighbours, as they are judged."""

    names: tuple[str, ...]
    words: tuple[str, ...]


def marks(text: str) -> list[str]:
    """The marks that a text bears."""
    return [name for name, sign in MARKS.items() if sign.search(text)]


def windows(text: str) -> Iterator[Window]:
    """The windows of a text; at least one, which may be empty."""
    found = blocks(text)
    if len(found) == 1:
        yield Window(found[0].names, found[0].words)
    for one, two in pairwise(found):
        yield Window(one.names + two.names, one.words + two.words)


def blocks(text: str) -> list[Block]:
    """The blocks of a text; at least one, which may be empty."""
    spoken = _spoken(text[:MAX_CHARS])
    stems = [stem(word) for word in spoken]
    pairs = [f"{a} {b}" for a, b in pairwise(("<", *stems, ">"))]
    # The pair before the first word belongs to the first block, each other to its first word's.
    found = []
    for start in range(0, max(1, len(stems)), BLOCK):
        end = start + BLOCK
        own = pairs[start + 1 : end + 1] if start else pairs[: end + 1]
        found.append(Block((*stems[start:end], *own), tuple(spoken[start:end])))
    return found


def _spoken(text: str) -> list[str]:
    if _SPACED.search(text):
        text = _SPACED.sub(_joined, text)
    if len(text) <= _CHUNK:
        return words(text)
    found: list[str] = []
    start = 0
    while start < len(text):
        end = start + _CHUNK
        if end < len(text):
            space = text.rfind(" ", start, end)
            end = space if space > start else end
        found += words(text[start:end])
        start = end
    return found


def _joined(found: re.Match[str]) -> str:
    """`i g n o r e  t h i s` as `ignore this`: a wider gap is one between words."""
    return " ".join(_LETTER_GAP.sub("", word) for word in re.split(r" {2,}", found[0]))
