"""What makes a row an entry, whatever file it came from.

Decides the names of the fields, how lists and links are written in one cell, and what is refused:
a field that has no meaning, no question, no answer, no locale, a link that is not http, https or
mailto, a day that is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from kb.entry import Entry, Link, Problem
from kb.normalise import words
from kb.readers.links import is_safe_url

FIELDS: Final = (
    "id", "locale", "question", "answer", "variants", "links", "tags", "escalate",
    "valid_from", "valid_until", "origin", "source_hash",
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
    valid_from: str = ""
    valid_until: str = ""
    origin: str = ""
    """Where an imported row comes from: an address or a file, with the place in it."""
    source_hash: str = ""
    """What question and answer were when they were imported; see `kb.reconcile`."""


class RowError(ValueError):
    """What is wrong with a row, in words that say the remedy, and in which field it is."""

    def __init__(self, reason: str, field: str = "") -> None:
        super().__init__(reason)
        self.field: Final = field


def entry_of(row: Row) -> Entry | Problem:
    """Give the entry that a row describes, or the first thing that is wrong with it."""
    try:
        return checked_entry(row)
    except RowError as error:
        return Problem(row.source, row.line, str(error))


def checked_entry(row: Row) -> Entry:
    """Give the entry that a row describes. Raises `RowError` for the first thing wrong with it."""
    return Entry(
        id=_id(row),
        locale=_locale(row.locale.strip()),
        question=_needed("question", row.question),
        answer=_needed("answer", row.answer),
        variants=_distinct(row.variants),
        links=tuple(_link(link) for link in _distinct(row.links)),
        tags=_distinct(row.tags),
        escalate=_escalate(row.escalate),
        **_validity(row),
    )


def checked_link(title: str, url: str) -> Link:
    """Give the link of this title and address. Raises `RowError`."""
    if not is_safe_url(url):
        reason = f"link {url[:80]!r} must be a full http, https or mailto address"
        raise RowError(reason, "links")
    return Link(title.strip(), url)


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
            reason = "the question has no letter or number in it: write it in words"
            raise RowError(reason, "question")
    if not _ID.match(given):
        reason = f"id {given[:40]!r} must be up to 128 letters, digits or any of . : _ -"
        raise RowError(reason, "id")
    return given


def _needed(field: str, value: str) -> str:
    value = value.strip()
    if not value:
        raise RowError(f"the {field} is empty: write it, or delete the row", field)
    return value


def _locale(locale: str) -> str:
    if not locale:
        raise RowError("no locale: add the field `locale`, such as en, es or he", "locale")
    if not _LOCALE.match(locale):
        reason = f"locale {locale[:40]!r} is not a language tag: write en, es or he"
        raise RowError(reason, "locale")
    return locale


def _link(text: str) -> Link:
    match = _LINK.fullmatch(text)
    if not match:
        raise RowError(f"link {text[:80]!r} must be written [Title](https://…)", "links")
    return checked_link(*match.groups())


def _escalate(text: str) -> bool:
    value = _ESCALATE.get(text.strip().lower())
    if value is None:
        reason = f"escalate is {text[:40]!r}: write always, or leave it out"
        raise RowError(reason, "escalate")
    return value


def _validity(row: Row) -> dict[str, str]:
    days = {"valid_from": row.valid_from.strip(), "valid_until": row.valid_until.strip()}
    for field, day in days.items():
        try:
            valid = not day or date.fromisoformat(day).isoformat() == day
        except ValueError:
            valid = False
        if not valid:
            raise RowError(f"{field} is {day[:40]!r}: write a day such as 2026-12-24", field)
    if days["valid_until"] and days["valid_from"] > days["valid_until"]:
        raise RowError("valid_until is before valid_from: exchange them", "valid_until")
    return days


def _distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(stripped for value in values if (stripped := value.strip())))
