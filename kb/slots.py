"""What changes with the date: entries that hold for a time, and slots that answers share.

`{{hours}}` in an answer stands for the text of the entry tagged `slot:hours` that holds today. Of
several, the one that began last wins, so that a holiday's hours stand before the usual ones.
Decides which text that is, and that an answer whose slot has none is not shown. Refuses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from kb.entry import Entry, slot_name

_SLOT = re.compile(r"\{\{[ \t]*([\w-]{1,64})[ \t]*\}\}")


def holds(entry: Entry, today: str | None) -> bool:
    """Say whether an entry holds on a day (ISO 8601); with None, on any."""
    if today is None:
        return True
    return entry.valid_from <= today and (not entry.valid_until or today <= entry.valid_until)


def slots_in(text: str) -> Iterator[str]:
    """Give the names of the slots that a text has, in order."""
    return (match.group(1) for match in _SLOT.finditer(text))


class Slots:
    """The texts that answers share, by name and locale.

    A name in braces that no entry is tagged with is no slot, but the text it is.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        every = tuple(entries)
        self._texts: dict[str, list[Entry]] = {}
        for entry in every:
            name = slot_name(entry)
            if name is not None:
                self._texts.setdefault(name, []).append(entry)
        self._used = {
            (entry.id, entry.locale): names
            for entry in every
            if (names := {name for name in slots_in(entry.answer) if name in self._texts})
        }

    def __contains__(self, name: str) -> bool:
        return name in self._texts

    def is_shown(self, entry: Entry, today: str | None) -> bool:
        """Say whether an entry holds on a day, and each of its slots has a text."""
        names = self._used.get((entry.id, entry.locale), ())
        return holds(entry, today) and all(self._text(n, entry.locale, today) for n in names)

    def is_always_shown(self, entry: Entry) -> bool:
        """Say whether an entry is shown on any day: it ends on none, and has no slot."""
        begins_or_ends = entry.valid_from or entry.valid_until
        return not begins_or_ends and (entry.id, entry.locale) not in self._used

    def filled(self, entry: Entry, today: str | None) -> Entry:
        """Give a shown entry with its slots filled as on that day."""
        answer = self.fill(entry.answer, entry.locale, today)
        return entry if answer == entry.answer else replace(entry, answer=answer)

    def fill(self, text: str, locale: str, today: str | None) -> str:
        """Fill the slots of a text; one that has no text in this locale on that day stays empty.

        What is filled in is not looked at again: a slot in a slot stays as it is written.
        """

        def said(match: re.Match[str]) -> str:
            name = match.group(1)
            return self._text(name, locale, today) if name in self._texts else match.group()

        return _SLOT.sub(said, text)

    def _text(self, name: str, locale: str, today: str | None) -> str:
        own = [
            entry
            for entry in self._texts.get(name, ())
            if entry.locale == locale and holds(entry, today)
        ]
        latest = max(own, key=lambda entry: (entry.valid_from, entry.id), default=None)
        return latest.answer if latest else ""
