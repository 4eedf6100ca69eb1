"""The sitemap reader: the addresses that a site lists of itself (sitemaps.org, protocol 0.9).

Decides what is a page and what is another sitemap. Refuses a DOCTYPE, and with it every entity, so
that a small file cannot become a large one or reach another; addresses beyond the limit are
counted, not kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from xml.parsers import expat

MAX_ADDRESS: Final = 2_048
"""Characters of an address, as the protocol has it."""


class SitemapError(ValueError):
    """A text that is no sitemap; the message says the remedy."""


@dataclass(frozen=True, slots=True)
class Sitemap:
    """What a sitemap lists: `pages`, or in an index `sitemaps`; `left_out` is beyond the limit."""

    pages: tuple[str, ...]
    sitemaps: tuple[str, ...]
    left_out: int


def read_sitemap(lines: Iterator[str], *, limit: int) -> Sitemap:
    """Read at most `limit` distinct addresses. Raises `SitemapError`."""
    reader = _Reader(limit)
    try:
        for line in lines:
            reader.feed(line)
        reader.feed("", final=True)
    except expat.ExpatError as error:
        reason = expat.errors.messages.get(error.code, "not well-formed")
        raise SitemapError(
            f"line {error.lineno}: not a sitemap ({reason}): give a page, or mend the XML"
        ) from error
    if reader.kind not in {"urlset", "sitemapindex"}:
        raise SitemapError(
            f"its root element is {reader.kind[:40]!r}, not urlset or sitemapindex: give a sitemap"
        )
    listed = tuple(reader.found)
    is_index = reader.kind == "sitemapindex"
    return Sitemap(() if is_index else listed, listed if is_index else (), reader.left_out)


class _Reader:
    """Keeps the text of each `loc` under a `url` or `sitemap`, and nothing else."""

    def __init__(self, limit: int) -> None:
        self.kind = ""
        self.found: dict[str, None] = {}
        self.left_out = 0
        self._limit = limit
        self._path: list[str] = []
        self._text = ""
        # The text has been decoded: what its declaration says of bytes no longer holds.
        self._parser = expat.ParserCreate("utf-8", " ")
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._add

    def feed(self, text: str, *, final: bool = False) -> None:
        self._parser.Parse(text.encode("utf-8", "replace"), final)

    def _refuse(self, *_declaration: object) -> None:
        raise SitemapError("it declares a DOCTYPE, which a sitemap has no use for: take it out")

    def _start(self, name: str, _attributes: object) -> None:
        local = name.rpartition(" ")[2]
        self.kind = self.kind or local
        self._path.append(local)
        self._text = ""

    def _add(self, text: str) -> None:
        if self._is_address() and len(self._text) <= MAX_ADDRESS:
            self._text += text

    def _end(self, _name: str) -> None:
        address = self._text.strip()
        if self._is_address() and 0 < len(address) <= MAX_ADDRESS and address not in self.found:
            if len(self.found) < self._limit:
                self.found[address] = None
            else:
                self.left_out += 1
        self._path.pop()

    def _is_address(self) -> bool:
        return len(self._path) == 3 and self._path[1:] in (["url", "loc"], ["sitemap", "loc"])
