"""The static multilingual embedding: a text as the sum of its tokens' vectors.

Decides how a word becomes tokens (the most probable split into known pieces) and what vector a text
has. No transformer runs: one table, looked up and added, so that a browser does it in under a
millisecond. Refuses a file of another version; a text without a known token has no vector.

How the table is made, and from what, is in `models/embed/`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from math import sqrt, sumprod
from typing import Final, cast

from kb.codec import IndexFormatError, Kind, Section, decode

EMBEDDING: Final = Kind("embedding", "fanlight-embedding", 1, "fetch it again")
START: Final = "\u2581"
"""Marks a piece that begins a word, as SentencePiece does."""
LEVELS: Final = (-1.51, -0.453, 0.453, 1.51)
"""Values of the four levels of two bits, in standard deviations: the best quantiser of a normal
variable (Max, 1960, IRE Trans. Inf. Theory 6(1))."""
UNKNOWN: Final = -25.0
"""Log-probability of a character that no piece has: dearer than any piece."""
_LONGEST_WORD: Final = 48
_CACHED_ROWS: Final = 4_096
_CACHED_WORDS: Final = 8_192

type Vector = list[float]


class Embedding:
    """A loaded table. Immutable but for its caches."""

    def __init__(
        self,
        *,
        pieces: Mapping[str, int],
        scores: Sequence[float],
        norms: Sequence[float],
        levels: bytes,
        dimensions: int,
        release: str,
    ) -> None:
        self.dimensions: Final = dimensions
        self.release: Final = release
        self._pieces = pieces
        self._scores = scores
        self._norms = norms
        self._levels = levels
        self._stride = dimensions // 4
        self._rows: dict[int, Vector] = {}
        self._splits: dict[str, tuple[int, ...]] = {}

    @cached_property
    def _longest(self) -> int:
        """Characters of the longest piece; looked for when a word is first split."""
        return max(map(len, self._pieces), default=1)

    def __len__(self) -> int:
        return len(self._norms)

    def split(self, word: str) -> tuple[int, ...]:
        """Give the tokens of one normalised word; characters that no piece has are left out."""
        found = self._splits.get(word)
        if found is None:
            if len(self._splits) >= _CACHED_WORDS:
                self._splits.clear()
            found = self._splits[word] = tuple(
                segment(word[:_LONGEST_WORD], self._pieces, self._scores, self._longest)
            )
        return found

    def vector(self, words: Sequence[str]) -> Vector | None:
        """Give the unit vector of a text's normalised words; None when no token is known."""
        tokens = [token for word in words for token in self.split(word)]
        if not tokens:
            return None
        return unit(list(map(sum, zip(*map(self._scaled, tokens), strict=True))))

    def token(self, token: int) -> Vector:
        """Give one token's own vector, of its own length: what a text's sum is made of."""
        return list(self._scaled(token))

    def names(self) -> list[str]:
        """Give the tokens as they are spelt, `START` before those that begin a word; sorted."""
        return sorted(self._pieces)

    def pieces(self, word: str) -> list[str]:
        """Give the tokens of one normalised word as they are spelt; slow, for who wants to see."""
        tokens = self.split(word)
        spelt = {number: name for name, number in self._pieces.items() if number in tokens}
        return [spelt[token] for token in tokens]

    def _scaled(self, token: int) -> Vector:
        row = self._rows.get(token)
        if row is None:
            if len(self._rows) >= _CACHED_ROWS:
                self._rows.clear()
            start = token * self._stride
            packed = self._levels[start : start + self._stride]
            # A row has four different values: as many objects stay in the processor's cache.
            scaled = {level: self._norms[token] * level for level in LEVELS}
            row = self._rows[token] = list(map(scaled.__getitem__, unpack(packed)))
        return row


def unit(vector: Sequence[float]) -> Vector | None:
    """Give the vector with length one; None for one of (nearly) no length."""
    length = sqrt(sumprod(vector, vector))
    return [value / length for value in vector] if length > 1e-9 else None


def unpack(packed: bytes) -> Vector:
    """Give the values of two-bit levels, four a byte, the lowest bits first."""
    return [value for byte in packed for value in _FOURS[byte]]


def segment(
    word: str, pieces: Mapping[str, int], scores: Sequence[float], longest: int
) -> list[int]:
    """Split one word into the pieces of highest joint log-probability (Viterbi; Kudo, 2018)."""
    text = START + word
    whole = pieces.get(text)
    if whole is not None:
        return [whole]
    size = len(text)
    best = [0.0] + [-1e9] * size
    came: list[tuple[int, int]] = [(0, -1)] * (size + 1)
    for start in range(size):
        for end in range(start + 1, min(size, start + longest) + 1):
            piece = pieces.get(text[start:end])
            if piece is not None and best[start] + scores[piece] > best[end]:
                best[end] = best[start] + scores[piece]
                came[end] = (start, piece)
        if best[start] + UNKNOWN > best[start + 1]:
            best[start + 1] = best[start] + UNKNOWN
            came[start + 1] = (start, -1)
    found: list[int] = []
    at = size
    while at:
        at, piece = came[at]
        if piece >= 0:
            found.append(piece)
    return found[::-1]


def load_embedding(data: bytes) -> Embedding:
    """Read a table. Raises `IndexFormatError` for bytes that this version did not write."""
    sections, release = decode(data, EMBEDDING)
    try:
        return _unpack(sections, release)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise IndexFormatError(f"damaged embedding: {error!r}; {EMBEDDING.remedy}") from error


def _unpack(sections: Mapping[str, Section], release: str) -> Embedding:
    names = cast(str, sections["pieces"]).split("\n")
    scores = cast("Sequence[float]", sections["scores"])
    norms = cast("Sequence[float]", sections["norms"])
    levels = cast("Sequence[int]", sections["levels"])
    dimensions = int(json.loads(cast(str, sections["meta"]))["dimensions"])
    fitting = len(names) == len(scores) == len(norms) and dimensions % 4 == 0
    if not fitting or len(levels) * 4 != len(norms) * dimensions:
        raise ValueError("its parts have different sizes")
    return Embedding(
        pieces=dict(zip(names, range(len(names)), strict=True)),
        scores=scores,
        norms=norms,
        levels=bytes(levels),
        dimensions=dimensions,
        release=release,
    )


_FOURS: Final = tuple(
    tuple(LEVELS[byte >> shift & 3] for shift in (0, 2, 4, 6)) for byte in range(256)
)
