"""What of a knowledge base does not hold today, or soon will not.

Decides how long before its last day an owner is told of an entry or of a slot's text. Refuses
nothing, and reads no clock: the day is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Final

from kb.entry import Entry
from kb.finding import Finding
from kb.slots import Slots, holds, slots_in

SOON: Final = 14
"""Days before the last one from which an owner is told."""


def dated(entries: Iterable[Entry], slots: Slots, today: str) -> Iterator[Finding]:
    """Give which entries are not shown on a day (ISO 8601), or will not be two weeks later."""
    later = (date.fromisoformat(today) + timedelta(days=SOON)).isoformat()
    for entry in entries:
        yield from _days(entry, today, later)
        yield from _slots(entry, slots, today, later)


def _days(entry: Entry, today: str, later: str) -> Iterator[Finding]:
    if entry.valid_until and entry.valid_until < today:
        why = f"Its last day was {entry.valid_until}: it is not shown any more."
        yield Finding("ended", entry.id, entry.locale, why, "Delete it, or give it another day.")
    elif holds(entry, today) and not holds(entry, later):
        why = f"Its last day is {entry.valid_until}."
        yield Finding("ending", entry.id, entry.locale, why, "Write what holds after that day.")


def _slots(entry: Entry, slots: Slots, today: str, later: str) -> Iterator[Finding]:
    for name in dict.fromkeys(slots_in(entry.answer)):
        own = "{{" + name + "}}"

        def has_text(day: str, own: str = own) -> bool:
            return bool(slots.fill(own, entry.locale, day))

        remedy = f"Write an entry in {entry.locale} that is tagged slot:{name} and holds then."
        if name not in slots:
            why = (
                f"Its answer says {own}, which no entry is tagged as: it is shown as it is written."
            )
            yield Finding("unknown_slot", entry.id, entry.locale, why, remedy)
        elif not has_text(today):
            why = f"Its answer has the slot {own}, which has no text today: it is not shown."
            yield Finding("empty_slot", entry.id, entry.locale, why, remedy)
        elif not has_text(later):
            why = f"Its answer has the slot {own}, which will have no text within {SOON} days."
            yield Finding("ending", entry.id, entry.locale, why, remedy)
