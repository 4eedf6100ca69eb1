"""From tokens' bytes to text that is sure, up to a stop text.

Decides what is held back: bytes that are no whole character yet, and what may be the beginning of
a stop text.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class Writing:
    """One reply's text; `stopped` once a stop text came, which is not part of the reply."""

    def __init__(self, stops: Sequence[str]) -> None:
        self.stopped = False
        self._stops = stops
        self._held = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def add(self, raw: bytes) -> str:
        """What is now sure."""
        return self._sure(self._decoder.decode(raw))

    def end(self) -> str:
        """What was held back, when nothing more comes; half a character is dropped."""
        held, self._held = self._held, ""
        return held

    def _sure(self, text: str) -> str:
        self._held += text
        found = [at for stop in self._stops if (at := self._held.find(stop)) >= 0]
        if found:
            self.stopped = True
            sure, self._held = self._held[: min(found)], ""
            return sure
        keep = max((_beginning(self._held, stop) for stop in self._stops), default=0)
        at = len(self._held) - keep
        sure, self._held = self._held[:at], self._held[at:]
        return sure


def _beginning(text: str, stop: str) -> int:
    """How much of the text's end is the beginning of a stop text."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)
