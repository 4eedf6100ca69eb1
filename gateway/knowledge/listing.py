"""Which entries a page of the operators' list shows.

It decides what a search matches (question, phrasings, answer and id, without regard to case and
accents) and the order: by id and locale, so that a page goes on where the last one ended whatever
was changed in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from core.knowledge import Key
from gateway.knowledge.draft import Item
from kb import Entry
from kb.normalise import normalise

REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; empty texts ask for everything."""

    text: str = ""
    locale: str = ""
    state: str = ""
    after: Key | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the list, whether there is more, and how many entries match in all."""

    items: Sequence[Item]
    more: bool
    total: int


def listed(items: Iterable[Item], wanted: Wanted) -> Page:
    """Give one page of the items, which are in order."""
    text = normalise(wanted.text)
    matching = [item for item in items if _matches(item, wanted, text)]
    after = wanted.after
    left = [item for item in matching if after is None or key_of(item) > after]
    return Page(left[: wanted.limit], len(left) > wanted.limit, len(matching))


def key_of(item: Item) -> Key:
    """The id and locale of an item."""
    return item.entry.id, item.entry.locale


def _matches(item: Item, wanted: Wanted, text: str) -> bool:
    if wanted.locale and item.entry.locale != wanted.locale:
        return False
    if wanted.state == "unpublished":
        if item.state == "live":
            return False
    elif wanted.state not in {"", "all", item.state}:
        return False
    return text in _searched(item.entry)


@lru_cache(maxsize=REMEMBERED)
def _searched(entry: Entry) -> str:
    return "\n".join(map(normalise, (entry.id, entry.question, *entry.variants, entry.answer)))
