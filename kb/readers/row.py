"""What makes a row an entry, whatever file it came from.

Decides the names of the fields, how lists and links are written in one cell, and what is refused:
a field that has no meaning, no question, no answer, no locale, a link that is not http, https or
mailto.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from kb.entry import Entry, Link, Problem
from kb.normalise import words
from kb.readers.links import is_safe_url

FIELDS: Final = (
    "id", "locale", "question", "answer", "variants", "links", "tags", "escalate",
    "origin", "source_hash",
)  # fmt: skip

_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
_LOCALE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*\Z")
_ID = re.compile(r"[\w.:-]{1,128}\Z")
_ESCALATE: Final = {
    "": False, "no": False, "never": False, "false": False, "0": False,
    "always": True, "yes": True, "true": True, "1": True,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One row as written: every field as text, lists already split."""

    source: str
    line: int
    id: str = ""
    locale: str = ""
    question: str = ""
    answer: str = ""
    variants: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    escalate: str = ""
    origin: str = ""
    """Where an imported row comes from: an address or a file, with the place in it."""
    source_hash: str = ""
    """What question and answer were when they were imported; see `kb.reconcile`."""


class RowError(ValueError):
    """What is wrong with a row, in words that say the remedy."""


def entry_of(row: Row) -> Entry | Problem:
    """Give the entry that a row describes, or the first thing that is wrong with it."""
    try:
        return Entry(
            id=_id(row),
            locale=_locale(row.locale.strip()),
            question=_needed("question", row.question),
            answer=_needed("answer", row.answer),
            variants=_distinct(row.variants),
            links=tuple(_link(link) for link in _distinct(row.links)),
            tags=_distinct(row.tags),
            escalate=_escalate(row.escalate),
        )
    except RowError as error:
        return Problem(row.source, row.line, str(error))


def split_links(cell: str) -> tuple[str, ...]:
    """Split one cell of links, `[Title](https://…)` one after the other with anything between."""
    found = tuple(match.group(0) for match in _LINK.finditer(cell))
    return found if found or not cell.strip() else (cell.strip(),)


def unknown_field(name: str) -> str:
    """Say that a field is not known, and which ones are."""
    return f"unknown field {name!r}: use one of {', '.join(FIELDS)}"


def _id(row: Row) -> str:
    """Take the id as given, else make one of the question's words: a plain list needs none."""
    given = row.id.strip()
    if not given:
        _needed("question", row.question)
        given = "-".join(words(row.question)[:8])
        if not given:
            raise RowError("the question has no letter or number in it: write it in words")
    if not _ID.match(given):
        raise RowError(f"id {given[:40]!r} must be up to 128 letters, digits or any of . : _ -")
    return given


def _needed(field: str, value: str) -> str:
    value = value.strip()
    if not value:
        raise RowError(f"the {field} is empty: write it, or delete the row")
    return value


def _locale(locale: str) -> str:
    if not locale:
        raise RowError("no locale: add the field `locale`, such as en, es or he")
    if not _LOCALE.match(locale):
        raise RowError(f"locale {locale[:40]!r} is not a language tag: write en, es or he")
    return locale


def _link(text: str) -> Link:
    match = _LINK.fullmatch(text)
    if not match:
        raise RowError(f"link {text[:80]!r} must be written [Title](https://…)")
    title, url = match.groups()
    if not is_safe_url(url):
        raise RowError(f"link {url[:80]!r} must be a full http, https or mailto address")
    return Link(title.strip(), url)


def _escalate(text: str) -> bool:
    value = _ESCALATE.get(text.strip().lower())
    if value is None:
        raise RowError(f"escalate is {text[:40]!r}: write always, or leave it out")
    return value


def _distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(stripped for value in values if (stripped := value.strip())))
