"""The site's own words: acronyms and names that stand for others.

The answer of an entry tagged `system:synonyms` has a group a line, `RMA = return = send back`. To
the search every way of a group is the first one, in what visitors ask and in what entries say.
Decides which words of a text are such a way: whole words, compared by their stems, the longest
first. Refuses nothing: a line with fewer than two ways says nothing, and `kb check` tells so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from kb.entry import SYNONYMS, Entry
from kb.normalise import stem, words

_MARKER = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+")

type Way = tuple[str, ...]
"""The stems of a way to say something, in order."""


def groups(entry: Entry) -> tuple[list[tuple[str, ...]], list[str]]:
    """Give an entry's groups of ways, each two or more, and the lines that are no group."""
    found: list[tuple[str, ...]] = []
    idle: list[str] = []
    for line in entry.answer.splitlines():
        text = _MARKER.sub("", line).strip()
        ways = tuple(way for part in text.split("=") if (way := " ".join(words(part))))
        if len(set(map(_stems, ways))) > 1:
            found.append(ways)
        elif text:
            idle.append(text)
    return found, idle


class Wording:
    """What a site calls the same, from all its entries. Immutable, and safe to share."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.lists: Final = tuple(entry for entry in entries if SYNONYMS in entry.tags)
        self._first: dict[Way, str] = {}
        for entry in self.lists:
            for ways in groups(entry)[0]:
                self._add(ways)
        starts: dict[str, set[int]] = {}
        for way in self._first:
            starts.setdefault(way[0], set()).add(len(way))
        self._lengths = {first: sorted(sizes, reverse=True) for first, sizes in starts.items()}

    def _add(self, ways: tuple[str, ...]) -> None:
        """Add a group; one that shares a way with an earlier group belongs to it."""
        known = (self._first[own] for way in ways if (own := _stems(way)) in self._first)
        first = next(known, ways[0])
        for way in ways:
            self._first.setdefault(_stems(way), first)

    def __bool__(self) -> bool:
        return bool(self._first)

    def heard(self, text: str) -> str:
        """Give a text as the search hears it; the text itself where no way of a group is in it."""
        if not self._first:
            return text
        said = words(text)
        roots = [stem(word) for word in said]
        heard: list[str] = []
        changed = False
        at = 0
        while at < len(said):
            size = self._size(roots, at)
            way = tuple(roots[at : at + size])
            first = self._first.get(way, "")
            if size and _stems(first) != way:
                heard.append(first)
                changed = True
            else:
                heard += said[at : at + max(1, size)]
            at += max(1, size)
        return " ".join(heard) if changed else text

    def _size(self, roots: list[str], at: int) -> int:
        """Give how many words from a place on are a way, 0 for none."""
        sizes = self._lengths.get(roots[at], ())
        return next((n for n in sizes if tuple(roots[at : at + n]) in self._first), 0)


def _stems(way: str) -> Way:
    return tuple(stem(word) for word in way.split())
