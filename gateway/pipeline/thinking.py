"""What a model thinks before it answers, split off a stream.

Models that reason write `<think>…</think>` and then the answer. Only the beginning of a reply is
looked at, so that an answer may speak of the mark itself. A stream may cut a mark anywhere; what
could still become one is held back until that is known.
"""

from __future__ import annotations

from typing import Literal

TAGS = ("think", "thinking")

type _Where = Literal["before", "within", "after", "answer"]


class Thinking:
    """Splits one reply; `feed` and `end` give what is said, and what is thought."""

    def __init__(self) -> None:
        self._held = ""
        self._where: _Where = "before"
        self._closing = ""

    def feed(self, text: str) -> tuple[str, str]:
        """What can be told of `text` now."""
        if self._where == "answer":
            return text, ""
        text = self._held + text
        self._held = ""
        if self._where == "before":
            return self._begin(text)
        if self._where == "within":
            return self._within(text)
        return self._after(text)

    def end(self) -> tuple[str, str]:
        """What was held back when the stream ends."""
        held, self._held = self._held, ""
        return ("", held) if self._where == "within" else (held, "")

    def _begin(self, text: str) -> tuple[str, str]:
        bare = text.lstrip()
        for tag in TAGS:
            if bare.startswith(f"<{tag}>"):
                self._where, self._closing = "within", f"</{tag}>"
                return self._within(bare[len(tag) + 2 :])
        if any(f"<{tag}>".startswith(bare) for tag in TAGS):
            self._held = text
            return "", ""
        self._where = "answer"
        return text, ""

    def _within(self, text: str) -> tuple[str, str]:
        thought, found, rest = text.partition(self._closing)
        if found:
            self._where = "after"
            return self._after(rest)[0], thought
        kept = _begun(text, self._closing)
        self._held = text[len(text) - kept :]
        return "", text[: len(text) - kept]

    def _after(self, text: str) -> tuple[str, str]:
        """Between the thoughts and the answer there is white space, which nobody said."""
        text = text.lstrip()
        if text:
            self._where = "answer"
        return text, ""


def _begun(text: str, mark: str) -> int:
    """How many characters at the end of `text` may be the beginning of `mark`."""
    longest = min(len(text), len(mark) - 1)
    return next((n for n in range(longest, 0, -1) if text.endswith(mark[:n])), 0)
