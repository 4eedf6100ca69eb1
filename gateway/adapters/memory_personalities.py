"""What operators changed of how sites' chats speak, in this process's memory."""

from __future__ import annotations

from dataclasses import replace

from core.errors import Conflict
from core.personalities import PersonalityEdit


class MemoryPersonalities:
    """A `PersonalityStore`."""

    def __init__(self) -> None:
        self._edits: list[PersonalityEdit] = []

    async def edits(self, site: str, after: int) -> list[PersonalityEdit]:
        """The site's edits with a greater number, in order."""
        return [edit for edit in self._edits[after:] if edit.site == site]

    async def append(self, edit: PersonalityEdit, *, seen: int) -> PersonalityEdit:
        """Store an edit; the same with its number. Raises `Conflict`."""
        if any(each.site == edit.site and each.number > seen for each in self._edits):
            raise Conflict("how the site speaks was changed meanwhile")
        stored = replace(edit, number=len(self._edits) + 1)
        self._edits.append(stored)
        return stored
