"""How long a text is in tokens, and how a text is cut so that it fits.

A tokenizer is rarely at hand where a prompt is made. Without one it decides by what tokenizers do
to a text: four letters of English a token, and of other scripts one letter a token, which is the
dearer end of what is seen. It refuses no text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

Count = Callable[[str], int]
"""How many tokens a text has."""

ASCII_A_TOKEN: Final = 4
"""Characters of English in a token, on average (of byte-pair encodings 3.8 to 4.5)."""
MESSAGE: Final = 6
"""Tokens that a template sets around each message."""
CUT: Final = "…"
_ROUNDS: Final = 24


def estimate(text: str) -> int:
    """Tokens of a text, by its letters."""
    plain = len(text.encode("ascii", "ignore"))
    return -(-plain // ASCII_A_TOKEN) + len(text) - plain


def cut(text: str, most: int, count: Count = estimate) -> str:
    """The longest beginning of a text, in whole words where it has some, of so many tokens."""
    if count(text) <= most:
        return text
    least, past = 0, len(text)
    for _ in range(_ROUNDS):
        middle = (least + past) // 2
        if middle == least:
            break
        if count(text[:middle] + CUT) <= most:
            least = middle
        else:
            past = middle
    kept = text[:least]
    whole = kept.rpartition(" ")[0].rstrip()
    kept = whole if 2 * len(whole) >= len(kept) else kept
    return kept + CUT if kept and count(kept + CUT) <= most else ""
