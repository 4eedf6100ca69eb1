"""List what the knowledge base can be asked, for a visitor who looks instead of asking.

Decides which entries are listed (those that hold on the day and are not tagged `unlisted`, once
each, in the visitor's language where they exist in it) and refuses a request that is not of its
form with `ValueError`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from core.fields import read, read_day, read_object
from kb import Entry, Index
from kb.entry import is_searchable

UNLISTED = "unlisted"
"""The tag of what is answered and not looked for, such as a greeting."""
MOST_TOPICS = 2_000
"""More would be slow to draw, and no list to look through."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One entry by its question, in the language `locale`."""

    entry_id: str
    question: str
    locale: str


def topics(index: Index, locale: str, *, today: str | None = None) -> tuple[Topic, ...]:
    """List what can be asked on a day, in the owner's order; at most `MOST_TOPICS`.

    An entry that is not there in `locale` stands in another language: the first that it has.
    """
    chosen: dict[str, Entry] = {}
    for entry in index.entries:
        if UNLISTED in entry.tags or not is_searchable(entry):
            continue
        if not index.slots.is_shown(entry, today):
            continue
        if entry.id not in chosen or entry.locale == locale:
            chosen[entry.id] = entry
    listed = list(chosen.values())[:MOST_TOPICS]
    return tuple(Topic(entry.id, entry.question, entry.locale) for entry in listed)


def topics_json(index: Index, request: str) -> str:
    """`topics` for a host that speaks JSON: `{"locale", "today"}` in, a list of topics out.

    Raises `ValueError` naming the field that is not of its form.
    """
    asked = read_object(request)
    locale, today = read(asked, "locale", str), read_day(asked, "today")
    found = topics(index, locale, today=today)
    return json.dumps([asdict(topic) for topic in found], ensure_ascii=False)
