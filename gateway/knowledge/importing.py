"""Importing into a draft: first what would change, then, when an operator wants it, the edits.

It decides which entries of the draft an import may write anew: those of the files, and those that
an earlier import brought and nobody edited since. What a person wrote in the console stays, and
what a person removed there is not brought back. Nothing is changed before the second step, and then
nothing that was edited since the first; what was not wanted within an hour is forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from core.encoding import b64url_encode
from core.knowledge import Edit, Key
from core.ports import Clock, Random
from core.workshop import Brought, Known
from gateway import problems
from gateway.knowledge.draft import Draft
from kb.features import text_key
from kb.reconcile import source_hash

KEPT_S: Final = 3600.0
MOST_KEPT: Final = 20
"""Imports of one site that wait."""


@dataclass(frozen=True, slots=True)
class Import:
    """What an import from the source of this name would do to a site's draft.

    `number` is that of the draft's newest edit when it was looked at.
    """

    id: str
    site: str
    source: str
    number: int
    brought: Brought
    until: float


class Imports:
    """The imports that wait for an operator's word."""

    def __init__(self, clock: Clock, random: Random) -> None:
        self._clock = clock
        self._random = random
        self._waiting: dict[str, Import] = {}

    def keep(self, site: str, source: str, number: int, brought: Brought) -> Import:
        """Keep what was brought until it is wanted; a site's oldest gives way to its newer ones."""
        name, now = b64url_encode(self._random(12)), self._clock()
        kept = Import(name, site, source, number, brought, now + KEPT_S)
        waiting = [each for each in self._waiting.values() if each.until > now]
        own = [each.id for each in (*waiting, kept) if each.site == site]
        given_up = set(own[:-MOST_KEPT])
        self._waiting = {each.id: each for each in (*waiting, kept) if each.id not in given_up}
        return kept

    def find(self, site: str, name: str) -> Import:
        """An import that still waits; raises `Problem`."""
        found = self._waiting.get(name)
        if found is None or found.site != site or found.until <= self._clock():
            raise problems.not_found("import")
        return found

    def done(self, kept: Import) -> None:
        """Forget an import that was made."""
        self._waiting.pop(kept.id, None)


def known(draft: Draft) -> list[Known]:
    """The draft's entries as an import sees them."""
    return [_known(draft, (entry.id, entry.locale)) for entry in draft.entries]


def _known(draft: Draft, key: Key) -> Known:
    entry, edit = draft.get(key), draft.newest(key)
    assert entry is not None  # noqa: S101 - it is one of the draft's
    if edit is None:
        # A file's entry counts as brought by an import and not edited since; where from is unknown.
        return Known(entry, "", source_hash(entry.question, entry.answer))
    return Known(entry, edit.origin, edit.source_hash)


def wanted(brought: Brought, draft: Draft) -> Brought:
    """What was brought without what people removed at the desk: that is named instead."""
    removed = draft.removed_by_people()
    asked = {
        (text_key(entry.question), entry.locale) for entry in removed.values() if entry is not None
    }
    added, problems = list[Known](), list(brought.problems)
    for one in brought.added:
        key = (one.entry.id, one.entry.locale)
        if key in removed or (text_key(one.entry.question), one.entry.locale) in asked:
            problems.append(
                f"{key[0]} ({key[1]}): left out: it was removed at the desk; undo that to have it "
                "back"
            )
        else:
            added.append(one)
    return replace(brought, added=tuple(added), problems=tuple(problems))


def edits(kept: Import, author: str, at: float) -> Sequence[Edit]:
    """What makes an import a part of the draft; by its origin a removal is known as an import's."""
    brought = [*kept.brought.added, *kept.brought.changed]
    made = [
        Edit(
            site=kept.site,
            entry_id=one.entry.id,
            locale=one.entry.locale,
            kind="set",
            author=author,
            at=at,
            entry=one.entry,
            origin=one.origin,
            source_hash=one.source_hash,
        )
        for one in brought
    ]
    gone = [
        Edit(kept.site, entry.id, entry.locale, "remove", author, at, origin=kept.source)
        for entry in kept.brought.removed
    ]
    return [*made, *gone]
