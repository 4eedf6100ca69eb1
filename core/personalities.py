"""What operators change of how sites' chats speak: written, removed, taken back, chosen.

Edits lie over the owner's configuration (files, and `sites.personality`) and are only ever added,
so that each can be taken back and none is lost. What they amount to is decided in
`gateway.personality`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

EditKind = Literal["set", "remove", "undo", "use", "reset"]


@dataclass(frozen=True, slots=True)
class PersonalityEdit:
    """One change at one site, by one person.

    `name` is the personality's: what was written, removed, taken back or chosen; a `use` without
    one chooses none. A `set` wrote `document`, in the form of a personality's file; an `undo`
    undoes the edit with the number `takes_back`; a `reset` lets the configuration choose again.
    `number` orders the edits of a site; it is 0 until a store has given one. `at` is Unix seconds.
    """

    site: str
    kind: EditKind
    author: str
    at: float
    name: str | None = None
    document: Mapping[str, Any] | None = None
    takes_back: int | None = None
    number: int = 0


class PersonalityStore(Protocol):
    """Where edits are kept; a part of the truth, as durable. Every call may raise `Unavailable`."""

    async def edits(self, site: str, after: int) -> list[PersonalityEdit]:
        """The site's edits with a greater number, in order."""

    async def append(self, edit: PersonalityEdit, *, seen: int) -> PersonalityEdit:
        """Store an edit; the same with its number.

        `seen` is the number of the newest edit of the site that it is based on (0: of none); raises
        `Conflict` where the site has a newer one.
        """
