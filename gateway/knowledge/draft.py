"""A site's draft: the owner's files with the console's edits over them.

It decides which edit of an entry stands (the newest that was not taken back), what an entry is
called beside what is live (live, changed, new, removed), and what its history says. It does no I/O,
and refuses nothing: an undo of nothing changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from core.knowledge import Edit, Key
from kb import Entry, Index

State = Literal["live", "changed", "new", "removed"]
Action = Literal["created", "edited", "removed", "restored"]


@dataclass(frozen=True, slots=True)
class Item:
    """An entry as the draft has it; where it was removed, as it is live.

    `edit` is the one that stands; None where the owner's file speaks.
    """

    entry: Entry
    state: State
    edit: Edit | None

    @property
    def number(self) -> int:
        """The number of the edit that stands; 0 where the owner's file speaks."""
        return self.edit.number if self.edit else 0


def standing(edits: Iterable[Edit]) -> dict[Key, list[Edit]]:
    """Each entry's edits that were not taken back, oldest first."""
    found: dict[Key, list[Edit]] = {}
    for edit in edits:
        own = found.setdefault(edit.key, [])
        if edit.kind == "undo":
            own[:] = [each for each in own if each.number != edit.takes_back]
        else:
            own.append(edit)
    return found


def overlay(edits: Iterable[Edit]) -> dict[Key, Entry | None]:
    """What the edits make of each entry that they are about; None: it is removed."""
    return _overlay(standing(edits))


def _overlay(found: Mapping[Key, Sequence[Edit]]) -> dict[Key, Entry | None]:
    return {key: found[key][-1].entry for key in sorted(found) if found[key]}


def overlaid(files: Iterable[Entry], edits: Mapping[Key, Entry | None]) -> tuple[Entry, ...]:
    """The entries of the files, in order, as edited; then those that no file has."""
    found: dict[Key, Entry | None] = {(entry.id, entry.locale): entry for entry in files}
    found.update(edits)
    return tuple(entry for entry in found.values() if entry is not None)


class Draft:
    """One state of a site's draft. Immutable: another edit makes another draft."""

    def __init__(self, files: Sequence[Entry], edits: Sequence[Edit]) -> None:
        self.files = {(entry.id, entry.locale): entry for entry in files}
        self.edits = tuple(edits)
        self._standing = standing(edits)
        self.overlay = _overlay(self._standing)
        self.entries = overlaid(files, self.overlay)
        self._by_key = {(entry.id, entry.locale): entry for entry in self.entries}
        self._items: tuple[str, list[Item]] = ("", [])

    @property
    def number(self) -> int:
        """The number of its newest edit; 0 where there is none."""
        return self.edits[-1].number if self.edits else 0

    @property
    def ids(self) -> set[str]:
        """The ids of all entries that are, or ever were."""
        return {key[0] for key in (*self._by_key, *self._standing)}

    def get(self, key: Key) -> Entry | None:
        """The entry as the draft has it."""
        return self._by_key.get(key)

    def last_number(self, key: Key) -> int:
        """The number of the last that was done to an entry, undone or not; 0 for nothing."""
        return max((edit.number for edit in self.edits if edit.key == key), default=0)

    def newest(self, key: Key) -> Edit | None:
        """The edit of an entry that stands."""
        own = self._standing.get(key)
        return own[-1] if own else None

    def overlay_at(self, number: int) -> Mapping[Key, Entry | None]:
        """What its edits up to this number made of the entries that they are about."""
        if number >= self.number:
            return self.overlay
        return overlay(edit for edit in self.edits if edit.number <= number)

    def changed_since(self, number: int) -> set[Key]:
        """Which entries have an edit with a greater number."""
        return {edit.key for edit in self.edits if edit.number > number}

    def removed_by_people(self) -> dict[Key, Entry | None]:
        """What people removed, and no import, as it was before; None where that is not known."""
        gone = {
            key: own
            for key, own in self._standing.items()
            if own and own[-1].kind == "remove" and not own[-1].origin
        }
        return {
            key: next((each.entry for each in reversed(own) if each.entry), self.files.get(key))
            for key, own in gone.items()
        }

    def item(self, key: Key, live: Index) -> Item | None:
        """An entry beside what is live; None where it is neither in the draft nor live."""
        here, there = self.get(key), live.get(*key)
        edit = self.newest(key)
        if here is None:
            return None if there is None else Item(there, "removed", edit)
        if there is None:
            return Item(here, "new", edit)
        return Item(here, "live" if here == there else "changed", edit)

    def items(self, live: Index) -> Sequence[Item]:
        """Every entry beside what is live, by id and locale."""
        if self._items[0] != live.release:
            lived = {(entry.id, entry.locale) for entry in live.entries}
            keys = sorted(lived | self._by_key.keys() | self._standing.keys())
            found = (self.item(key, live) for key in keys)
            self._items = (live.release, [item for item in found if item is not None])
        return self._items[1]

    def changes(self, live: Index) -> int:
        """How many entries differ from what is live."""
        return sum(item.state != "live" for item in self.items(live))

    def history(self, key: Key) -> list[tuple[Edit, Action]]:
        """What was done to an entry, newest first."""
        done: list[tuple[Edit, Action]] = []
        there = key in self.files
        own: list[Edit] = []
        for edit in (each for each in self.edits if each.key == key):
            done.append((edit, _action(edit, own, is_there=there)))
            own = standing([*own, edit]).get(key, [])
            there = own[-1].kind == "set" if own else key in self.files
        return done[::-1]


def _action(edit: Edit, before: Sequence[Edit], *, is_there: bool) -> Action:
    if edit.kind == "remove":
        return "removed"
    if edit.kind == "undo":
        return "restored"
    if is_there:
        return "edited"
    return "restored" if before else "created"
