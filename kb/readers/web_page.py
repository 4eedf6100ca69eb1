"""The web page reader: the questions of one HTML page.

Decides which part of a page is trusted most: what it marks up for search engines, first as JSON-LD,
then as microdata, else its visible blocks. An element's id becomes the entry's where it is made of
the question's words: it then outlives a change of wording. Refuses a page that names no language, a
page without a question, and one with more elements than any page has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urljoin, urlsplit

from kb.entry import Problem
from kb.normalise import normalise, words
from kb.readers.faq_blocks import block_pairs
from kb.readers.html_tree import Page, PageTooLarge, Pair, parse_page
from kb.readers.row import Row
from kb.readers.schema_org import linked_data_pairs, microdata_pairs

_PARTS = re.compile(r"[a-z0-9]+")
_LEAST_ANCHOR: Final = 4
"""Characters of an element's id below which it says too little to name an entry."""


def read_web_page(lines: Iterator[str], source: str, locale: str | None) -> Iterator[Row | Problem]:
    """Read the questions of a page; `source` is its address, or the name of its file.

    `locale` is the language of a page that names none.
    """
    try:
        page = parse_page("".join(lines))
    except PageTooLarge as error:
        yield Problem(source, 0, str(error))
        return
    base = _base(page, source)
    language = page.language or locale or ""
    if not language:
        yield Problem(source, 0, "the page does not name its language: give its locale, such as en")
        return
    problems: list[Problem] = []
    asked: set[str] = set()
    for pair in _pairs(page, base, source, problems):
        key = normalise(pair.question)
        if key not in asked:
            asked.add(key)
            yield _row(pair, source, language)
    yield from problems
    if not asked:
        yield Problem(source, 0, _NOTHING)


_NOTHING: Final = (
    "no question was found: mark the page up as a schema.org FAQPage, or write its questions as "
    "headings that end in a question mark"
)


def _pairs(page: Page, base: str, source: str, problems: list[Problem]) -> list[Pair]:
    """Give the pairs of the first kind of markup that holds any."""
    found: list[Pair] = []
    for one in linked_data_pairs(page, base, source):
        if isinstance(one, Problem):
            problems.append(one)
        else:
            found.append(one)
    return found or list(microdata_pairs(page, base)) or list(block_pairs(page, base))


def _base(page: Page, source: str) -> str:
    """Give the address that links are relative to; nothing for a file that does not say it."""
    address = source if is_address(source) else ""
    try:
        base = urljoin(address, page.base)
    except ValueError:
        return address
    return base if is_address(base) else address


def is_address(source: str) -> bool:
    """Say whether a source is a web address, and not the name of a file."""
    return source.startswith(("https://", "http://"))


def _row(pair: Pair, source: str, language: str) -> Row:
    anchor = pair.anchor if pair.anchor and not re.search(r"\s", pair.anchor) else ""
    place = f"{source}#{anchor}" if anchor else source if is_address(source) else ""
    return Row(
        source,
        pair.line,
        id=anchor if _names(anchor, pair.question) else "",
        locale=language,
        question=pair.question,
        answer=pair.answer,
        variants=pair.variants,
        origin=place,
    )


def _names(anchor: str, question: str) -> bool:
    """Say whether an element's id was made from the question by its author."""
    parts = _PARTS.findall(normalise(anchor))
    asked = set(words(question))
    return len(anchor) >= _LEAST_ANCHOR and len(parts) > 1 and asked.issuperset(parts)


def page_of(origin: str) -> str:
    """Give the page or file of an origin, without the place in it."""
    page = origin.partition("#")[0]
    if is_address(page):
        return page if urlsplit(page).path else f"{page}/"
    return re.sub(r":\d+\Z", "", page)
