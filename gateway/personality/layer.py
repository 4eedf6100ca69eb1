"""What operators made of how a site's chat speaks, as one state: the console's layer.

It decides which edit of a personality stands (the newest that was not taken back), which choice
does (the newest, until it is reset), and what a new personality is called: `console.` and the
letters of its chat's name. No file can have such a name, for it has a point in it. It does no I/O.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from core.personalities import PersonalityEdit
from gateway.pipeline.personality.form import Personality, examine

PREFIX: Final = "console."
MOST_LETTERS: Final = 40
UNNAMED: Final = "own"

Action = Literal["created", "edited", "removed", "restored"]


@dataclass(frozen=True, slots=True)
class Own:
    """A personality that was made in the console, as the edit that stands wrote it.

    `undoable` where another edit is below that one: it is there without its newest edit too.
    """

    name: str
    personality: Personality
    edit: PersonalityEdit
    undoable: bool


class Layer:
    """One state of a site's edits. Immutable: another edit makes another layer."""

    def __init__(self, edits: Sequence[PersonalityEdit] = ()) -> None:
        self.edits = tuple(edits)
        standing = _standing(self.edits)
        self._standing = standing
        self.own = {each.name: each for each in map(_own, standing.values()) if each is not None}
        chosen = [edit for edit in self.edits if edit.kind in {"use", "reset"}]
        self.choice = chosen[-1] if chosen and chosen[-1].kind == "use" else None

    @property
    def number(self) -> int:
        """The number of its newest edit; 0 where there is none."""
        return self.edits[-1].number if self.edits else 0

    def newest(self, name: str) -> PersonalityEdit | None:
        """The edit of a personality that stands."""
        own = self._standing.get(name)
        return own[-1] if own else None

    def known(self, name: str) -> bool:
        """Whether there is, or ever was, a personality of this name."""
        return name in self._standing

    def free(self, called: str) -> str:
        """A name that no personality has or had, for one whose chat is called so."""
        plain = unicodedata.normalize("NFKD", called).encode("ascii", "ignore").decode()
        letters = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:MOST_LETTERS]
        made = PREFIX + (letters.strip("-") or UNNAMED)
        number = 1
        while self.known(name := made if number == 1 else f"{made}-{number}"):
            number += 1
        return name

    def history(self, name: str) -> list[tuple[PersonalityEdit, Action]]:
        """What was done to a personality, newest first."""
        done: list[tuple[PersonalityEdit, Action]] = []
        own: list[PersonalityEdit] = []
        for edit in (each for each in self.edits if _is_about(each, name)):
            done.append((edit, _action(edit, own)))
            own = _standing([*own, edit]).get(name, [])
        return done[::-1]


def _is_about(edit: PersonalityEdit, name: str) -> bool:
    return edit.name == name and edit.kind in {"set", "remove", "undo"}


def _standing(edits: Iterable[PersonalityEdit]) -> dict[str, list[PersonalityEdit]]:
    """Each personality's edits that were not taken back, oldest first."""
    found: dict[str, list[PersonalityEdit]] = {}
    for edit in edits:
        if edit.name is None or edit.kind in {"use", "reset"}:
            continue
        own = found.setdefault(edit.name, [])
        if edit.kind == "undo":
            own[:] = [each for each in own if each.number != edit.takes_back]
        else:
            own.append(edit)
    return found


def _own(standing: Sequence[PersonalityEdit]) -> Own | None:
    """What stands of one personality's edits, oldest first; None where it is removed."""
    edit = standing[-1] if standing else None
    if edit is None or edit.kind != "set" or edit.name is None:
        return None
    # What another release has no field for is left out, and does no harm.
    personality, _ = examine(edit.document)
    return Own(edit.name, personality, edit, undoable=len(standing) > 1)


def _action(edit: PersonalityEdit, before: Sequence[PersonalityEdit]) -> Action:
    if edit.kind == "remove":
        return "removed"
    if edit.kind == "undo":
        return "restored"
    if not before:
        return "created"
    return "edited" if before[-1].kind == "set" else "restored"
