"""Whole characters out of a stream that may cut one in two.

JSON can write half a character (a lone surrogate), and a model server can send the halves in two
pieces. A half alone cannot be encoded: what never meets its other half becomes U+FFFD.
"""

from __future__ import annotations

import re

_HALF = re.compile("[\ud800-\udfff]")


class WholeCharacters:
    """Joins halves across pieces."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """What can be said of `text` now; a first half at its end waits for the next piece."""
        if not self._held and _HALF.search(text) is None:
            return text
        text = self._held + text
        self._held = text[-1] if text and "\ud800" <= text[-1] <= "\udbff" else ""
        return whole(text[: len(text) - len(self._held)])

    def end(self) -> str:
        """What is left when the stream ends."""
        return "\ufffd" if self._held else ""


def whole(text: str) -> str:
    """The text with its halves joined, and U+FFFD for each that has no other half."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
